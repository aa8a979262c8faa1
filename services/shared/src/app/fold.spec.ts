import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { UnknownEvent } from '../eventing/codec.ts';
import { createMemoryStore, type MemoryStore } from '../testing/memory-store.ts';
import { absent, advance, catchUp, loadFolded } from './fold.ts';
import { add, type Counter, counter, counterCodec, eventsOf, open, openCounters, request } from './test-support.ts';

const rules = { decider: counter, codec: counterCodec() };
const STREAM = 'counter-x';

/** Creates a counter and adds 1 so many times. */
const fill = async (memory: MemoryStore, count: number, options: Parameters<typeof openCounters>[1] = {}) => {
  const opened = openCounters(memory, options);
  await opened.counters.execute('x', open, request('open'));
  for (let n = 0; n < count; n++) await opened.counters.execute('x', add(1), request(`${n}`));
  return opened;
};

/** They are written after the command is answered. */
const expectSnapshots = (memory: MemoryStore, ...expected: string[]) =>
  vi.waitFor(async () => {
    const snapshots = (await eventsOf(memory, STREAM)).filter(({ type }) => type.includes('snapshot'));
    expect(snapshots.map(({ type, revision }) => `${type}@${revision}`)).toEqual(expected);
  });

describe('snapshots', () => {
  test('are written every 500 events, and a fold reads no further back', async () => {
    const memory = createMemoryStore();
    await fill(memory, 1_250);
    await expectSnapshots(memory, 'counter.snapshot.v1@501', 'counter.snapshot.v1@1002');
    let read = 0;
    const counting: MemoryStore = {
      ...memory,
      read: async function* (...args) {
        for await (const event of memory.read(...args)) {
          read++;
          yield event;
        }
      },
    };
    const folded = await loadFolded(counting, STREAM, rules);
    expect(folded).toMatchObject({ state: { value: 1_250 }, revision: 1_252n, position: 1_253n, snapshotAt: 1_002n });
    expect(read).toBe(251);
  });

  test('name no request of their own and go on with the correlation of what came before', async () => {
    const memory = createMemoryStore();
    await fill(memory, 500);
    await expectSnapshots(memory, 'counter.snapshot.v1@501');
    const events = await eventsOf(memory, STREAM);
    expect(events.at(-1)?.metadata).toMatchObject({
      requestId: '',
      fingerprint: '',
      $correlationId: 'correlation-499',
      $causationId: events.at(-2)?.id,
    });
  });

  test('leave an expected revision valid, since nothing changed', async () => {
    const memory = createMemoryStore();
    const { counters } = await fill(memory, 499);
    const seen = await counters.execute('x', add(1), request('last'));
    await expectSnapshots(memory, 'counter.snapshot.v1@501');
    for (const expectedRevision of [(seen.revision ?? 0n) - 1n, (seen.revision ?? 0n) + 2n]) {
      await expect(counters.execute('x', add(1), request('no'), { expectedRevision })).rejects.toThrow('revision');
    }
    const next = await counters.execute('x', add(1), request('yes'), { expectedRevision: seen.revision ?? 0n });
    expect(next).toMatchObject({ state: { value: 501 }, revision: 502n });
    await expect(
      counters.execute('x', add(1), request('late'), { expectedRevision: seen.revision ?? 0n }),
    ).rejects.toMatchObject({ currentRevision: 502n });
  });

  test('that lose their race are written later', async () => {
    const memory = createMemoryStore();
    const other = openCounters(memory);
    let overtaken = 0;
    const store: MemoryStore = {
      ...memory,
      append: async (stream, events, expected) => {
        if (events[0]?.type.includes('snapshot') && overtaken++ === 0) {
          await other.counters.execute('x', add(1), request('between'));
        }
        return memory.append(stream, events, expected);
      },
    };
    const { counters } = await fill(store, 500);
    await expectSnapshots(memory, 'counter.snapshot.v1@502');
    expect((await counters.execute('x', add(1), request('after'))).state.value).toBe(502);
    expect(overtaken).toBe(1);
  });

  test('that the store refuses do no harm, and are not tried with each command', async () => {
    const memory = createMemoryStore();
    let tried = 0;
    const store: MemoryStore = {
      ...memory,
      append: async (stream, events, expected) => {
        if (events[0]?.type.includes('snapshot')) {
          tried++;
          throw new Error('too large');
        }
        return memory.append(stream, events, expected);
      },
    };
    const { counters } = await fill(store, 1_010);
    expect(tried).toBe(2);
    expect((await counters.fold('x')).state.value).toBe(1_010);
    expect((await loadFolded(memory, STREAM, rules)).state.value).toBe(1_010);
  });

  test('of another version of the state are passed over, and the fold begins before them', async () => {
    const memory = createMemoryStore();
    await fill(memory, 1_100);
    const poison: MemoryStore = {
      ...memory,
      read: async function* (...args) {
        for await (const event of memory.read(...args)) {
          yield event.type.includes('snapshot') ? { ...event, data: { state: 'unreadable' } } : event;
        }
      },
    };
    const newer = openCounters(poison, { stateVersion: 2 });
    expect(await newer.counters.fold('x')).toMatchObject({
      state: { value: 1_100 },
      revision: 1_102n,
      snapshotAt: null,
    });
    await newer.counters.execute('x', add(1), request('newer'));
    await expectSnapshots(memory, 'counter.snapshot.v1@501', 'counter.snapshot.v1@1002', 'counter.snapshot.v2@1104');
    const older = await openCounters(memory).counters.execute('x', add(1), request('older'));
    expect(older.state.value).toBe(1_102);
  });
});

describe('a fold', () => {
  test('of an absent stream is the initial state', async () => {
    expect(await loadFolded(createMemoryStore(), STREAM, rules)).toEqual(absent(counter.initial));
  });

  test('knows what caused the next step', async () => {
    const memory = createMemoryStore();
    await fill(memory, 1);
    const last = (await eventsOf(memory, STREAM)).at(-1);
    expect((await loadFolded(memory, STREAM, rules)).cause).toEqual({
      correlationId: 'correlation-0',
      causationId: last?.id,
    });
  });

  test('stops at a type that nobody knows, and names it', async () => {
    const memory = createMemoryStore();
    await fill(memory, 1);
    const [event] = await eventsOf(memory, STREAM);
    const metadata = event?.metadata as never;
    await memory.append(STREAM, [{ id: 'odd', type: 'Odd.v1', data: {}, metadata }], 1n);
    await expect(loadFolded(memory, STREAM, rules)).rejects.toThrow(UnknownEvent);
    await expect(loadFolded(memory, STREAM, rules)).rejects.toThrow('Odd.v1 at counter-x@2');
  });

  test('equals the naive one at every revision, from wherever it begins', async () => {
    const steps = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(steps, fc.nat(), fc.nat(), async (amounts, one, other) => {
        const memory = createMemoryStore();
        const { counters } = openCounters(memory);
        await counters.execute('x', open, request('open'));
        // Long enough for several snapshots.
        for (const [n, amount] of amounts.entries()) {
          const burst = Array.from({ length: 60 }, (_, k) => counters.execute('x', add(amount), request(`${n}.${k}`)));
          await Promise.all(burst);
        }
        const events = await eventsOf(memory, STREAM);
        const naive = (upTo: bigint): Counter =>
          events
            .filter(({ revision, type }) => revision <= upTo && !type.includes('snapshot'))
            .reduce((state, event) => counter.evolve(state, rules.codec.decode(event)), counter.initial);
        const [from, upTo] = [one, other].map((n) => BigInt(n % events.length)).toSorted((a, b) => Number(a - b));
        const early = await loadFolded(memory, STREAM, rules, from);
        expect(early.state).toEqual(naive(from ?? 0n));
        expect(early.revision).toBe(from);
        const stepped = events
          .slice(Number(from) + 1, Number(upTo) + 1)
          .reduce((folded, event) => advance(rules, folded, event), early);
        expect(stepped).toEqual(await loadFolded(memory, STREAM, rules, upTo));
        expect(await catchUp(memory, STREAM, rules, early)).toEqual(await loadFolded(memory, STREAM, rules));
      }),
      { numRuns: 25 },
    );
  });

  test('that is not of this stream any more begins anew', async () => {
    const memory = createMemoryStore();
    await fill(memory, 3);
    const known = await loadFolded(memory, STREAM, rules);
    const elsewhere = createMemoryStore();
    await fill(elsewhere, 1);
    const now = await catchUp(elsewhere, STREAM, rules, known);
    expect(now).toMatchObject({ state: { value: 1 }, revision: 1n });
    expect(
      await catchUp(memory, STREAM, rules, { ...now, cause: { correlationId: '', causationId: 'of elsewhere' } }),
    ).toEqual(known);
  });
});
