import type { NewEvent, StoredEvent } from '../eventing/message.ts';
import {
  type Clock,
  type EventStore,
  type ExpectedRevision,
  type SubscribeOptions,
  type SubscriptionMessage,
  WrongRevision,
} from '../eventing/ports.ts';

export type MemoryStore = EventStore &
  Readonly<{
    /** Ends every subscription with an error, as a lost connection does. */
    disconnect: () => void;
  }>;

/** Of events of which nobody asks who made them. */
export const noMetadata: NewEvent['metadata'] = {
  ...{ $correlationId: '', $causationId: '', accountId: '', actor: '' },
  ...{ requestId: '', fingerprint: '', producer: '' },
};

/** An event store in memory with the semantics of the real one; positions are 1, 2, 3, ... */
export const createMemoryStore = (clock: Pick<Clock, 'now'> = { now: () => new Date() }): MemoryStore => {
  const all: StoredEvent[] = [];
  const streams = new Map<string, StoredEvent[]>();
  let changed = Promise.withResolvers<void>();
  let connection = new AbortController();

  const append = async (stream: string, events: readonly NewEvent[], expected: ExpectedRevision) => {
    const held = streams.get(stream) ?? [];
    const at = expected === 'no-stream' ? 0 : Number(expected) + 1;
    if (at !== held.length) {
      const repeated = events.length > 0 && events.every((event, i) => held[at + i]?.id === event.id);
      const last = held[at + events.length - 1];
      if (!repeated || !last) throw new WrongRevision(stream, expected);
      return { revision: last.revision, position: last.position };
    }
    const recordedAt = clock.now().toISOString();
    for (const { id, type, data, metadata } of events) {
      const stored: StoredEvent = {
        id,
        type,
        // As JSON, so that what the real store could not keep is not kept here.
        data: JSON.parse(JSON.stringify(data)),
        metadata: { ...metadata },
        stream,
        revision: BigInt(held.length),
        position: BigInt(all.length + 1),
        recordedAt,
      };
      held.push(stored);
      all.push(stored);
    }
    streams.set(stream, held);
    changed.resolve();
    changed = Promise.withResolvers();
    return { revision: BigInt(held.length - 1), position: BigInt(all.length) };
  };

  const read: EventStore['read'] = async function* (stream, { from, direction, maxCount }) {
    const held = [...(streams.get(stream) ?? [])];
    const step = direction === 'forwards' ? 1 : -1;
    let at = from === 'start' ? 0 : from === 'end' ? held.length - 1 : Number(from);
    if (direction === 'backwards') at = Math.min(at, held.length - 1);
    for (let count = 0; count < maxCount; count++, at += step) {
      const event = held[at];
      if (!event) return;
      yield event;
    }
  };

  const subscribe = async function* ({
    prefixes,
    after,
    signal,
  }: SubscribeOptions): AsyncGenerator<SubscriptionMessage> {
    const lost = connection.signal;
    const stopped = Promise.withResolvers<void>();
    const stop = () => stopped.resolve();
    signal.addEventListener('abort', stop);
    lost.addEventListener('abort', stop);
    try {
      let examined = Number(after ?? 0n);
      let reported = examined;
      let live = false;
      while (!signal.aborted) {
        if (lost.aborted) throw new Error('connection lost');
        const event = all[examined];
        if (event) {
          examined++;
          if (!prefixes.some((prefix) => event.stream.startsWith(prefix))) continue;
          reported = examined;
          yield { kind: 'event', event };
          continue;
        }
        // Taken before yielding: what is appended meanwhile must wake us.
        const more = changed.promise;
        if (examined > reported) {
          reported = examined;
          yield { kind: 'checkpoint', position: BigInt(examined) };
        }
        if (!live) {
          live = true;
          yield { kind: 'caughtUp' };
        }
        await Promise.race([more, stopped.promise]);
      }
    } finally {
      signal.removeEventListener('abort', stop);
      lost.removeEventListener('abort', stop);
    }
  };

  return {
    append,
    read,
    tail: async () => BigInt(all.length),
    subscribe,
    disconnect: () => {
      connection.abort();
      connection = new AbortController();
    },
  };
};
