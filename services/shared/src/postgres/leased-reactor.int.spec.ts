import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { WorkResult } from '../app/run-reactor.ts';
import { systemClock } from '../runtime/clock.ts';
import { createMemoryStore } from '../testing/memory-store.ts';
import { type PostgresServer, startPostgres } from '../testing/servers.ts';
import { claimCheckpoint, readCheckpoint } from './checkpoint.ts';
import { connectPostgres, type Postgres } from './connect.ts';
import { LeaseLost } from './lease.ts';
import { runLeasedReactor } from './leased-reactor.ts';
import { workRows } from './work.ts';

const log = pino({ level: 'silent' });
let server: PostgresServer;
let postgres: Postgres;
beforeAll(async () => {
  server = await startPostgres();
  postgres = await connectPostgres({ url: server.url, schema: 'spec', poolMax: 6, log });
});
afterAll(async () => {
  await postgres?.close();
  await server?.stop();
});

const keysOf = async (reactor: string): Promise<string[]> => {
  const rows = await postgres.db.selectFrom('work').select('key').where('reactor', '=', reactor).execute();
  return rows.map(({ key }) => key);
};

test('what one replica could not finish, the next one does, and what was done is not looked at again', async () => {
  const store = createMemoryStore();
  const metadata = {
    $correlationId: 'c',
    $causationId: 'c',
    accountId: '',
    actor: 'service:x',
    requestId: '',
    fingerprint: '',
    producer: 'x',
  };
  const append = (key: string) =>
    store.append(`job-${key}`, [{ id: key, type: 'Asked.v1', data: {}, metadata }], 'no-stream');
  const run = (holder: string, work: (key: string) => Promise<WorkResult>) => {
    const stop = new AbortController();
    const done = runLeasedReactor(
      { db: postgres.db, store, clock: systemClock, log, holder, signal: stop.signal },
      { name: 'jobs', prefixes: ['job-'], key: (event) => event.stream, work },
    );
    return async () => {
      stop.abort();
      await done;
    };
  };
  await append('easy');
  await append('hard');
  const first: string[] = [];
  const stopFirst = run('a', async (key) => {
    first.push(key);
    if (key === 'job-hard') throw new Error('not now');
    return 'settled';
  });
  await vi.waitFor(async () => expect(await keysOf('jobs')).toEqual(['job-hard']));
  await vi.waitFor(async () => expect(await readCheckpoint(postgres.db, 'reactor.jobs')).toBe(await store.tail()));
  await stopFirst();
  expect(first.filter((key) => key === 'job-easy')).toHaveLength(1);

  const second: string[] = [];
  const stopSecond = run('b', async (key) => {
    second.push(key);
    return 'settled';
  });
  await append('new');
  await vi.waitFor(() => expect(second.toSorted()).toEqual(['job-hard', 'job-new']), { timeout: 8000 });
  await vi.waitFor(async () => expect(await keysOf('jobs')).toEqual([]));
  await stopSecond();
});

describe('work rows', () => {
  const at = (ms: number) => new Date(1_000_000 + ms);
  const rowsUnder = async (reactor: string, epoch: bigint) => {
    const { db } = postgres;
    const fence = { checkpoint: reactor, epoch };
    await claimCheckpoint({ db, store: createMemoryStore(), log, name: reactor, epoch, drop: async () => {} });
    return workRows(db, reactor, fence);
  };

  test('are due in order, once per key, for one reactor', async () => {
    const rows = await rowsUnder('r', 1n);
    await rows.schedule('late', at(300), 0);
    await rows.schedule('soon', at(100), 0);
    await rows.schedule('soon', at(200), 3);
    await (await rowsUnder('another', 1n)).schedule('soon', at(0), 0);
    expect(await rows.due(at(199), 10)).toEqual([]);
    expect(await rows.due(at(200), 10)).toEqual([{ key: 'soon', attempt: 3 }]);
    expect((await rows.due(at(900), 10)).map((row) => row.key)).toEqual(['soon', 'late']);
    expect(await rows.due(at(900), 1)).toHaveLength(1);
    await rows.remove('soon');
    expect((await rows.due(at(900), 10)).map((row) => row.key)).toEqual(['late']);
    expect(await keysOf('another')).toEqual(['soon']);
  });

  test('are changed by the holder of the lease only', async () => {
    const former = await rowsUnder('fenced', 1n);
    await former.schedule('a', at(0), 0);
    const present = await rowsUnder('fenced', 2n);
    await present.schedule('a', at(100), 4);
    await former.remove('a');
    await expect(former.schedule('a', at(9_000), 0)).rejects.toThrow(LeaseLost);
    expect(await present.due(at(100), 10)).toEqual([{ key: 'a', attempt: 4 }]);
    await present.remove('a');
    await expect(former.schedule('a', at(9_000), 0)).rejects.toThrow(LeaseLost);
    expect(await keysOf('fenced')).toEqual([]);
  });
});
