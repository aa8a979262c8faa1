import { sql } from 'kysely';
import { pino } from 'pino';
import { describe, expect, test, vi } from 'vitest';
import { Unavailable } from '../app/errors.ts';
import type { EventStore } from '../eventing/ports.ts';
import { systemClock } from '../runtime/clock.ts';
import { createMemoryStore } from '../testing/memory-store.ts';
import { seizeLease } from './lease.ts';
import { ensureReadModel } from './read-model.ts';
import { readPosition } from './read-position.ts';
import { leaseOf } from './run-read-model.ts';
import {
  all,
  append,
  broken,
  connect,
  defineLamps,
  dimmed,
  lamps,
  lit,
  postgres,
  reached,
  run,
  shown,
  stops,
  store,
} from './test-support.ts';

/** Delivers each event twice, and the whole past again after each event. */
const repeating = (of: EventStore): EventStore => ({
  ...of,
  subscribe: async function* (options) {
    for await (const message of of.subscribe(options)) {
      yield message;
      yield message;
      if (message.kind === 'event') {
        for await (const event of of.read(message.event.stream, {
          from: 'start',
          direction: 'forwards',
          maxCount: 9,
        })) {
          if (event.revision < message.event.revision) yield { kind: 'event', event };
        }
      }
    }
  },
});

describe('runReadModel', () => {
  test('projects what is there and what comes, with position, revision and time of the last event', async () => {
    await append(store, 'lamp-a', lit('red'), dimmed(30));
    const { end } = run();
    await reached(2n);
    const second = await append(store, 'lamp-b', lit('blue'));
    await append(store, 'other-x', lit('none'));
    const last = await append(store, 'lamp-a', dimmed(60));
    await reached(last);
    const rows = await all();
    expect(rows.map(({ key, state, position, revision }) => ({ key, state, position, revision }))).toEqual([
      { key: 'a', state: { colour: 'red', level: 10, changes: 3 }, position: last, revision: 2n },
      { key: 'b', state: { colour: 'blue', level: 100, changes: 1 }, position: second, revision: 0n },
    ]);
    expect(rows[0]?.updatedAt).toBeInstanceOf(Date);
    await end();
    expect(await readPosition(postgres.db, lamps)).toBe(last);
  });

  test('events delivered again change nothing, also those of a deleted row', async () => {
    await append(store, 'lamp-a', lit('red'), dimmed(30), broken);
    await append(store, 'lamp-b', lit('red'), dimmed(30));
    run({ of: repeating(store) });
    await reached(5n);
    await append(store, 'lamp-a', lit('green'));
    await reached(await append(store, 'lamp-b', dimmed(5)));
    expect(await shown()).toEqual({
      a: { colour: 'green', level: 100, changes: 1 },
      b: { colour: 'red', level: 65, changes: 3 },
    });
  });

  test('a deleted row stays deleted after a restart', async () => {
    await append(store, 'lamp-a', lit('red'), dimmed(30));
    const { end } = run();
    await reached(2n);
    await reached(await append(store, 'lamp-a', broken));
    expect(await shown()).toEqual({});
    await end();
    run();
    await reached(await append(store, 'lamp-b', lit('blue')));
    expect(Object.keys(await shown())).toEqual(['b']);
  });

  test('rows and checkpoint commit together: a throw in the middle leaves neither', async () => {
    let trouble = 3;
    const failing = defineLamps((lamp, event) => {
      if (event.meta.stream === 'lamp-b' && trouble-- > 0) throw new Error('in the middle');
      return lamps.evolve(lamp, event);
    });
    const seen: unknown[] = [];
    const watched = pino({ level: 'warn' }, { write: (line: string) => seen.push(line) });
    let taken = 0;
    const counting: EventStore = {
      ...store,
      subscribe: async function* (options) {
        for await (const message of store.subscribe(options)) {
          yield message;
          if (message.kind === 'event') taken++;
        }
      },
    };
    run({ model: failing, log: watched, of: counting });
    await reached(await append(store, 'lamp-first', lit('white')));
    let dimmedAt = 0n;
    // While the checkpoint is locked by us, the next two events gather into one batch behind the one that waits.
    await postgres.db.transaction().execute(async (tx) => {
      await tx.selectFrom('checkpoint').select('name').where('name', '=', lamps.table).forUpdate().execute();
      dimmedAt = await append(store, 'lamp-first', dimmed(1));
      const waiting = sql<{ locks: bigint }>`select count(*) as locks from pg_locks where not granted`;
      await vi.waitFor(async () => expect((await waiting.execute(postgres.db)).rows).toEqual([{ locks: 1n }]));
      await append(store, 'lamp-a', lit('red'));
      await append(store, 'lamp-b', lit('blue'));
      await vi.waitFor(() => expect(taken).toBe(4));
    });
    await vi.waitFor(() => expect(seen).toHaveLength(1));
    expect(Object.keys(await shown())).toEqual(['first']);
    expect(await readPosition(postgres.db, lamps)).toBe(dimmedAt);
    await reached(dimmedAt + 2n);
    expect(Object.keys(await shown())).toEqual(['a', 'b', 'first']);
    expect(seen).toHaveLength(3);
  });

  test('a handler that keeps failing ends the process, with nothing committed', async () => {
    await append(store, 'lamp-a', lit('red'));
    const poisoned = defineLamps(() => {
      throw new Error('poison');
    });
    const hasty = { ...systemClock, sleep: (ms: number, signal?: AbortSignal) => systemClock.sleep(ms / 50, signal) };
    await expect(run({ model: poisoned, clock: hasty }).done).rejects.toThrow(/failed 10 times/);
    expect(await all()).toEqual([]);
    expect(await readPosition(postgres.db, lamps)).toBeNull();
  });

  test('the checkpoint follows events of others, and a token is passed by them too', async () => {
    run();
    await reached(await append(store, 'lamp-a', lit('red')));
    let last = 0n;
    for (let i = 0; i < 20; i++) last = await append(store, `other-${i}`, lit('none'));
    await reached(last, 5000);
    expect(await readPosition(postgres.db, lamps)).toBe(last);
  });

  test('a position that is not reached in time is READ_MODEL_BEHIND', async () => {
    await ensureReadModel(postgres.db, lamps);
    const error = await reached(99n, 60).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(Unavailable);
    expect((error as Unavailable).reason).toBe('READ_MODEL_BEHIND');
  });

  test('a lost connection to the store is resumed', async () => {
    await append(store, 'lamp-a', lit('red'));
    run();
    await reached(1n);
    store.disconnect();
    await reached(await append(store, 'lamp-a', dimmed(1)));
    expect(await shown()).toEqual({ a: { colour: 'red', level: 99, changes: 2 } });
  });

  test('another store is projected from its first event', async () => {
    await append(store, 'lamp-old', lit('red'), dimmed(1), dimmed(1), dimmed(1));
    const { end } = run();
    await reached(4n);
    await end();
    const other = createMemoryStore();
    await append(other, 'lamp-new', lit('blue'));
    const lines: string[] = [];
    const watched = pino({ level: 'warn' }, { write: (line: string) => lines.push(line) });
    run({ of: other, log: watched });
    await vi.waitFor(async () => expect(Object.keys(await shown())).toEqual(['new']));
    expect(lines.filter((line) => line.includes('beginning again at the first event'))).toHaveLength(1);
  });

  test('a checkpoint beyond the end of the store begins again at the first event', async () => {
    await append(store, 'lamp-a', lit('red'));
    const { end } = run();
    await reached(await store.tail());
    await end();
    await postgres.db.updateTable('checkpoint').set({ position: 999n }).where('name', '=', lamps.table).execute();
    await append(store, 'lamp-b', lit('blue'));
    run();
    await vi.waitFor(async () => expect(Object.keys(await shown())).toEqual(['a', 'b']));
    expect(await readPosition(postgres.db, lamps)).toBe(await store.tail());
  });

  test('two replicas: one projects, the other takes over, nothing is applied twice', async () => {
    const replica = await connect();
    stops.push(replica.close);
    const a = run({ holder: 'a' });
    run({ holder: 'b', from: replica });
    for (let i = 0; i < 30; i++) await append(store, `lamp-${i % 3}`, i < 3 ? lit('red') : dimmed(1));
    await reached(30n);
    await a.end();
    for (let i = 0; i < 30; i++) await append(store, `lamp-${i % 3}`, dimmed(1));
    await reached(60n, 10_000, replica.db);
    expect(Object.values(await shown()).map(({ level, changes }) => ({ level, changes }))).toEqual(
      [1, 2, 3].map(() => ({ level: 81, changes: 20 })),
    );
  });

  test('a holder whose lease was seized cannot commit and gives up its turn', async () => {
    run();
    await reached(await append(store, 'lamp-a', lit('red')));
    const epoch = await seizeLease({ db: postgres.db, name: leaseOf(lamps), holder: 'thief' });
    await postgres.db.updateTable('checkpoint').set({ epoch }).where('name', '=', lamps.table).execute();
    const position = await append(store, 'lamp-a', dimmed(1));
    await expect(reached(position, 800)).rejects.toThrow(Unavailable);
    expect(await shown()).toEqual({ a: { colour: 'red', level: 100, changes: 1 } });
    // The thief never renews: the first holder has it back, under a new epoch.
    await reached(position);
    expect(await shown()).toEqual({ a: { colour: 'red', level: 99, changes: 2 } });
  });
});
