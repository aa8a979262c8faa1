import { expect, test } from 'vitest';
import type { EventStore } from '../eventing/ports.ts';
import { settle } from '../testing/fake-clock.ts';
import { Unavailable } from './errors.ts';
import { expectOver, idsOf, setUpSubscription } from './subscription.test-support.ts';

test('messages that come while the handler works are handled together', async () => {
  const works: PromiseWithResolvers<void>[] = [];
  const world = setUpSubscription({
    handle: async (messages) => {
      world.batches.push(idsOf(messages));
      const work = Promise.withResolvers<void>();
      works.push(work);
      await work.promise;
    },
  });
  const running = world.start();
  await settle();
  await world.append('a1');
  await world.append('a2', 'a3', 'b1');
  await settle();
  expect(world.batches).toEqual([[]]);
  works[0]?.resolve();
  await settle();
  expect(world.batches).toEqual([[], ['a1', 'a2', 'a3']]);
  works[1]?.resolve();
  await settle();
  await world.append('a4');
  await settle();
  expect(world.batches.at(-1)).toEqual(['a4']);
  works.at(-1)?.resolve();
  await settle();
  await expectOver(world, running);
});

test('with a linger, messages wait for those that come within it, and are handled together', async () => {
  const world = setUpSubscription({ lingerMs: 10 });
  const running = world.start();
  await settle();
  await world.clock.advance(10);
  world.batches.length = 0;
  await world.append('a1');
  await settle();
  await world.clock.advance(9);
  await world.append('a2');
  await settle();
  expect(world.batches).toEqual([]);
  await world.clock.advance(1);
  expect(world.batches).toEqual([['a1', 'a2']]);
  await expectOver(world, running);
});

test('where they come in numbers it lingers on, for a while', async () => {
  const world = setUpSubscription({ lingerMs: 10 });
  const running = world.start();
  await settle();
  await world.clock.advance(10);
  world.batches.length = 0;
  const names: string[] = [];
  for (let tick = 1; tick <= 10; tick++) {
    const some = ['a', 'b', 'c', 'd', 'e'].map((name) => `a${name}${tick}`);
    await world.append(...some);
    names.push(...some);
    await settle();
    expect(world.batches).toEqual([]);
    await world.clock.advance(10);
  }
  expect(world.batches).toEqual([names]);
  await expectOver(world, running);
});

test('after a lost connection it goes on after what was handled', async () => {
  const world = setUpSubscription();
  await world.append('a1', 'a2');
  const running = world.start();
  await settle();
  world.store.disconnect();
  await world.append('a3');
  await settle();
  expect(world.resumed()).toBe(1);
  await world.clock.advance(50);
  expect(world.resumed()).toBe(2);
  expect(world.batches.flat()).toEqual(['a1', 'a2', 'a3']);
  await expectOver(world, running);
});

test('connections that are lost again and again never end it, and are taken up ever later', async () => {
  const at: number[] = [];
  const world = setUpSubscription({
    resumeAfter: async () => {
      at.push(world.clock.now().getTime());
      throw new Error('no connection');
    },
  });
  const running = world.start();
  await world.clock.advance(60_000);
  const waits = at.slice(1).map((time, n) => time - (at[n] ?? 0));
  expect(waits.slice(0, 9)).toEqual([50, 100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000]);
  expect(waits.at(-1)).toBe(10_000);
  await expectOver(world, running);
});

test('a handler that keeps failing ends it', async () => {
  const world = setUpSubscription({
    handle: async () => {
      throw new Error('cannot');
    },
  });
  await world.append('a1');
  const running = world.start();
  const failed = expect(running).rejects.toMatchObject({
    message: 'subscription spec failed 3 times',
    cause: { cause: { message: 'cannot' } },
  });
  await world.clock.advance(1_000);
  await failed;
  expect(world.resumed()).toBe(3);
  expect(world.clock.sleeping()).toBe(0);
});

test('also when what precedes its trouble is handled well each time', async () => {
  const world = setUpSubscription({
    resumeAfter: async () => null,
    handle: async (messages) => {
      // As if they came one by one.
      await world.handle(messages);
      if (idsOf(messages).includes('a2')) throw new Error('cannot');
    },
  });
  const oneByOne: EventStore = {
    ...world.store,
    subscribe: async function* (options) {
      for await (const message of world.store.subscribe(options)) {
        yield message;
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
  };
  await world.append('a1', 'a2');
  const failed = expect(world.start(oneByOne)).rejects.toThrow('failed 3 times');
  await world.clock.advance(1_000);
  await failed;
  expect(world.batches).toEqual([['a1'], ['a2'], ['a1'], ['a2'], ['a1'], ['a2']]);
});

test('lost connections and things that do not answer do not count as failures of the handler', async () => {
  let handled = 0;
  const world = setUpSubscription({
    handle: async (messages) => {
      handled++;
      if (handled <= 2 || handled === 9) throw new Error('cannot');
      if (handled <= 8) throw new Unavailable('NATS_UNAVAILABLE', 'no bus');
      await world.handle(messages);
    },
  });
  await world.append('a1');
  const running = world.start();
  // 2 failures, then 6 that do not count, and the third, at which it ends.
  const failed = expect(running).rejects.toThrow('failed 3 times');
  await world.clock.advance(60_000);
  await failed;
  expect(handled).toBe(9);
});

test('failures are forgotten once the handler is over its trouble', async () => {
  let failures = 0;
  const world = setUpSubscription({
    handle: async (messages) => {
      if (messages.some(({ kind }) => kind === 'event') && failures++ % 3 < 2) throw new Error('cannot');
      await world.handle(messages);
    },
  });
  const running = world.start();
  for (const id of ['a1', 'a2', 'a3']) {
    await world.append(id);
    await world.clock.advance(1_000);
  }
  expect(world.batches.flat()).toEqual(['a1', 'a2', 'a3']);
  expect(failures).toBe(9);
  await expectOver(world, running);
});

test('for ever means for ever', async () => {
  let handled = 0;
  const world = setUpSubscription({
    onFailure: 'retry',
    handle: async () => {
      handled++;
      throw new Error('cannot');
    },
  });
  await world.append('a1');
  const running = world.start();
  await world.clock.advance(100_000);
  expect(handled).toBeGreaterThan(10);
  await expectOver(world, running);
});

test('takes from the store only what the handler keeps up with', async () => {
  const work = Promise.withResolvers<void>();
  let taken = 0;
  const world = setUpSubscription({
    handle: async (messages) => {
      await work.promise;
      await world.handle(messages);
    },
  });
  await world.append(...Array.from({ length: 2_000 }, (_, n) => `a${n}`));
  const counting: EventStore = {
    ...world.store,
    subscribe: async function* (options) {
      for await (const message of world.store.subscribe(options)) {
        taken++;
        yield message;
      }
    },
  };
  const running = world.start(counting);
  await world.clock.advance(60_000);
  expect(taken).toBeGreaterThan(200);
  expect(taken).toBeLessThanOrEqual(512);
  // A slow handler is no stalled connection.
  expect(world.resumed()).toBe(1);
  work.resolve();
  await settle();
  expect(world.batches.flat()).toHaveLength(2_000);
  expect(Math.max(...world.batches.map(({ length }) => length))).toBe(256);
  await expectOver(world, running);
});

test.each(['while it waits', 'while it handles', 'while it is full', 'while it waits to try again'])(
  'a stop %s leaves nothing behind',
  async (when) => {
    const work = Promise.withResolvers<void>();
    const world = setUpSubscription({
      handle: async (messages) => {
        if (when === 'while it waits to try again') throw new Error('cannot');
        if (when !== 'while it waits') await work.promise;
        await world.handle(messages);
      },
    });
    let open = 0;
    const watched: EventStore = {
      ...world.store,
      subscribe: async function* (options) {
        open++;
        try {
          yield* world.store.subscribe(options);
        } finally {
          open--;
        }
      },
    };
    await world.append(...Array.from({ length: when === 'while it is full' ? 1_000 : 1 }, (_, n) => `a${n}`));
    const running = world.start(watched);
    await settle();
    const before = world.batches.length;
    world.stopping.abort();
    await settle();
    work.resolve();
    await running;
    expect(open).toBe(0);
    expect(world.clock.sleeping()).toBe(0);
    // Nothing new is begun.
    const isHandling = when === 'while it handles' || when === 'while it is full';
    expect(world.batches).toHaveLength(before + (isHandling ? 1 : 0));
  },
);
