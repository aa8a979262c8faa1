import { expect, test } from 'vitest';
import type { EventStore } from '../eventing/ports.ts';
import { settle } from '../testing/fake-clock.ts';
import { setUpReactor } from './reactor.test-support.ts';
import type { WorkResult } from './run-reactor.ts';

test('looks at what an event names, and then moves the checkpoint', async () => {
  const looked: string[] = [];
  const { clock, saved, append, start } = setUpReactor(async (key) => {
    looked.push(key);
    return 'settled';
  });
  await append('a');
  await append('b');
  start();
  await clock.advance(250);
  expect(looked).toEqual(['a', 'b']);
  expect(saved.at(-1)).toBe(2n);
});

test('an event during the work makes it look again, once, and holds the checkpoint', async () => {
  const works: PromiseWithResolvers<WorkResult>[] = [];
  const { clock, saved, append, start } = setUpReactor(() => {
    const work = Promise.withResolvers<WorkResult>();
    works.push(work);
    return work.promise;
  });
  start();
  await append('other');
  await settle();
  works[0]?.resolve('settled');
  await append('a');
  await settle();
  await append('a');
  await append('a');
  await clock.advance(1_000);
  expect(works).toHaveLength(2);
  expect(saved).toEqual([1n]);
  works[1]?.resolve('settled');
  await clock.advance(1_000);
  expect(works).toHaveLength(3);
  expect(saved).toEqual([1n]);
  works[2]?.resolve('settled');
  await clock.advance(1_000);
  expect(works).toHaveLength(3);
  expect(saved).toEqual([1n, 4n]);
});

test('failed work is written down and repeated ever later, while other keys go on', async () => {
  const tried: number[] = [];
  let others = 0;
  let failing = true;
  const { clock, rows, saved, append, start } = setUpReactor(async (key) => {
    if (key !== 'bad') others++;
    else {
      tried.push(clock.now().getTime());
      if (failing) throw new Error('not now');
    }
    return 'settled';
  });
  await append('bad');
  start();
  await clock.advance(6_000);
  expect(rows.get('bad')?.attempt).toBe(tried.length);
  const waits = tried.slice(1).map((at, n) => at - (tried[n] ?? 0));
  // 100, 200, 400, ... and then the next look at the rows.
  expect(waits).toEqual([250, 250, 500, 1_000, 1_750]);
  expect(saved).toEqual([1n]);
  await append('good');
  await clock.advance(250);
  expect(others).toBe(1);
  expect(saved).toEqual([1n, 2n]);
  failing = false;
  await clock.advance(10_000);
  expect(rows.size).toBe(0);
});

test('never waits longer than half a minute', async () => {
  const { clock, rows, append, start } = setUpReactor(async () => {
    throw new Error('never');
  });
  await append('a');
  start();
  await clock.advance(300_000);
  const { due, attempt } = rows.get('a') ?? { due: new Date(0), attempt: 0 };
  expect(attempt).toBeGreaterThan(9);
  expect(due.getTime() - clock.now().getTime()).toBeLessThanOrEqual(30_000);
});

test('an event on a key that waits is looked at at once', async () => {
  let tried = 0;
  const { clock, rows, append, start } = setUpReactor(async () => {
    if (++tried < 5) throw new Error('not now');
    return 'settled';
  });
  await append('a');
  start();
  await clock.advance(1_200);
  expect(tried).toBe(4);
  await append('a');
  await settle();
  expect(tried).toBe(5);
  // Its row may make it look once more, and then is gone.
  await clock.advance(2_000);
  expect(tried).toBe(6);
  expect(rows.size).toBe(0);
});

test('an event during work that fails has it repeated soon, not at once and not late', async () => {
  let tried = 0;
  const { clock, rows, append, start } = setUpReactor(async () => {
    // Work that leaves an event behind each time must not turn in circles.
    if (++tried < 8) await append('a');
    await new Promise((resolve) => setImmediate(resolve));
    throw new Error('not now');
  });
  await append('a');
  start();
  await clock.advance(249);
  expect(tried).toBe(1);
  await clock.advance(1_500);
  expect(tried).toBe(7);
  expect(rows.get('a')?.attempt).toBe(1);
});

test('work that asks for it is looked at again after its time', async () => {
  const at: number[] = [];
  const { clock, rows, saved, append, start } = setUpReactor(async () => {
    at.push(clock.now().getTime());
    return at.length < 3 ? { againMs: 10_000 } : 'settled';
  });
  await append('a');
  start();
  await clock.advance(9_900);
  expect(at).toEqual([0]);
  expect(saved).toEqual([1n]);
  expect(rows.get('a')).toEqual({ due: new Date(10_000), attempt: 0 });
  await clock.advance(20_000);
  expect(at).toEqual([0, 10_000, 20_000]);
  expect(rows.size).toBe(0);
});

test('at most 64 at a time, and one at a time for a key', async () => {
  const running = new Map<string, number>();
  let most = 0;
  const { clock, append, start } = setUpReactor(async (key) => {
    running.set(key, (running.get(key) ?? 0) + 1);
    most = Math.max(most, running.size);
    expect(running.get(key)).toBe(1);
    await clock.sleep(100);
    running.delete(key);
    return 'settled';
  });
  for (let round = 0; round < 2; round++) for (let n = 0; n < 100; n++) await append(`${n}`);
  start();
  await clock.advance(1_000);
  expect(most).toBe(64);
  expect(running.size).toBe(0);
});

test('takes in only so much as it can remember', async () => {
  const held = Promise.withResolvers<WorkResult>();
  const { store, clock, saved, append, start } = setUpReactor(() => held.promise);
  let taken = 0;
  const counting: EventStore = {
    ...store,
    subscribe: async function* (options) {
      for await (const message of store.subscribe(options)) {
        if (message.kind === 'event') taken++;
        yield message;
      }
    },
  };
  for (let n = 0; n < 6_000; n++) await append(`${n}`);
  start({ store: counting });
  await clock.advance(2_000);
  expect(taken).toBeGreaterThan(4_096);
  expect(taken).toBeLessThan(4_096 + 3 * 256);
  held.resolve('settled');
  await clock.advance(2_000);
  expect(saved.at(-1)).toBe(6_000n);
});

test('after a lost connection nothing is looked at twice', async () => {
  const looked: string[] = [];
  const { store, clock, append, start } = setUpReactor(async (key) => {
    looked.push(key);
    return 'settled';
  });
  await append('a');
  start();
  await clock.advance(500);
  store.disconnect();
  await append('b');
  await clock.advance(500);
  expect(looked).toEqual(['a', 'b']);
});

test('an event while the row of settled work is removed is looked at', async () => {
  const removal = Promise.withResolvers<void>();
  let tried = 0;
  const { clock, rows, saved, append, start } = setUpReactor(async () => {
    if (++tried === 1) throw new Error('not now');
    return 'settled';
  });
  await append('a');
  start({
    rows: {
      remove: async (key) => {
        await removal.promise;
        rows.delete(key);
      },
    },
  });
  await clock.advance(250);
  expect(tried).toBe(2);
  await append('a');
  await clock.advance(1_000);
  expect(tried).toBe(2);
  expect(saved.at(-1)).toBe(1n);
  removal.resolve();
  await clock.advance(1_000);
  expect(tried).toBe(3);
  expect(saved.at(-1)).toBe(2n);
});

test('an event is looked at in whatever moment of the end of earlier work it comes', async () => {
  for (let turns = 0; turns < 40; turns++) {
    const first = Promise.withResolvers<WorkResult>();
    let works = 0;
    const { clock, saved, append, start } = setUpReactor(async () => (++works === 1 ? first.promise : 'settled'));
    start();
    await append('a');
    await settle();
    first.resolve('settled');
    for (let turn = 0; turn < turns; turn++) await null;
    await append('a');
    await clock.advance(1_000);
    expect([turns, works, saved.at(-1)]).toEqual([turns, 2, 2n]);
  }
});
