import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { NewEvent, StoredEvent } from '../eventing/message.ts';
import { createMemoryStore } from '../testing/memory-store.ts';
import { absent, advance, foldAsOf, snapshotOf } from './fold.ts';
import { counter, counterCodec, eventsOf } from './test-support.ts';

const rules = { decider: counter, codec: counterCodec() };
const STREAM = 'counter-x';
const metadata = {
  ...{ $correlationId: '', $causationId: '', accountId: '', actor: 'user:alice', requestId: '', fingerprint: '' },
  producer: 'spec',
};
const MS = Date.parse('2026-01-02T03:04:05.000Z');
const instant = (tick: number): string => new Date(MS + tick).toISOString();

/** What clocks said of each event, in order of the stream, and whether a snapshot follows it. */
const history = fc.array(fc.record({ tick: fc.integer({ min: 0, max: 20 }), snapshot: fc.boolean() }), {
  minLength: 1,
  maxLength: 12,
});

const record = async (ticks: readonly Readonly<{ tick: number; snapshot: boolean }>[]) => {
  const store = createMemoryStore();
  let folded = absent(counter.initial);
  const append = async (stream: string, event: Omit<NewEvent, 'metadata'>, revision: bigint | null) =>
    store.append(stream, [{ ...event, metadata }], revision ?? 'no-stream');
  for (const [index, { tick, snapshot }] of ticks.entries()) {
    // Somebody else's positions lie in between.
    await append(`counter-other${index}`, { id: `o${index}`, type: 'Opened.v1', data: { at: instant(0) } }, null);
    const added = { by: 1, note: '', at: instant(tick) };
    await append(STREAM, { id: `e${index}`, type: 'Added.v1', data: added }, folded.revision);
    const last = (await eventsOf(store, STREAM)).at(-1) as StoredEvent;
    folded = advance(rules, folded, last);
    if (!snapshot) continue;
    await append(STREAM, { id: `s${index}`, type: 'counter.snapshot.v1', data: snapshotOf(folded) }, folded.revision);
    folded = advance(rules, folded, (await eventsOf(store, STREAM)).at(-1) as StoredEvent);
  }
  return store;
};

test('a fold as of a position or a time is that of the events up to there, by a clock that only goes forwards', async () => {
  await fc.assert(
    fc.asyncProperty(history, fc.integer({ min: -1, max: 21 }), async (ticks, asked) => {
      const store = await record(ticks);
      const events = await eventsOf(store, STREAM);
      for (let position = 0n; position <= (await store.tail()); position++) {
        const upTo = events.filter((event) => event.position <= position);
        const wanted = upTo.reduce((folded, event) => advance(rules, folded, event), absent(counter.initial));
        expect(await foldAsOf(store, STREAM, rules, { position })).toEqual(wanted);
      }
      let latest = -1;
      const counted = ticks.filter(({ tick }) => {
        latest = Math.max(latest, tick);
        return latest <= asked;
      });
      const { state, revision } = await foldAsOf(store, STREAM, rules, { time: instant(asked) });
      expect(state.value).toBe(counted.length);
      expect(revision === null).toBe(counted.length === 0);
    }),
    { numRuns: 60 },
  );
});

test('a fold as of a moment reads as many pages as it takes', async () => {
  const store = createMemoryStore();
  const events = Array.from({ length: 2_500 }, (_, n) => ({
    ...{ id: `e${n}`, type: 'Added.v1', metadata },
    data: { by: 1, note: '', at: instant(n) },
  }));
  await store.append(STREAM, events, 'no-stream');
  for (const count of [1_023, 1_024, 1_025, 2_048, 2_500]) {
    expect((await foldAsOf(store, STREAM, rules, { position: BigInt(count) })).state.value).toBe(count);
    expect((await foldAsOf(store, STREAM, rules, { time: instant(count - 1) })).state.value).toBe(count);
  }
});
