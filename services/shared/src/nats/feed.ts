import type { SubscriptionMessage } from '../eventing/ports.ts';
import { claimCheckpointIn, moveCheckpoint, NOWHERE } from '../postgres/checkpoint.ts';
import type { Db } from '../postgres/connect.ts';
import { LeaseLost } from '../postgres/lease.ts';
import { type LeasedSubscriptionDeps, positionOf, runLeasedSubscription } from '../postgres/leased-subscription.ts';
import { startSpan, TRACEPARENT } from '../telemetry/trace.ts';
import type { Nats } from './connect.ts';
import { type IncomingMessage, InvalidMessage, setAside } from './consumer.ts';
import { jetStreamSource } from './jetstream-source.ts';
import { ensureStreams, type StreamName } from './streams.ts';

/**
 * What a service keeps of another one's announcements. One replica takes them in, in order and many at once; where it
 * stands is kept with what is made of them.
 */
export type Feed<T> = Readonly<{
  /** `<service>__<purpose>`. */
  name: string;
  stream: StreamName;
  filterSubject: string;
  /** Throws `InvalidMessage` to set a message aside. */
  read: (message: IncomingMessage) => T;
  /** What must be recorded before they are written; called again with the same where it or the writing failed. */
  record?: (items: readonly T[]) => Promise<void>;
  write: (tx: Db, items: readonly T[]) => Promise<void>;
}>;

export type FeedDeps = Omit<LeasedSubscriptionDeps, 'store'> & Readonly<{ nats: Nats; service: string }>;

/** Runs until the signal aborts, over lost connections and an emptied JetStream, which is taken in anew. */
export const runFeed = async <T>(deps: FeedDeps, feed: Feed<T>): Promise<void> => {
  const { db, log, nats } = deps;
  const name = `feed.${feed.name}`;
  const source = jetStreamSource(nats, feed.stream);
  let epoch = 0n;
  let position = NOWHERE;
  let created = '';

  const readAll = async (messages: readonly SubscriptionMessage[]): Promise<readonly T[]> => {
    const items: T[] = [];
    for (const message of messages) {
      if (message.kind !== 'event' || message.event.position <= position) continue;
      const { stream: subject, metadata: headers, data } = message.event;
      const incoming = { subject, headers, body: data as Uint8Array, deliveryCount: 1 };
      try {
        items.push(feed.read(incoming));
      } catch (err) {
        if (!(err instanceof InvalidMessage)) throw err;
        if (!(await setAside(deps, { durable: feed.name }, incoming, err))) throw err;
        log.warn({ feed: feed.name, subject, sequence: String(message.event.position), err }, 'message set aside');
      }
    }
    return items;
  };

  await runLeasedSubscription(
    { ...deps, store: source },
    {
      name,
      prefixes: [feed.filterSubject],
      onFailure: 'retry',
      resumeAfter: async (claimedBy) => {
        epoch = claimedBy;
        await ensureStreams(nats, [feed.stream, 'DLQ']);
        created = await createdAt(nats, feed.stream);
        const drop = async () => undefined;
        position = await claimCheckpointIn({ id: created, tail: source.tail }, { ...deps, name, epoch, drop });
        return position === NOWHERE ? null : position;
      },
      handle: async (messages) => {
        const spans = messages.map((message) => {
          const parent = message.kind === 'event' ? message.event.metadata[TRACEPARENT] : undefined;
          return startSpan(name, { kind: 'consumer', parent: parent ?? '' });
        });
        const items = await readAll(messages);
        const to = messages.reduce((last, message) => positionOf(message) ?? last, position);
        if (to <= position) return;
        await feed.record?.(items);
        await db.transaction().execute(async (tx) => {
          await moveCheckpoint(tx, { name, from: position, to, epoch });
          await feed.write(tx, items);
        });
        position = to;
        for (const span of spans) span.end();
      },
      // Emptied, the stream begins at the first sequence again, which nobody would wait for.
      idle: async () => {
        if ((await createdAt(nats, feed.stream)) !== created) throw new LeaseLost(`${feed.stream} was made anew`);
      },
    },
  );
};

const createdAt = async ({ jsm }: Nats, stream: StreamName): Promise<string> =>
  String((await jsm.streams.info(stream)).created);
