import { pino } from 'pino';
import { expect } from 'vitest';
import type { EventStore, SubscriptionMessage } from '../eventing/ports.ts';
import { createFakeClock } from '../testing/fake-clock.ts';
import { createMemoryStore, noMetadata } from '../testing/memory-store.ts';
import { runSubscription, type Subscription } from './run-subscription.ts';

const log = pino({ level: 'silent' });

export const idsOf = (messages: readonly SubscriptionMessage[]): string[] =>
  messages.flatMap((message) => (message.kind === 'event' ? message.event.id : []));

/** A follower of `a-` that remembers what it has handled, and resumes there. */
export const setUpSubscription = (changes: Partial<Subscription> = {}) => {
  const store = createMemoryStore();
  const clock = createFakeClock();
  const stopping = new AbortController();
  const batches: string[][] = [];
  let position: bigint | null = null;
  let resumed = 0;
  const append = (...ids: string[]) =>
    Promise.all(
      ids.map((id) =>
        store.append(`${id}-1`, [{ id, type: 'Happened.v1', data: {}, metadata: noMetadata }], 'no-stream'),
      ),
    );
  const handle = async (messages: readonly SubscriptionMessage[]): Promise<void> => {
    batches.push(idsOf(messages));
    for (const message of messages) {
      if (message.kind === 'event') position = message.event.position;
      if (message.kind === 'checkpoint') position = message.position;
    }
  };
  const start = (using: EventStore = store) =>
    runSubscription(
      { store: using, clock, log, signal: stopping.signal },
      {
        name: 'spec',
        prefixes: ['a'],
        resumeAfter: async () => {
          resumed++;
          return position;
        },
        handle,
        onFailure: { stopAfter: 3 },
        ...changes,
      },
    );
  return { store, clock, stopping, batches, append, start, handle, resumed: () => resumed };
};

/** Nothing sleeps, and what runs has ended. */
export const expectOver = async (
  world: Pick<ReturnType<typeof setUpSubscription>, 'clock' | 'stopping'>,
  running: Promise<void>,
) => {
  world.stopping.abort();
  await running;
  expect(world.clock.sleeping()).toBe(0);
};
