import { Unavailable } from '@privatelink/shared/app/errors';
import { categoryOfStream } from '@privatelink/shared/eventing/decider';
import type { StoredEvent } from '@privatelink/shared/eventing/message';
import type { EventStore } from '@privatelink/shared/eventing/ports';
import type { MemoryStore } from '@privatelink/shared/testing/memory-store';
import type { Host } from './host.ts';
import type { Random } from './random.ts';
import type { Trouble } from './trouble.ts';

const NO_ANSWER_MS = 3_000;
const PATIENCE_MS = 10_000;

/** A host's way to the store, with the patience and the failures of the real adapter. */
export const eventStoreOf = (
  host: Host,
  memory: MemoryStore,
  { categories, random, trouble }: Readonly<{ categories: readonly string[]; random: Random; trouble: Trouble }>,
): EventStore => {
  const { clock } = host;
  const ended = new AbortController();
  host.onEnd(() => ended.abort());
  const own = (stream: string): string => {
    if (!categories.includes(categoryOfStream(stream))) throw new Error(`stream ${stream} belongs to another service`);
    return stream;
  };
  const unavailable = () => new Unavailable('EVENT_STORE_UNAVAILABLE', 'the event store does not answer');

  /** After no answer the same again, as the real adapter does. */
  const patiently = async <T>(attempt: () => Promise<T | undefined>): Promise<T> => {
    const end = clock.now().getTime() + PATIENCE_MS;
    for (;;) {
      const result = await attempt();
      if (result !== undefined) return result;
      await clock.sleep(NO_ANSWER_MS);
      if (clock.now().getTime() > end) throw unavailable();
    }
  };

  return {
    append: (stream, events, expected) => {
      own(stream);
      return patiently(async () => {
        if (trouble.strikes('storeUnavailable')) throw unavailable();
        if (trouble.strikes('appendLost')) return undefined;
        const isReplyLost = trouble.strikes('appendReplyLost');
        const appended = await host.ask(async () => {
          const done = await memory.append(stream, events, expected);
          if (trouble.strikes('crashAfterAppend')) host.kill();
          return done;
        });
        return isReplyLost ? undefined : appended;
      });
    },

    read: async function* (stream, options) {
      own(stream);
      if (trouble.strikes('storeUnavailable')) throw unavailable();
      const page = await host.ask(async () => {
        const events: StoredEvent[] = [];
        for await (const event of memory.read(stream, options)) events.push(event);
        return events;
      });
      // The real store tells the time of a read event in seconds.
      for (const event of page) yield { ...event, recordedAt: `${event.recordedAt.slice(0, 19)}.000Z` };
    },

    tail: async () => {
      if (trouble.strikes('storeUnavailable')) throw unavailable();
      return host.ask(() => memory.tail());
    },

    subscribe: async function* ({ prefixes, after, signal }) {
      for (const prefix of prefixes) own(prefix);
      const life = AbortSignal.any([signal, ended.signal]);
      await host.ask(() => undefined);
      for await (const message of memory.subscribe({ prefixes, after, signal: life })) {
        if (trouble.strikes('subscriptionBroken')) throw unavailable();
        if (trouble.strikes('subscriptionStalled')) await clock.sleep(random.between(20_000, 60_000), life);
        await clock.sleep(
          trouble.strikes('subscriptionSlow') ? random.between(50, 5_000) : random.between(0.1, 2),
          life,
        );
        if (signal.aborted) return;
        yield message;
      }
    },
  };
};
