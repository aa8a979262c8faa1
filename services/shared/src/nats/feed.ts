import type { SubscriptionMessage } from '../eventing/ports.ts';
import { type RereadFactsDeps, rereadFacts } from '../facts/reread-facts.ts';
import { claimCheckpointIn, moveCheckpoint, NOWHERE, readCheckpoint } from '../postgres/checkpoint.ts';
import type { Db } from '../postgres/connect.ts';
import { LeaseLost } from '../postgres/lease.ts';
import { type LeasedSubscriptionDeps, positionOf, runLeasedSubscription } from '../postgres/leased-subscription.ts';
import { startSpan, TRACEPARENT } from '../telemetry/trace.ts';
import type { Nats } from './connect.ts';
import { InvalidMessage, isOutage } from './consumer.ts';
import { setAside } from './dead-letters.ts';
import type { IncomingMessage } from './incoming-message.ts';
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
  /** Throws `InvalidMessage` to set a message aside at once; so is, after a while, one that makes the others fail. */
  read: (message: IncomingMessage) => T;
  /** What must be recorded before they are written; called again with the same where it or the writing failed. */
  record?: (items: readonly T[]) => Promise<void>;
  write: (tx: Db, items: readonly T[]) => Promise<void>;
}>;

export type FeedDeps = Omit<LeasedSubscriptionDeps, 'store'> &
  Readonly<{ nats: Nats; service: string; owner: RereadFactsDeps['owner'] }>;

/** Failures in a row, of the same messages, after which each is taken in by itself. */
const MAX_FAILURES = 8;
/** Messages that are written at once when they are read anew. */
const REREAD_BATCH = 256;

/**
 * Runs until the signal aborts, over lost connections, an emptied JetStream, which is taken in anew, and messages that
 * the stream dropped before they were taken in, which their owner is asked for.
 */
export const runFeed = async <T>(deps: FeedDeps, feed: Feed<T>): Promise<void> => {
  const { db, log, nats } = deps;
  const name = checkpointOf(feed);
  const stream = factsStream(feed.source);
  const source = jetStreamSource(nats, stream);
  let epoch = 0n;
  let position = NOWHERE;
  let created = '';
  let failures = 0;

  const park = async (message: IncomingMessage, err: unknown): Promise<void> => {
    if (!(await setAside(deps, { consumer: feed.name, message, cause: err }))) throw err;
    log.warn({ feed: feed.name, subject: message.subject, err }, 'message set aside');
  };

  const readAll = async (messages: readonly IncomingMessage[]): Promise<readonly T[]> => {
    const items: T[] = [];
    for (const message of messages) {
      try {
        items.push(feed.read(message));
      } catch (err) {
        if (!(err instanceof InvalidMessage)) throw err;
        await park(message, err);
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

  const takeOrPark = async ({ message, at }: Placed): Promise<void> => {
    try {
      await take([message], at);
    } catch (err) {
      if (isNoReason(err)) throw err;
      // Not for want of a database either.
      await readCheckpoint(db, name);
      await park(message, err);
      await take([], at);
    }
  };

  /** All at once; where that fails and fails, each alone, and what fails alone is set aside. */
  const takeAll = async (placed: readonly Placed[], to: bigint): Promise<void> => {
    try {
      await take(
        placed.map(({ message }) => message),
        to,
      );
    } catch (err) {
      if (isNoReason(err) || ++failures < MAX_FAILURES) throw err;
      for (const one of placed) await takeOrPark(one);
      await take([], to);
    }
    failures = 0;
  };

  /** Whether the stream dropped something that follows what was taken in. */
  const isCut = ({ first_seq }: StreamState): boolean => BigInt(first_seq) > (position > 0n ? position : 0n) + 1n;

  const readAnew = async ({ first_seq, last_seq }: StreamState): Promise<void> => {
    log.warn({ feed: name, position: String(position), first: first_seq }, 'read anew: the stream dropped messages');
    let placed: Placed[] = [];
    for await (const message of rereadFacts(deps, feed)) {
      placed.push({ message, at: position });
      if (placed.length < REREAD_BATCH) continue;
      await takeAll(placed, position);
      placed = [];
    }
    if (deps.signal.aborted) return;
    // What was announced before it began is in it.
    await takeAll(placed, BigInt(last_seq));
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
        await takeAll(messages.flatMap(placedAfter(position)), to);
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

/** `at`: where the feed stands once it is taken in. */
type Placed = Readonly<{ message: IncomingMessage; at: bigint }>;

const placedAfter =
  (after: bigint) =>
  (message: SubscriptionMessage): readonly Placed[] => {
    if (message.kind !== 'event' || message.event.position <= after) return [];
    const { stream: subject, metadata: headers, data, position } = message.event;
    return [{ message: { subject, headers, body: data as Uint8Array, deliveryCount: 1 }, at: position }];
  };

/** To set anything aside: it will do once something is back, or for another replica. */
const isNoReason = (error: unknown): boolean => error instanceof LeaseLost || isOutage(error);

/** Takes in one message out of its turn, beside nobody: what is newer than it stays. */
export const takeInAgain = async <T>(
  { db }: Pick<FeedDeps, 'db'>,
  feed: Feed<T>,
  message: IncomingMessage,
): Promise<void> => {
  const items = [feed.read(message)];
  await feed.record?.(items);
  await db.transaction().execute(async (tx) => {
    await tx.selectFrom('checkpoint').select('name').where('name', '=', checkpointOf(feed)).forUpdate().execute();
    await feed.write(tx, items);
  });
};

/** The end of what it takes in. */
export const tailOf = (nats: Nats, { source }: Pick<Feed<unknown>, 'source'>): Promise<bigint> =>
  jetStreamSource(nats, factsStream(source)).tail();

export const checkpointOf = ({ name }: Readonly<{ name: string }>): string => `feed.${name}`;
