import { setTimeout as delay } from 'node:timers/promises';
import { type Consumer, JetStreamApiCodes, JetStreamApiError, jetstream } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import type { RunFile } from '@privatelink/embedded/run-file';
import { Fact } from '@privatelink/proto/events/v1/fact';
import { isSnapshot } from '@privatelink/shared/eventing/codec';
import { ANNOUNCED, type Category, type Logged } from './event-log.ts';

const STREAMS = ['EVT_PROVIDER', 'EVT_CONSUMER', 'EVT_BROKER', 'EVT_DNS'] as const;
const PATIENCE_MS = 40_000;
const LOOK_EVERY_MS = 100;

/** What must be announced of a history. */
export const toBeAnnounced = (history: readonly Logged[]): readonly Logged[] =>
  history.filter(({ category, type }) => (ANNOUNCED as readonly Category[]).includes(category) && !isSnapshot(type));

/**
 * Reads every stream of facts from its start, as a subscriber does that was never there before, until all of these
 * events were announced. Returns how often each was, by its id.
 */
export const readAnnouncements = async (
  run: Pick<RunFile, 'nats'>,
  events: readonly Logged[],
): Promise<ReadonlyMap<string, number>> => {
  const { subscriber, url } = run.nats;
  const connection = await connect({
    servers: url,
    ...(subscriber && { user: subscriber.user, pass: subscriber.password, inboxPrefix: subscriber.inboxPrefix }),
  });
  const missing = new Set(events.map(({ id }) => id));
  const counts = new Map<string, number>();
  const complete = Promise.withResolvers<void>();
  if (missing.size === 0) complete.resolve();
  const read = async (stream: string): Promise<void> => {
    const consumer = await consumerOf(connection, stream);
    for await (const message of await consumer.consume()) {
      if (!message.subject.startsWith('evt.') || message.subject.endsWith('.heartbeat')) continue;
      const { eventId } = Fact.decode(message.data);
      counts.set(eventId, (counts.get(eventId) ?? 0) + 1);
      missing.delete(eventId);
      if (missing.size === 0) complete.resolve();
    }
  };
  const timer = setTimeout(() => {
    const types = events.flatMap(({ id, type, stream }) => (missing.has(id) ? [`${type} of ${stream}`] : []));
    complete.reject(new Error(`not announced within ${PATIENCE_MS} ms: ${types.join(', ')}`));
  }, PATIENCE_MS);
  const reading = STREAMS.map((stream) => read(stream).catch(complete.reject));
  try {
    await complete.promise;
    return counts;
  } finally {
    clearTimeout(timer);
    await connection.close();
    await Promise.all(reading);
  }
};

/** A stream that was lost is there again once its publisher has noticed. */
const consumerOf = async (connection: NatsConnection, stream: string): Promise<Consumer> => {
  for (;;) {
    try {
      return await jetstream(connection).consumers.get(stream);
    } catch (error) {
      if (!(error instanceof JetStreamApiError && error.code === JetStreamApiCodes.StreamNotFound)) throw error;
      await delay(LOOK_EVERY_MS);
    }
  }
};
