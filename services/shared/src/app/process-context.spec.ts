import { expect, test } from 'vitest';
import { createMemoryStore } from '../testing/memory-store.ts';
import { absent } from './fold.ts';
import { processContext } from './process-context.ts';
import { add, counter, eventsOf, open, openCounters, reach, request } from './test-support.ts';

const now = new Date(1_000_000);

test('a process goes on with the correlation of what it follows from, which is its cause', async () => {
  const memory = createMemoryStore();
  const { counters } = openCounters(memory);
  await counters.execute('source', open, request('asked'));
  const source = await counters.fold('source');
  const context = processContext('copy/target', source, now, { service: 'spec' });
  await counters.execute('target', open, { ...context, deadline: Number.POSITIVE_INFINITY });
  const [asked] = await eventsOf(memory, 'counter-source');
  const [followed] = await eventsOf(memory, 'counter-target');
  expect(followed?.metadata).toMatchObject({
    $correlationId: 'correlation-asked',
    $causationId: asked?.id,
    actor: 'service:spec',
    accountId: '',
    requestId: 'service:spec/copy/target@0',
  });
  const next = processContext('further', await counters.fold('target'), now, { service: 'spec' });
  expect(next).toMatchObject({ correlationId: 'correlation-asked', causationId: followed?.id });
});

test('the outcome of a command names the command’s own event as the cause of what follows', async () => {
  const memory = createMemoryStore();
  const { counters } = openCounters(memory);
  const outcome = await counters.execute('a', open, request('asked'));
  const [event] = await eventsOf(memory, 'counter-a');
  expect(outcome.cause).toEqual({ correlationId: 'correlation-asked', causationId: event?.id });
});

test('the same step at the same revision is the same request, at another revision another one', async () => {
  const { counters } = openCounters();
  const first = await counters.execute('a', open, request('1'));
  const step = (because: typeof first) => ({
    ...processContext('step', because, now, { service: 'spec' }),
    deadline: Number.POSITIVE_INFINITY,
  });
  await counters.execute('a', add(2), step(first));
  const again = await counters.execute('a', add(2), step(first));
  expect(again).toMatchObject({ repeated: true, state: { value: 2 } });
  const later = await counters.execute('a', add(2), step(again));
  expect(later).toMatchObject({ repeated: false, state: { value: 4 } });
  expect((await counters.execute('a', reach(4), step(later))).events).toEqual([]);
});

test('who wanted it may be said, and nobody waits longer than half a minute', () => {
  const nothing = absent(counter.initial);
  const context = processContext('step', nothing, now, { service: 'spec', actor: 'user:alice' });
  expect(context).toMatchObject({ actor: 'user:alice', requestId: 'service:spec/step@none', deadline: 1_030_000 });
});
