import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Clock } from '../eventing/ports.ts';
import { systemClock } from '../runtime/clock.ts';
import { createMemoryStore } from '../testing/memory-store.ts';
import { type PostgresServer, startPostgres } from '../testing/servers.ts';
import { claimCheckpoint, moveCheckpoint, NOWHERE, readCheckpoint } from './checkpoint.ts';
import { connectPostgres, type Postgres } from './connect.ts';
import { holdLease, type Lease, LeaseLost, seizeLease } from './lease.ts';

const log = pino({ level: 'silent' });
let server: PostgresServer;
let first: Postgres;
let second: Postgres;

beforeAll(async () => {
  server = await startPostgres();
  // At once, as two replicas start.
  [first, second] = (await Promise.all(
    [1, 2].map(() => connectPostgres({ url: server.url, schema: 'lease_spec', poolMax: 5, log })),
  )) as [Postgres, Postgres];
});
afterAll(async () => {
  await Promise.all([first?.close(), second?.close()]);
  await server?.stop();
});

const hold = (postgres: Postgres, name: string, holder: string) => {
  const stop = new AbortController();
  const lives: Lease[] = [];
  let asked = 0;
  /** Who sleeps has asked and been refused, or holds it. */
  const clock: Clock = {
    ...systemClock,
    sleep: (ms, signal) => {
      asked++;
      return systemClock.sleep(ms, signal);
    },
  };
  const options = { db: postgres.db, name, holder, clock, log, signal: stop.signal };
  const done = holdLease(options, async (lease) => {
    lives.push(lease);
    await new Promise<void>((resolve) => lease.signal.addEventListener('abort', () => resolve()));
  });
  return {
    lives,
    hasAsked: (times: number) => vi.waitFor(() => expect(asked).toBeGreaterThanOrEqual(times), { timeout: 30_000 }),
    stop: async () => {
      stop.abort();
      await done;
    },
  };
};

describe('lease', () => {
  test('one of two holds it, and the other takes over soon after a clean stop, with a higher epoch', async () => {
    const a = hold(first, 'clean', 'a');
    await vi.waitFor(() => expect(a.lives).toHaveLength(1));
    const b = hold(second, 'clean', 'b');
    await b.hasAsked(2);
    expect(b.lives).toHaveLength(0);
    await a.stop();
    await vi.waitFor(() => expect(b.lives).toHaveLength(1), { timeout: 1900 });
    expect(b.lives[0]?.epoch).toBeGreaterThan(a.lives[0]?.epoch ?? 0n);
    await b.stop();
  });

  test('who is told to stop while asking for it does not begin, and leaves it to others', async () => {
    const a = hold(first, 'interrupted', 'a');
    await a.stop();
    expect(a.lives).toEqual([]);
    const b = hold(second, 'interrupted', 'b');
    await vi.waitFor(() => expect(b.lives).toHaveLength(1), { timeout: 900 });
    await b.stop();
  });

  test('it is renewed for longer than it lasts', async () => {
    const a = hold(first, 'renewed', 'a');
    await vi.waitFor(() => expect(a.lives).toHaveLength(1));
    const b = hold(second, 'renewed', 'b');
    // A second passes between two askings, and a lease that is not renewed lasts four.
    await b.hasAsked(6);
    expect(a.lives).toHaveLength(1);
    expect(a.lives[0]?.signal.aborted).toBe(false);
    expect(b.lives).toHaveLength(0);
    await Promise.all([a.stop(), b.stop()]);
  });

  test('a holder that cannot renew loses it after four seconds, and another takes over', async () => {
    const cut = await connectPostgres({ url: server.url, schema: 'lease_spec', poolMax: 5, log });
    const a = hold(cut, 'expired', 'a');
    await vi.waitFor(() => expect(a.lives).toHaveLength(1));
    const b = hold(second, 'expired', 'b');
    await cut.close();
    await vi.waitFor(() => expect(a.lives[0]?.signal.aborted).toBe(true), { timeout: 6000 });
    await vi.waitFor(() => expect(b.lives).toHaveLength(1), { timeout: 3000 });
    await Promise.all([a.stop(), b.stop()]);
  });

  test('a seized lease is noticed by its holder within a renewal', async () => {
    const a = hold(first, 'seized', 'a');
    await vi.waitFor(() => expect(a.lives).toHaveLength(1));
    await seizeLease({ db: second.db, name: 'seized', holder: 'b' });
    await vi.waitFor(() => expect(a.lives[0]?.signal.aborted).toBe(true), { timeout: 2500 });
    await a.stop();
  });

  test('an error of the work releases the lease and is thrown on', async () => {
    const options = { db: first.db, name: 'failing', clock: systemClock, log, signal: new AbortController().signal };
    const failing = holdLease({ ...options, holder: 'a' }, () => Promise.reject(new Error('a bug')));
    await expect(failing).rejects.toThrow('a bug');
    const b = hold(second, 'failing', 'b');
    await vi.waitFor(() => expect(b.lives).toHaveLength(1), { timeout: 900 });
    await b.stop();
  });
});

describe('checkpoint', () => {
  const store = createMemoryStore();
  const claim = (db: Postgres['db'], name: string, epoch: bigint) =>
    claimCheckpoint({ db, store, log, name, epoch, drop: async () => undefined });

  test('an old epoch can neither move nor claim what a later one has', async () => {
    const name = 'fenced';
    expect(await claim(first.db, name, 1n)).toBe(NOWHERE);
    await moveCheckpoint(first.db, { name, from: NOWHERE, to: 1n, epoch: 1n });
    expect(await claim(second.db, name, 2n)).toBe(1n);
    await expect(moveCheckpoint(first.db, { name, from: 1n, to: 2n, epoch: 1n })).rejects.toThrow(LeaseLost);
    await expect(claim(first.db, name, 1n)).rejects.toThrow(LeaseLost);
    await moveCheckpoint(second.db, { name, from: 1n, to: 3n, epoch: 2n });
    expect(await readCheckpoint(first.db, name)).toBe(3n);
  });

  test('it is not moved from where it is not', async () => {
    const name = 'guarded';
    await claim(first.db, name, 1n);
    await expect(moveCheckpoint(first.db, { name, from: 7n, to: 8n, epoch: 1n })).rejects.toThrow(LeaseLost);
    expect(await readCheckpoint(first.db, name)).toBeNull();
  });
});

describe('connect', () => {
  test('an unreachable server gives one line without the password', async () => {
    const url = 'postgres://someone:secret@127.0.0.1:1/nowhere';
    const error = await connectPostgres({ url, schema: 's', poolMax: 1, log, waitMs: 300 }).catch((e: Error) => e);
    expect(error).toBeInstanceOf(Error);
    expect((error as Error).message).toMatch(/^PostgreSQL at 127\.0\.0\.1:1\/nowhere cannot be used: .*ECONNREFUSED/);
    expect((error as Error).message).not.toMatch(/secret|\n/);
  });

  test('a missing database is told at once', async () => {
    const url = server.url.replace(/\/\w+$/, '/missing');
    const startedAt = Date.now();
    await expect(connectPostgres({ url, schema: 's', poolMax: 1, log })).rejects.toThrow(/"missing" does not exist/);
    expect(Date.now() - startedAt).toBeLessThan(5000);
  });
});
