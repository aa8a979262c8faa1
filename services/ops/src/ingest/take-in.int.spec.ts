import { getForeign } from '@privatelink/shared/postgres/foreign-table';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connections } from '../read-models/connections.ts';
import { factsBefore } from '../read-models/facts.ts';
import { connectionMoved, consumer, provider } from '../testing/announcements.ts';
import { openStage, type Stage } from '../testing/stage.ts';
import { readAnnounced } from './announced.ts';
import { takeIn } from './take-in.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage?.close());

const everything = { scope: { accountId: null } };
const factsOf = async (about: string) =>
  (await factsBefore(stage.db, { ...everything, about }, null, 100)).map(({ source_revision }) => source_revision);
const countOf = async (because: string) => {
  const { rows } = await sql<{ account_id: string; count: bigint }>`
    select account_id, sum(count)::bigint as count from foreign_status_change where because = ${because}
    group by 1 order by 1`.execute(stage.db);
  return rows.map(({ account_id, count }) => [account_id, Number(count)]);
};

describe('what a source announces', () => {
  it('is kept once and counted once, however often it is told', async () => {
    const messages = [
      connectionMoved('ep-a', 0n, ['', 'CONNECTING']),
      connectionMoved('ep-a', 1n, ['CONNECTING', 'CONNECTED']),
      connectionMoved('ep-b', 0n, ['', 'DISCONNECTED']),
    ];
    await stage.tell('broker', ...messages);
    await stage.tell('broker', ...messages);
    await stage.tell('broker', ...messages.slice(0, 1), connectionMoved('ep-b', 1n, ['DISCONNECTED', 'CONNECTING']));
    expect(await factsOf('ep-a')).toEqual([1n, 0n]);
    expect(await factsOf('ep-b')).toEqual([1n, 0n]);
    expect(await countOf('so it was')).toEqual([
      ['', 4],
      [provider, 4],
      [consumer, 4],
    ]);
    const row = await getForeign(stage.db, connections, 'ep-a');
    expect(row?.revision).toBe(1n);
  });

  it('does not bring back what is gone', async () => {
    const made = connectionMoved('ep-c', 0n, ['', 'CONNECTING']);
    await stage.tell('broker', made, connectionMoved('ep-c', 1n, ['DELETING', 'GONE']));
    await stage.tell('broker', made);
    expect((await getForeign(stage.db, connections, 'ep-c'))?.state.gone).toBe(true);
  });

  it('leaves nothing when what it is a part of is undone', async () => {
    const undone = stage.db.transaction().execute(async (tx) => {
      await takeIn(tx, 'broker', [readAnnounced(connectionMoved('ep-d', 0n, ['', 'CONNECTING']))]);
      throw new Error('undone');
    });
    await expect(undone).rejects.toThrow('undone');
    expect(await factsOf('ep-d')).toEqual([]);
    await stage.tell('broker', connectionMoved('ep-d', 0n, ['', 'CONNECTING']));
    expect(await factsOf('ep-d')).toEqual([0n]);
  });
});
