import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createMemoryStore } from '../testing/memory-store.ts';
import { Unavailable } from './errors.ts';
import { add, type CounterCommand, eventsOf, open, openCounters, request } from './test-support.ts';

/** Lets other steps of the same run go first, as often as the generated numbers say. */
const delays = (numbers: readonly number[]) => {
  let next = 0;
  return async () => {
    for (let n = numbers[next++ % numbers.length] ?? 0; n > 0; n--)
      await new Promise((resolve) => setImmediate(resolve));
  };
};

const clock = { now: () => new Date(), sleep: () => new Promise<void>((resolve) => setImmediate(resolve)) };

test('two instances with 100 commands each at once: all are applied exactly once, in whatever order', async () => {
  const waits = fc.array(fc.nat(4), { minLength: 1, maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(waits, waits, async (beforeWaits, afterWaits) => {
      const memory = createMemoryStore();
      const instances = [0, 1].map(() =>
        openCounters(memory, { clock, before: delays(beforeWaits), after: delays(afterWaits) }),
      );
      await instances[0]?.counters.execute('x', open, request('open'));
      const outcomes = await Promise.all(
        instances.flatMap(({ counters }, instance) =>
          Array.from({ length: 100 }, (_, n) => counters.execute('x', add(1), request(`${instance}.${n}`))),
        ),
      );
      const values = outcomes.map(({ state }) => state.value);
      expect(values.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 200 }, (_, n) => n + 1));
      expect(await eventsOf(memory, 'counter-x')).toHaveLength(201);
      for (const { counters } of instances) expect((await counters.fold('x')).state.value).toBe(200);
    }),
    { numRuns: 30 },
  );
});

test('requests that are repeated until they succeed are applied exactly once, whatever the store loses', async () => {
  const losses = fc.array(fc.boolean(), { maxLength: 80 });
  const requests = fc.array(fc.record({ id: fc.nat(12), instance: fc.nat(1) }), { minLength: 1, maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(losses, requests, async (isLost, wanted) => {
      const memory = createMemoryStore();
      const remaining = isLost.values();
      // Before a call takes effect or after it: the caller cannot tell.
      const lose = async () => {
        if (remaining.next().value) throw new Unavailable('EVENT_STORE_UNAVAILABLE', 'lost');
      };
      const instances = [0, 1].map(() => openCounters(memory, { clock, before: lose, after: lose }));
      const persist = async (instance: number, command: CounterCommand, id: string): Promise<void> => {
        for (;;) {
          try {
            await instances[instance]?.counters.execute('x', command, request(id));
            return;
          } catch (error) {
            if (!(error instanceof Unavailable)) throw error;
          }
        }
      };
      await persist(0, open, 'open');
      await Promise.all(wanted.map(({ id, instance }) => persist(instance, add(1), `${id}`)));
      const different = new Set(wanted.map(({ id }) => id)).size;
      expect(await eventsOf(memory, 'counter-x')).toHaveLength(different + 1);
      expect((await openCounters(memory).counters.fold('x')).state.value).toBe(different);
    }),
    { numRuns: 200 },
  );
});
