import { describe, expect, test } from 'vitest';
import { eventStoreContract, isEvent, newEvent, newEvents, newStream, takeUntil } from './event-store-contract.ts';
import { createMemoryStore } from './memory-store.ts';

describe('as every event store', () =>
  eventStoreContract(async () => ({ store: createMemoryStore(), close: async () => {} })));

test('positions are 1, 2, 3, ..., and time is the given one', async () => {
  const store = createMemoryStore({ now: () => new Date(0) });
  expect(await store.tail()).toBe(0n);
  expect(await store.append('red-1', newEvents(2), 'no-stream')).toEqual({ revision: 1n, position: 2n });
  expect(await store.append('blue-1', newEvents(1), 'no-stream')).toEqual({ revision: 0n, position: 3n });
  for await (const event of store.read('blue-1', { from: 'end', direction: 'backwards', maxCount: 1 })) {
    expect(event.recordedAt).toBe('1970-01-01T00:00:00.000Z');
  }
});

test('refuses data that is not JSON', async () => {
  const store = createMemoryStore();
  await expect(store.append('red-1', [newEvent({ n: 1n })], 'no-stream')).rejects.toThrow(TypeError);
  expect(await store.tail()).toBe(0n);
});

test('a lost connection ends a subscription with an error, and a new one goes on', async () => {
  const store = createMemoryStore();
  const { signal } = new AbortController();
  const subscribe = () => store.subscribe({ prefixes: ['red-'], after: null, signal })[Symbol.asyncIterator]();
  const messages = subscribe();
  await takeUntil(messages, ({ kind }) => kind === 'caughtUp');
  const lost = messages.next();
  store.disconnect();
  await expect(lost).rejects.toThrow('connection lost');
  const event = newEvent();
  await store.append(newStream(), [event], 'no-stream');
  expect(await takeUntil(subscribe(), isEvent(event.id))).toHaveLength(1);
});
