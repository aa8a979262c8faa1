import type { SubscriptionMessage } from '../eventing/ports.ts';
import { type RereadFactsDeps, rereadFacts } from '../facts/reread-facts.ts';
import { claimCheckpointIn, moveCheckpoint, NOWHERE } from '../postgres/checkpoint.ts';
import type { Db } from '../postgres/connect.ts';
import { LeaseLost } from '../postgres/lease.ts';
import { type LeasedSubscriptionDeps, positionOf, runLeasedSubscription } from '../postgres/leased-subscription.ts';
import { startSpan, TRACEPARENT } from '../telemetry/trace.ts';
import type { Nats } from './connect.ts';
import { type IncomingMessage, InvalidMessage, setAside } from './consumer.ts';
import { jetStreamSource } from './jetstream-source.ts';
import { ensureStreams, factsStream, type StreamName } from './streams.ts';
import type { Producer } from './subjects.ts';

/**
 * What a service keeps of another one's announcements. One replica takes them in, in order and many at once; where it
 * stands is kept with what is made of them.
 */
export type Feed<T> = Readonly<{
  /** `<service>__<purpose>`. */
  name: string;
  source: Producer;
  filterSubject: string;
  /** The same as a filter of facts (docs/filters.md); all of them when absent. */
  filter?: string;
  /** Throws `InvalidMessage` to set a message aside. */
  read: (message: IncomingMessage) => T;
  /** What must be recorded before they are written; called again with the same where it or the writing failed. */
  record?: (items: readonly T[]) => Promise<void>;
  write: (tx: Db, items: readonly T[]) => Promise<void>;
}>;

export type FeedDeps = Omit<LeasedSubscriptionDeps, 'store'> &
  Readonly<{ nats: Nats; service: string; owner: RereadFactsDeps['owner'] }>;

/** Messages that are written at once when they are read anew. */
const REREAD_BATCH = 256;

/**
 * Runs until the signal aborts, over lost connections, an emptied JetStream, which is taken in anew, and messages that
 * the stream dropped before they were taken in, which their owner is asked for.
 */
export const runFeed = async <T>(deps: FeedDeps, feed: Feed<T>): Promise<void> => {
  const { db, log, nats } = deps;
  const name = `feed.${feed.name}`;
  const stream = factsStream(feed.source);
  const source = jetStreamSource(nats, stream);
  let epoch = 0n;
  let position = NOWHERE;
  let created = '';

  const readAll = async (messages: readonly IncomingMessage[]): Promise<readonly T[]> => {
    const items: T[] = [];
    for (const message of messages) {
      try {
        items.push(feed.read(message));
      } catch (err) {
        if (!(err instanceof InvalidMessage)) throw err;
        if (!(await setAside(deps, { durable: feed.name }, message, err))) throw err;
        log.warn({ feed: feed.name, subject: message.subject, err }, 'message set aside');
      }
    }
    return items;
  };

  const take = async (messages: readonly IncomingMessage[], to: bigint): Promise<void> => {
    const items = await readAll(messages);
    await feed.record?.(items);
    await db.transaction().execute(async (tx) => {
      await moveCheckpoint(tx, { name, from: position, to, epoch });
      await feed.write(tx, items);
    });
    position = to;
  };

  /** Whether the stream dropped something that follows what was taken in. */
  const isCut = ({ first_seq }: StreamState): boolean => BigInt(first_seq) > (position > 0n ? position : 0n) + 1n;

  const readAnew = async ({ first_seq, last_seq }: StreamState): Promise<void> => {
    log.warn({ feed: name, position: String(position), first: first_seq }, 'read anew: the stream dropped messages');
    let messages: IncomingMessage[] = [];
    for await (const message of rereadFacts(deps, feed)) {
      messages.push(message);
      if (messages.length < REREAD_BATCH) continue;
      await take(messages, position);
      messages = [];
    }
    if (deps.signal.aborted) return;
    // What was announced before it began is in it.
    await take(messages, BigInt(last_seq));
  };

  await runLeasedSubscription(
    { ...deps, store: source },
    {
      name,
      prefixes: [feed.filterSubject],
      onFailure: 'retry',
      resumeAfter: async (claimedBy) => {
        epoch = claimedBy;
        await ensureStreams(nats, [stream, 'DLQ']);
        const found = await look(nats, stream);
        created = found.created;
        const drop = async () => undefined;
        position = await claimCheckpointIn({ id: created, tail: source.tail }, { ...deps, name, epoch, drop });
        if (isCut(found.state)) await readAnew(found.state);
        return position === NOWHERE ? null : position;
      },
      handle: async (messages) => {
        const spans = messages.map((message) => {
          const parent = message.kind === 'event' ? message.event.metadata[TRACEPARENT] : undefined;
          return startSpan(name, { kind: 'consumer', parent: parent ?? '' });
        });
        const to = messages.reduce((last, message) => positionOf(message) ?? last, position);
        if (to <= position) return;
        // Only now: what went before these came is gone for good.
        if (isCut((await look(nats, stream)).state)) throw new Error(`${stream} dropped what comes next`);
        await take(messages.flatMap(toIncoming(position)), to);
        for (const span of spans) span.end();
      },
      // Emptied, the stream begins at the first sequence again, which nobody would wait for.
      idle: async () => {
        if ((await look(nats, stream)).created !== created) throw new LeaseLost(`${stream} was made anew`);
      },
    },
  );
};

type StreamState = Readonly<{ first_seq: number; last_seq: number }>;

const look = async ({ jsm }: Nats, name: StreamName): Promise<Readonly<{ created: string; state: StreamState }>> => {
  const { created, state } = await jsm.streams.info(name);
  return { created: String(created), state };
};

const toIncoming =
  (after: bigint) =>
  (message: SubscriptionMessage): readonly IncomingMessage[] => {
    if (message.kind !== 'event' || message.event.position <= after) return [];
    const { stream: subject, metadata: headers, data } = message.event;
    return [{ subject, headers, body: data as Uint8Array, deliveryCount: 1 }];
  };
