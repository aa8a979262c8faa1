import type { Codec } from '../eventing/codec.ts';
import { isSnapshot, snapshotType } from '../eventing/codec.ts';
import type { CommandContext } from '../eventing/command-context.ts';
import { type Decider, streamName } from '../eventing/decider.ts';
import type { AnyCommand, AnyEvent, Recorded } from '../eventing/message.ts';
import { type Clock, type EventStore, WrongRevision } from '../eventing/ports.ts';
import type { Rehearsal } from '../eventing/rehearsal.ts';
import { commands } from '../telemetry/metrics.ts';
import { traceparent } from '../telemetry/trace.ts';
import { Unavailable } from './errors.ts';
import { eventId } from './event-id.ts';
import { failpoint } from './failpoint.ts';
import { absent, catchUp, type Folded, foldAsOf, loadFolded, SNAPSHOT_EVERY, snapshotOf } from './fold.ts';
import { type FoldCache, foldCache } from './fold-cache.ts';
import { LRUCache } from './lru-cache.ts';
import { measureCommand } from './measure-command.ts';
import type { Moment } from './moment.ts';
import { type ExecuteOptions, isRepeated, type Order, type Plan, planBatch } from './plan-batch.ts';
import { foldedIn, rehearsed } from './rehearse.ts';
import { findRequest } from './request-log.ts';
import { shareReads } from './share-reads.ts';

export type Outcome<E, S> = Folded<S> &
  Readonly<{
    /** What this command appended; empty when its effect already held, or when it repeats an earlier request. */
    events: readonly E[];
    /** The aggregate as it is now, when `repeated` shows it as the first outcome left it. */
    latest: Folded<S>;
    repeated: boolean;
  }>;

/** Reads and changes the aggregates of one kind. */
export type Repository<C extends AnyCommand, E extends AnyEvent, S> = Readonly<{
  category: string;
  /**
   * Folds the stream up to its end, always as of the last write; or, where a revision at least is asked for, from what
   * is known if that reaches so far.
   */
  fold: (id: string, atLeast?: bigint | null) => Promise<Folded<S>>;
  /** Folds the stream as it was at a moment. */
  foldAsOf: (id: string, moment: Moment) => Promise<Folded<S>>;
  /**
   * Decides and appends, with one committing append. Commands of one stream that wait are decided in order and go
   * out together; after a lost race everything is decided anew, until the caller's deadline.
   *
   * @throws Rejected, InvalidRequest (reason REQUEST_ID_REUSED), Conflict, Unavailable
   */
  execute: (id: string, command: C, context: CommandContext, options?: ExecuteOptions<S>) => Promise<Outcome<E, S>>;
  /** The first outcome of a request that this aggregate has seen before; null for a new one. */
  recall: (id: string, context: CommandContext) => Promise<Outcome<E, S> | null>;
  /** Events from a revision on (inclusive), oldest first. */
  history: (id: string, from: bigint, maxCount: number) => Promise<readonly Recorded<E>[]>;
}>;

export type RepositoryDeps = Readonly<{
  store: EventStore;
  clock: Clock;
  producer: string;
  /** Shared with others; its own, unless given. */
  cache?: FoldCache;
}>;

type Waiting<C, E, S> = Order<C, S> & Readonly<{ settle: PromiseWithResolvers<Outcome<E, S>> }>;

const MAX_BATCH = 64;
const CACHED_STREAMS = 4_096;
const MAX_CONFLICT_BACKOFF_MS = 50;

export const createRepository = <C extends AnyCommand, E extends AnyEvent, S>(
  { store, clock, producer, cache: shared = foldCache() }: RepositoryDeps,
  decider: Decider<C, E, S>,
  codec: Codec<E>,
): Repository<C, E, S> => {
  const rules = { decider, codec };
  // Only ever what the stream said at some revision: a stale entry loses the append's race and is brought up to date.
  const cache = shared as LRUCache<string, Folded<S>>;
  const queues = new Map<string, Waiting<C, E, S>[]>();
  /** Revision of a stream's last snapshot that the store refused. */
  const refusedSnapshots = new LRUCache<string, bigint>(CACHED_STREAMS);

  /** Whoever asks for a stream that is being read shares the next read of it. */
  const refresh = shareReads(async (stream: string): Promise<Folded<S>> => {
    const known = cache.get(stream);
    const folded = await catchUp(store, stream, rules, known ?? absent(decider.initial));
    // What a command has put there meanwhile may be newer.
    if (folded.revision !== null && cache.get(stream) === known) cache.set(stream, folded);
    return folded;
  });

  const drain = async (stream: string, queue: Waiting<C, E, S>[]): Promise<void> => {
    // All that the callers give in this turn goes out together.
    await null;
    while (queue.length > 0) await runBatch(stream, queue.splice(0, MAX_BATCH));
    queues.delete(stream);
  };

  const runBatch = async (stream: string, batch: readonly Waiting<C, E, S>[]): Promise<void> => {
    try {
      const after = await commit(stream, batch);
      if (after) await snapshotIfDue(stream, after);
    } catch (error) {
      // What the store will not take, such as too large an append, is the fault of one of them or of their number.
      if (batch.length > 1 && !(error instanceof Unavailable)) for (const item of batch) await runBatch(stream, [item]);
      else for (const { settle } of batch) settle.reject(error);
    }
  };

  /** Answers every command of the batch. Null when nothing was appended. */
  const commit = async (stream: string, batch: readonly Waiting<C, E, S>[]): Promise<Folded<S> | null> => {
    let folded = cache.get(stream) ?? absent(decider.initial);
    let isFresh = false;
    for (let attempt = 0; ; attempt++) {
      const now = clock.now();
      const waiting = batch.filter((item) => !isExpired(item, now));
      if (waiting.length === 0) return null;
      const plan = planBatch({ ...rules, producer }, stream, folded, waiting, now.toISOString());
      // An answer holds if the stream was where it was decided on: the append proves it, or else a read.
      if (plan.events.length > 0) {
        const position = await append(stream, folded, plan);
        if (position !== null) {
          answer(stream, waiting, plan, position);
          return { ...plan.after, position };
        }
        await clock.sleep(Math.min(2 ** attempt, MAX_CONFLICT_BACKOFF_MS));
      } else if (isFresh) {
        answer(stream, waiting, plan, folded.position);
        return null;
      }
      folded = await refresh(stream);
      isFresh = true;
    }
  };

  const isExpired = ({ context, settle }: Waiting<C, E, S>, now: Date): boolean => {
    const late = now.getTime() > context.deadline;
    if (late)
      settle.reject(new Unavailable('CONFLICTS_PERSIST', 'earlier writers took all the time until the deadline'));
    return late;
  };

  /** Position of the append; null when another writer came first. */
  const append = async (stream: string, start: Folded<S>, { events, after }: Plan<E, S>): Promise<bigint | null> => {
    const measured = commands.append.startTimer({ category: decider.category });
    try {
      const { position } = await store.append(stream, events, start.revision ?? 'no-stream');
      cache.set(stream, { ...after, position });
      await failpoint(`${decider.category}:after-append`);
      return position;
    } catch (error) {
      if (!(error instanceof WrongRevision)) throw error;
      commands.conflicts.inc({ category: decider.category });
      return null;
    } finally {
      measured();
    }
  };

  /** @param position up to which the events are recorded that the answers rest on */
  const answer = (
    stream: string,
    waiting: readonly Waiting<C, E, S>[],
    { answers }: Plan<E, S>,
    position: bigint,
  ): void => {
    for (const [index, { command, context, settle }] of waiting.entries()) {
      const given = answers[index];
      if (given) measureCommand(decider.category, command.type, given);
      if (given?.kind === 'failed') settle.reject(given.error);
      if (given?.kind === 'done') {
        const latest = { ...given.folded, position };
        settle.resolve({ ...latest, events: given.events, latest, repeated: false });
      }
      if (given?.kind === 'repeated') {
        settle.resolve(firstOutcome(stream, context.requestId, { ...given.folded, position }));
      }
    }
  };

  const firstOutcome = async (stream: string, requestId: string, latest: Folded<S>): Promise<Outcome<E, S>> => {
    const entry = findRequest(latest.requests, requestId);
    const revision = BigInt(entry?.revision ?? 0);
    const first = revision === latest.revision ? latest : await loadFolded(store, stream, rules, revision);
    return { ...first, events: [], latest, repeated: true };
  };

  /** Decides on what the stream says, and appends nothing. */
  const rehearse = async (rehearsal: Rehearsal, stream: string, order: Order<C, S>): Promise<Outcome<E, S>> => {
    const start = await foldedIn(rehearsal, stream, () => refresh(stream));
    const {
      answers: [given],
      after,
    } = planBatch({ ...rules, producer }, stream, start, [order], clock.now().toISOString());
    if (given?.kind === 'failed') throw given.error;
    if (given?.kind === 'repeated' && !rehearsal.folded.has(stream)) {
      return firstOutcome(stream, order.context.requestId, given.folded);
    }
    const events = given?.kind === 'done' ? given.events : [];
    rehearsed(rehearsal, stream, events, after);
    return { ...after, events, latest: after, repeated: given?.kind === 'repeated' };
  };

  /** Only spares later reads, so that it may lose a race or be refused as too large. */
  const snapshotIfDue = async (stream: string, folded: Folded<S>): Promise<void> => {
    const { revision, snapshotAt, cause } = folded;
    if (revision === null || revision - (refusedSnapshots.get(stream) ?? snapshotAt ?? 0n) < SNAPSHOT_EVERY) return;
    const snapshot = {
      id: eventId('', stream, 0, [cause.causationId, codec.stateVersion]),
      type: snapshotType(codec.category, codec.stateVersion),
      data: snapshotOf(folded),
      metadata: {
        $correlationId: cause.correlationId,
        $causationId: cause.causationId,
        accountId: '',
        actor: `service:${producer}`,
        // Not a request's doing: a repeat must find the request's own last event.
        requestId: '',
        fingerprint: '',
        producer,
      },
    };
    try {
      const appended = await store.append(stream, [snapshot], revision);
      refusedSnapshots.delete(stream);
      const written = { correlationId: cause.correlationId, causationId: snapshot.id };
      cache.set(stream, { ...folded, ...appended, snapshotAt: appended.revision, cause: written });
    } catch (error) {
      // Not to be tried again with each command: only after as many events more.
      if (!(error instanceof WrongRevision)) refusedSnapshots.set(stream, revision);
    }
  };

  return {
    category: decider.category,
    fold: async (id, atLeast = null) => {
      const stream = streamName(decider.category, id);
      const known = atLeast === null ? undefined : cache.get(stream);
      return known && atLeast !== null && (known.revision ?? -1n) >= atLeast ? known : refresh(stream);
    },
    foldAsOf: (id, moment) => foldAsOf(store, streamName(decider.category, id), rules, moment),
    execute: (id, command, context, options = {}) => {
      const stream = streamName(decider.category, id);
      if (context.rehearsal) return rehearse(context.rehearsal, stream, { command, context, options });
      const settle = Promise.withResolvers<Outcome<E, S>>();
      const item = { command, context: { ...context, traceparent: traceparent() }, options, settle };
      const queue = queues.get(stream);
      if (queue) queue.push(item);
      else {
        const started = [item];
        queues.set(stream, started);
        void drain(stream, started);
      }
      return settle.promise;
    },
    recall: async (id, context) => {
      const stream = streamName(decider.category, id);
      const folded = await refresh(stream);
      return isRepeated(folded.requests, context) ? firstOutcome(stream, context.requestId, folded) : null;
    },
    history: async (id, from, maxCount) => {
      const events: Recorded<E>[] = [];
      const stream = streamName(decider.category, id);
      for await (const event of store.read(stream, { from, direction: 'forwards', maxCount })) {
        if (!isSnapshot(event.type)) events.push(codec.decode(event));
      }
      return events;
    },
  };
};
