import { EndpointNames, Fact } from '@privatelink/proto/events/v1/fact';
import { expect, test } from 'vitest';
import {
  add,
  type Counter,
  counter,
  counterCodec,
  eventsOf,
  open,
  openCounters,
  request,
} from '../app/test-support.ts';
import { factReader } from '../facts/fact-reader.ts';
import { createMemoryStore, type MemoryStore } from '../testing/memory-store.ts';
import { factAnnouncer } from './fact-announcements.ts';

const translator = (store: MemoryStore) =>
  factAnnouncer(
    factReader(
      store,
      { decider: counter, codec: counterCodec() },
      {
        service: 'spec',
        entity: 'counter',
        accountOf: () => '1000000000000001',
        resourceOf: ({ value }: Counter, revision) => ({
          $case: 'endpointNames',
          value: EndpointNames.fromPartial({ endpointId: `${value}@${revision}` }),
        }),
      },
    )(),
  );

const counting = (store: MemoryStore) => {
  let reads = 0;
  const read: MemoryStore['read'] = (...args) => {
    reads++;
    return store.read(...args);
  };
  return { store: { ...store, read }, reads: () => reads };
};

const setUp = async (adds: number) => {
  const memory = createMemoryStore();
  const { counters } = openCounters(memory);
  await counters.execute('a', open, request('open'));
  for (let n = 0; n < adds; n++) await counters.execute('a', add(1), request(`${n}`));
  return { memory, events: await eventsOf(memory, 'counter-a') };
};

const shownIn = (announcements: readonly { body: Uint8Array }[]) =>
  announcements.map(({ body }) => {
    const { resource } = Fact.decode(body);
    return resource?.$case === 'endpointNames' ? resource.value.endpointId : null;
  });

test('each event leaves as a fact with the whole state after it', async () => {
  const { memory, events } = await setUp(2);
  const { store, reads } = counting(memory);
  const translate = translator(store);
  const [, first, second] = events;
  const told = [];
  for (const event of events) told.push(...(await translate(event)));
  expect(told.map(({ subject }) => subject)).toEqual([
    'privatelink.v1.1000000000000001.counter.a.opened',
    'evt.spec.v1.counter.opened.1000000000000001',
    'privatelink.v1.1000000000000001.counter.a.added',
    'evt.spec.v1.counter.added.1000000000000001',
    'privatelink.v1.1000000000000001.counter.a.added',
    'evt.spec.v1.counter.added.1000000000000001',
  ]);
  expect(shownIn(told)).toEqual(['0@0', '0@0', '1@1', '1@1', '2@2', '2@2']);
  expect(Fact.decode(told[5]?.body ?? new Uint8Array())).toMatchObject({
    eventId: second?.id,
    type: 'Added',
    sourceStream: 'counter-a',
    sourceRevision: 2n,
    position: 3n,
    correlationId: 'correlation-1',
    causationId: 'cause-1',
    actor: 'user:alice',
  });
  expect(first?.position).toBe(2n);
  // A stream that is followed from its first event on is never read.
  expect(reads()).toBe(0);
});

test('begins anywhere, and tells the same when an event comes again', async () => {
  const { memory, events } = await setUp(3);
  const [, first, second, third] = events;
  const translate = translator(memory);
  const told = [];
  for (const event of [second, third, first, second, third]) if (event) told.push(...(await translate(event)));
  const wanted = ['2@2', '3@3', '1@1', '2@2', '3@3'];
  expect(shownIn(told)).toEqual(wanted.flatMap((shown) => [shown, shown]));
});

test('a snapshot is nobody’s concern, and what follows it is right', async () => {
  const { memory, events } = await setUp(505);
  const from = events.findIndex(({ type }) => type.includes('snapshot'));
  expect(from).toBe(501);
  for (const begin of [from - 1, from, from + 1]) {
    const translate = translator(memory);
    const told = [];
    for (const event of events.slice(begin, from + 3)) told.push(...(await translate(event)));
    expect(shownIn(told).at(-1)).toBe('502@503');
    expect(told).toHaveLength(2 * (from + 3 - begin - (begin <= from ? 1 : 0)));
  }
});
