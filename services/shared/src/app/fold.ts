import type { Codec } from '../eventing/codec.ts';
import { isSnapshot, snapshotType } from '../eventing/codec.ts';
import type { Decider } from '../eventing/decider.ts';
import type { AnyCommand, AnyEvent, StoredEvent } from '../eventing/message.ts';
import type { EventStore } from '../eventing/ports.ts';
import { isAfter, type Moment } from './moment.ts';
import { addRequest, noRequests, type RequestLog } from './request-log.ts';

/** An aggregate as its stream says, up to a revision. */
export type Folded<S> = Readonly<{
  state: S;
  /** Null when the stream is absent. */
  revision: bigint | null;
  /** Position of the last event; 0 when the stream is absent. */
  position: bigint;
  /** Revision of the last snapshot, or null. */
  snapshotAt: bigint | null;
  requests: RequestLog;
  /** For what follows from the last event: its correlation goes on, and it is the cause. */
  cause: Readonly<{ correlationId: string; causationId: string }>;
}>;

type Snapshot<S> = Readonly<{ state: S; requests: RequestLog }>;

export type Rules<E extends AnyEvent, S> = Readonly<{
  decider: Pick<Decider<AnyCommand, E, S>, 'category' | 'initial' | 'evolve'>;
  codec: Codec<E>;
}>;

/** A stream repeats its whole state about this often, so that every fold is bounded. */
export const SNAPSHOT_EVERY = 500n;
/** More events than this without a readable snapshot (after a change of the state's shape) are refused. */
const MAX_FOLD = 100_000;
const PAGE = 1_024;

export const absent = <S>(initial: S): Folded<S> => ({
  state: initial,
  revision: null,
  position: 0n,
  snapshotAt: null,
  requests: noRequests,
  cause: { correlationId: '', causationId: '' },
});

/** One step of the fold: also what a publisher does with each event that passes it. */
export const advance = <E extends AnyEvent, S>(
  { decider, codec }: Rules<E, S>,
  folded: Folded<S>,
  event: StoredEvent,
): Folded<S> => {
  const at = {
    revision: event.revision,
    position: event.position,
    cause: { correlationId: event.metadata['$correlationId'] ?? '', causationId: event.id },
  };
  if (isSnapshot(event.type)) {
    if (event.type !== snapshotType(codec.category, codec.stateVersion)) return { ...folded, ...at };
    const { state, requests } = event.data as Snapshot<S>;
    return { state, requests, ...at, snapshotAt: event.revision };
  }
  return {
    ...folded,
    ...at,
    state: decider.evolve(folded.state, codec.decode(event)),
    requests: addRequest(folded.requests, event),
  };
};

export const snapshotOf = <S>(folded: Folded<S>): Snapshot<S> => ({ state: folded.state, requests: folded.requests });

/** Folds a stream from nothing, backwards to the last snapshot. `upTo` is inclusive. */
export const loadFolded = async <E extends AnyEvent, S>(
  store: EventStore,
  stream: string,
  rules: Rules<E, S>,
  upTo?: bigint,
): Promise<Folded<S>> => {
  const wanted = snapshotType(rules.codec.category, rules.codec.stateVersion);
  const newestFirst: StoredEvent[] = [];
  let from: bigint | 'end' = upTo ?? 'end';
  for (;;) {
    let last: StoredEvent | undefined;
    for await (const event of store.read(stream, { from, direction: 'backwards', maxCount: PAGE })) {
      newestFirst.push(event);
      last = event;
      if (event.type === wanted) break;
    }
    if (!last || last.revision === 0n || last.type === wanted) break;
    if (newestFirst.length >= MAX_FOLD) throw new Error(`stream ${stream} has more than ${MAX_FOLD} events to fold`);
    from = last.revision - 1n;
  }
  return newestFirst.reduceRight((folded, event) => advance(rules, folded, event), absent(rules.decider.initial));
};

/** Folds a stream as it was at a moment; absent when it had no event yet. */
export const foldAsOf = async <E extends AnyEvent, S>(
  store: EventStore,
  stream: string,
  rules: Rules<E, S>,
  moment: Moment,
): Promise<Folded<S>> => {
  let folded = absent(rules.decider.initial);
  for (let from: bigint | 'start' = 'start'; ; from = (folded.revision ?? 0n) + 1n) {
    let count = 0;
    for await (const event of store.read(stream, { from, direction: 'forwards', maxCount: PAGE })) {
      if (isAfter(moment, event)) return folded;
      folded = advance(rules, folded, event);
      count++;
    }
    if (count < PAGE) return folded;
  }
};

/**
 * Brings an earlier fold of the same stream up to its end. The event where it ended is read once more: when it is not
 * there, the store was restored to an earlier time, and the fold begins anew.
 */
export const catchUp = async <E extends AnyEvent, S>(
  store: EventStore,
  stream: string,
  rules: Rules<E, S>,
  known: Folded<S>,
): Promise<Folded<S>> => {
  const { revision, cause } = known;
  if (revision === null) return loadFolded(store, stream, rules);
  let folded = known;
  for (let from = revision; ; from = (folded.revision ?? revision) + 1n) {
    let count = 0;
    for await (const event of store.read(stream, { from, direction: 'forwards', maxCount: PAGE })) {
      count++;
      if (event.revision > revision) folded = advance(rules, folded, event);
      else if (event.id !== cause.causationId) return loadFolded(store, stream, rules);
    }
    if (count === 0 && from === revision) return loadFolded(store, stream, rules);
    if (count < PAGE) return folded;
  }
};
