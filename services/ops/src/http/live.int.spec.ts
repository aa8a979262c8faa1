import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectionMoved, consumer, endpointMade, provider, serviceMade, stranger } from '../testing/announcements.ts';
import { openStreams, readEvents, type Sent } from '../testing/sse.ts';
import { openStage, type Stage } from '../testing/stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage?.close());

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const factsIn = (sent: readonly Sent[]) =>
  sent.filter(({ event }) => event === 'fact').map(({ data }) => JSON.parse(data) as Record<string, string>);
const latest = async (token: string): Promise<string> =>
  ((await (await stage.get('/api/facts', token)).json()) as { latest: string }).latest;
const live = (token: string, after: string, enough: (sent: readonly Sent[]) => boolean, more = '') =>
  readEvents(`${stage.origin()}/api/live?after=${after}${more}`, bearer(token), enough);

const openLive = async (token: string, signal: AbortSignal): Promise<number> =>
  (await fetch(`${stage.origin()}/api/live`, { headers: bearer(token), signal })).status;

describe('the live feed', () => {
  it('goes on after a place, also over restarts, with nothing lost and nothing twice', async () => {
    const token = await stage.token(['operator']);
    const start = await latest(token);
    const wanted = 60;
    // Four sources write side by side, as their feeds do.
    const telling = Promise.all(
      ['a', 'b', 'c', 'd'].map(async (source) => {
        for (let revision = 0n; revision < 15n; revision++) {
          await stage.tell('broker', connectionMoved(`ep-${source}`, revision, ['CONNECTED', 'CHANGING']));
        }
      }),
    );
    const seen: string[] = [];
    let after = start;
    for (let reads = 0; seen.length < wanted && reads < wanted; reads++) {
      const rest = wanted - seen.length;
      const sent = await live(token, after, (events) => factsIn(events).length >= Math.min(9, rest));
      seen.push(...factsIn(sent).map(({ eventId }) => eventId ?? ''));
      after = sent.at(-1)?.id ?? after;
      if (reads % 3 === 1) await stage.restart();
    }
    await telling;
    expect(seen).toHaveLength(wanted);
    expect(new Set(seen).size).toBe(wanted);
    for (const source of ['a', 'b', 'c', 'd']) {
      const own = seen.filter((id) => id.startsWith(`connection-ep-${source}@`));
      expect(own).toEqual(Array.from({ length: 15 }, (_, revision) => `connection-ep-${source}@${revision}`));
    }
  });

  it('prefers where a browser says that it was', async () => {
    const token = await stage.token(['operator']);
    const before = await latest(token);
    await stage.tell('broker', connectionMoved('ep-e', 0n, ['', 'CONNECTING']));
    const url = `${stage.origin()}/api/live?after=${await latest(token)}`;
    const sent = await readEvents(url, { ...bearer(token), 'last-event-id': before }, (all) => factsIn(all).length > 0);
    expect(factsIn(sent)).toMatchObject([{ eventId: 'connection-ep-e@0' }]);
  });

  it('tells an account of its own alone, without other people’s names', async () => {
    const tokens = await Promise.all([
      stage.token(['provider'], provider),
      stage.token(['consumer'], consumer),
      stage.token(['consumer'], stranger),
    ]);
    const after = await latest(tokens[0]);
    await stage.tell('provider', serviceMade('epsrv-9'));
    await stage.tell('consumer', endpointMade('ep-f'));
    const migration = { type: 'ZoneMigrationStarted' };
    await stage.tell('broker', connectionMoved('ep-f', 0n, ['CONNECTED', 'CHANGING'], migration));
    await stage.tell('broker', connectionMoved('ep-f', 1n, ['CHANGING', 'CONNECTED']));
    await stage.tell('consumer', endpointMade('ep-x', 1n));
    const until = (count: number) => (sent: readonly Sent[]) => factsIn(sent).length >= count;
    const told = async (token: string, count: number) =>
      factsIn(await live(token, after, until(count))).map(({ eventId, actor }) => [eventId, actor]);
    expect(await told(tokens[0], 3)).toEqual([
      ['endpointService-epsrv-9@0', 'user:paula'],
      ['connection-ep-f@0', 'user:paula'],
      ['connection-ep-f@1', 'user:paula'],
    ]);
    expect(await told(tokens[1], 3)).toEqual([
      ['endpoint-ep-f@0', 'user:paula'],
      ['connection-ep-f@1', ''],
      ['endpoint-ep-x@1', 'user:paula'],
    ]);
    const idle = await live(tokens[2], after, (sent) => sent.some(({ event }) => event === 'idle'));
    expect(factsIn(idle)).toEqual([]);
  });

  it('says so when what was missed is not kept, or of another log', async () => {
    const token = await stage.token(['operator']);
    const first = await latest(token);
    await sql`delete from foreign_fact`.execute(stage.db);
    await stage.tell('broker', connectionMoved('ep-g', 0n, ['', 'CONNECTING']));
    await stage.tell('broker', connectionMoved('ep-g', 1n, ['CONNECTING', 'CONNECTED']));
    const [log = '', sequence = ''] = first.split('.');
    const [missed] = await live(token, `${log}.${BigInt(sequence) - 1n}`, (sent) => sent.length > 0);
    expect(missed?.event).toBe('reset');
    const [foreign] = await live(token, `${crypto.randomUUID()}.1`, (sent) => sent.length > 0);
    expect(foreign?.event).toBe('reset');
    const [kept] = await live(token, first, (sent) => sent.length > 0);
    expect(kept?.event).toBe('ready');
  });

  it('is of one resource, or of some kinds of facts', async () => {
    const token = await stage.token(['operator']);
    const after = await latest(token);
    await stage.tell('broker', connectionMoved('ep-h', 0n, ['', 'CONNECTING'], { type: 'ConnectionRequested' }));
    await stage.tell('broker', connectionMoved('ep-i', 0n, ['', 'CONNECTING'], { type: 'ConnectionRequested' }));
    await stage.tell(
      'broker',
      connectionMoved('ep-h', 1n, ['CONNECTING', 'CONNECTED'], { type: 'ConnectionEstablished' }),
    );
    const isTold = (sent: readonly Sent[]) => factsIn(sent).length >= 1;
    const some = await live(token, after, isTold, '&about=ep-h&type=ConnectionEstablished');
    expect(factsIn(some)).toMatchObject([{ eventId: 'connection-ep-h@1' }]);
  });

  it('is opened only so often by one account, whoever asks for it there, and by one of the staff', async () => {
    const hangUp = new AbortController();
    const open = (token: string) => openLive(token, hangUp.signal);
    const people = await Promise.all(
      ['ann', 'bob', 'cy', 'dot'].map((subject) => stage.token(['consumer'], stranger, { subject })),
    );
    const of = (token: string | undefined, count: number) => Array.from({ length: count }, () => open(token ?? ''));
    expect(await Promise.all(people.flatMap((token) => of(token, 5)))).toEqual(Array(20).fill(200));
    for (const token of people) expect(await open(token)).toBe(429);
    const staff = await Promise.all(['ann', 'eve'].map((subject) => stage.token(['viewer'], '', { subject })));
    expect(await Promise.all(staff.flatMap((token) => of(token, 20)))).toEqual(Array(40).fill(200));
    for (const token of staff) expect(await open(token)).toBe(429);
    hangUp.abort();
    await expect.poll(openStreams).toBe(0);
  });

  it('of all accounts together leaves room for the staff', async () => {
    const hangUp = new AbortController();
    const open = (token: string) => openLive(token, hangUp.signal);
    const tokens = await Promise.all(
      Array.from({ length: 10 }, (_, index) => stage.token(['consumer'], String(index).repeat(16))),
    );
    const statuses = await Promise.all(tokens.flatMap((token) => Array.from({ length: 16 }, () => open(token))));
    expect(statuses.filter((status) => status === 200)).toHaveLength(150);
    expect(await open(await stage.token(['operator'], '', { subject: 'olga' }))).toBe(200);
    hangUp.abort();
    await expect.poll(openStreams).toBe(0);
  });
});
