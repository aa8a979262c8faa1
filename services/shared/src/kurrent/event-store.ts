import {
  BACKWARDS,
  END,
  FORWARDS,
  jsonEvent,
  KurrentDBClient,
  NO_STREAM,
  type RecordedEvent,
  type ResolvedEvent,
  START,
  StreamNotFoundError,
  WrongExpectedVersionError,
} from '@kurrent/kurrentdb-client';
import { categoryOfStream } from '../eventing/decider.ts';
import type { NewEvent, StoredEvent } from '../eventing/message.ts';
import { type Appended, type EventStore, type ExpectedRevision, WrongRevision } from '../eventing/ports.ts';
import { isTransient, storeUnavailable, withPatience, withTimeout } from './patience.ts';
import { STORE_IDENTITY_CATEGORY } from './store-identity.ts';
import { subscribe } from './subscribe.ts';

const APPEND_TIMEOUT_MS = 3_000;
const APPEND_PATIENCE_MS = 10_000;
const READ_TIMEOUT_MS = 3_000;
const READ_PATIENCE_MS = 5_000;

/**
 * The EventStore port over the vendor's client, which speaks to EventStoreDB 23.10+ and KurrentDB.
 *
 * @param categories the stream categories that this service owns; it neither reads nor writes others
 */
export const connectEventStore = (
  url: string,
  categories: readonly string[],
): EventStore & Readonly<{ close: () => Promise<void> }> => {
  const client = KurrentDBClient.connectionString(url);
  const owned = new Set([...categories, STORE_IDENTITY_CATEGORY]);
  const own = (stream: string): string => {
    if (!owned.has(categoryOfStream(stream))) throw new Error(`stream ${stream} belongs to another service`);
    return stream;
  };

  return {
    append: async (stream, events, expected) => append(client, own(stream), events, expected),
    read: async function* (stream, { from, direction, maxCount }) {
      const events = await begin(() =>
        client.readStream(own(stream), {
          direction: direction === 'forwards' ? FORWARDS : BACKWARDS,
          fromRevision: from === 'start' ? START : from === 'end' ? END : from,
          maxCount,
          // A follower may not know yet what we were told that it is recorded.
          requiresLeader: true,
        }),
      );
      for await (const event of events) yield toStoredEvent(event);
    },
    tail: async () => {
      const last = await begin(() =>
        client.readAll({ direction: BACKWARDS, fromPosition: END, maxCount: 1, requiresLeader: true }),
      );
      for await (const { position } of last) return position?.commit ?? 0n;
      return 0n;
    },
    subscribe: (options) => {
      for (const prefix of options.prefixes) own(prefix);
      return subscribe(client, options, toStoredEvent);
    },
    close: () => client.dispose(),
  };
};

/** After an ambiguous failure the same append goes out again: ids and the original expectation make it safe. */
const append = async (
  client: KurrentDBClient,
  stream: string,
  events: readonly NewEvent[],
  expected: ExpectedRevision,
): Promise<Appended> => {
  const proposed = events.map(({ id, type, data, metadata }) =>
    jsonEvent({ id, type, data: data as Record<string, unknown>, metadata: { ...metadata } }),
  );
  let isAmbiguous = false;
  return withPatience(APPEND_PATIENCE_MS, async () => {
    try {
      const appending = client.appendToStream(stream, proposed, {
        streamState: expected === 'no-stream' ? NO_STREAM : expected,
        deadline: APPEND_TIMEOUT_MS,
      });
      const { nextExpectedRevision, position } = await withTimeout(appending, APPEND_TIMEOUT_MS + 500);
      return { revision: nextExpectedRevision, position: position?.commit ?? 0n };
    } catch (error) {
      isAmbiguous ||= isTransient(error);
      if (!(error instanceof WrongExpectedVersionError)) throw error;
      const ours = isAmbiguous ? await findOurs(client, stream, events, expected) : null;
      if (ours) return ours;
      throw new WrongRevision(stream, expected);
    }
  });
};

/** Whether a wrong revision is our own earlier attempt: our ids stand right after the expected revision. */
const findOurs = async (
  client: KurrentDBClient,
  stream: string,
  events: readonly NewEvent[],
  expected: ExpectedRevision,
): Promise<Appended | null> => {
  const fromRevision = expected === 'no-stream' ? START : expected + 1n;
  const read = () => client.readStream(stream, { fromRevision, maxCount: events.length, requiresLeader: true });
  const recorded: RecordedEvent[] = [];
  for await (const event of await begin(read)) recorded.push(event);
  const last = recorded.at(-1);
  const isOurs = recorded.length === events.length && recorded.every(({ id }, index) => id === events[index]?.id);
  return last && isOurs ? { revision: last.revision, position: last.position?.commit ?? 0n } : null;
};

/** Begins a read, if need be again, and gives its events; none when the stream is absent. */
const begin = async (read: () => AsyncIterable<ResolvedEvent>): Promise<AsyncIterable<RecordedEvent>> => {
  const next = (events: AsyncIterator<ResolvedEvent>) => withTimeout(events.next(), READ_TIMEOUT_MS);
  const begun = await withPatience(READ_PATIENCE_MS, async () => {
    const events = read()[Symbol.asyncIterator]();
    try {
      return { events, first: await next(events) };
    } catch (error) {
      if (error instanceof StreamNotFoundError) return null;
      throw error;
    }
  });
  return (async function* () {
    if (!begun) return;
    const { events, first } = begun;
    try {
      for (let result = first; !result.done; result = await next(events))
        if (result.value.event) yield result.value.event;
    } catch (error) {
      throw isTransient(error) ? storeUnavailable(error) : error;
    } finally {
      // Not waited for: what is stuck stays stuck.
      void events.return?.().catch(() => undefined);
    }
  })();
};

const toStoredEvent = (event: RecordedEvent): StoredEvent => ({
  id: event.id,
  type: event.type,
  data: event.data,
  metadata: (event.metadata ?? {}) as Record<string, string>,
  stream: event.streamId,
  revision: event.revision,
  position: event.position?.commit ?? 0n,
  recordedAt: event.created.toISOString(),
});
