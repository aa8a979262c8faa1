import { expect, test } from 'vitest';
import type { EventStore, SubscribeOptions, SubscriptionMessage } from '../eventing/ports.ts';
import { settle } from '../testing/fake-clock.ts';
import { expectOver, setUpSubscription } from './subscription.test-support.ts';

/** A store whose first subscription says nothing any more once it is told to be silent. */
const silenced = (store: EventStore) => {
  let isSilent = false;
  let subscriptions = 0;
  const subscribe = async function* (options: SubscribeOptions): AsyncGenerator<SubscriptionMessage> {
    const isFirst = subscriptions++ === 0;
    for await (const message of store.subscribe(options)) {
      if (isFirst && isSilent) {
        await new Promise<void>((resolve) => options.signal.addEventListener('abort', () => resolve()));
        return;
      }
      yield message;
    }
  };
  return {
    store: { ...store, subscribe },
    silence: () => {
      isSilent = true;
    },
    subscriptions: () => subscriptions,
  };
};

test('a subscription that stands still while its events are there is taken up anew', async () => {
  const world = setUpSubscription();
  const quiet = silenced(world.store);
  const running = world.start(quiet.store);
  await settle();
  quiet.silence();
  await world.append('a1');
  await world.clock.advance(15_000);
  expect(world.resumed()).toBe(1);
  await world.clock.advance(15_100);
  expect(world.resumed()).toBe(2);
  expect(world.batches.flat()).toEqual(['a1']);
  await expectOver(world, running);
});

test('one that has nothing to say is left alone, whatever others append', async () => {
  const world = setUpSubscription();
  const quiet = silenced(world.store);
  await world.append('a1');
  const running = world.start(quiet.store);
  await settle();
  quiet.silence();
  for (let n = 0; n < 6; n++) {
    await world.append(`b${n}`);
    await world.clock.advance(15_000);
  }
  expect(quiet.subscriptions()).toBeGreaterThan(1);
  expect(world.resumed()).toBe(1);
  await expectOver(world, running);
});

test('a store that cannot be asked is not taken for a stalled subscription', async () => {
  const world = setUpSubscription();
  let asked = 0;
  const deaf: EventStore = {
    ...world.store,
    tail: async () => {
      asked++;
      throw new Error('no answer');
    },
  };
  const running = world.start(deaf);
  await world.clock.advance(60_000);
  expect(asked).toBe(4);
  expect(world.resumed()).toBe(1);
  await expectOver(world, running);
});
