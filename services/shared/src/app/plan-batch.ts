import type { Codec } from '../eventing/codec.ts';
import type { CommandContext } from '../eventing/command-context.ts';
import type { Decider } from '../eventing/decider.ts';
import type { AnyCommand, AnyEvent, NewEvent } from '../eventing/message.ts';
import { Conflict, InvalidRequest } from './errors.ts';
import { eventId } from './event-id.ts';
import { advance, type Folded } from './fold.ts';
import { findRequest, type RequestLog } from './request-log.ts';

export type ExecuteOptions<S> = Readonly<{
  /** Conflict unless the stream is at this revision. */
  expectedRevision?: bigint | undefined;
  /** Throws when the caller may not know of this aggregate. Runs before everything else. */
  guard?: (folded: Folded<S>) => void;
}>;

export type Order<C, S> = Readonly<{ command: C; context: CommandContext; options: ExecuteOptions<S> }>;

/** What comes of one command, once the events of its batch are appended. */
type Answer<E, S> =
  | Readonly<{ kind: 'done'; events: readonly E[]; folded: Folded<S> }>
  /** The same request came before; `folded` knows when. */
  | Readonly<{ kind: 'repeated'; folded: Folded<S> }>
  | Readonly<{ kind: 'failed'; error: unknown }>;

export type Plan<E, S> = Readonly<{
  events: readonly NewEvent[];
  /** The aggregate after the batch. */
  after: Folded<S>;
  /** One for each command, in their order. */
  answers: readonly Answer<E, S>[];
}>;

export type Planner<C extends AnyCommand, E extends AnyEvent, S> = Readonly<{
  decider: Decider<C, E, S>;
  codec: Codec<E>;
  producer: string;
}>;

/** Decides commands of one stream in order, each on what those before it lead to. */
export const planBatch = <C extends AnyCommand, E extends AnyEvent, S>(
  planner: Planner<C, E, S>,
  stream: string,
  start: Folded<S>,
  orders: readonly Order<C, S>[],
  now: string,
): Plan<E, S> => {
  const { decider, codec, producer } = planner;
  const events: NewEvent[] = [];
  let after = start;

  /** Takes all events of the command or none. */
  const record = (decided: readonly E[], context: CommandContext): void => {
    const added: NewEvent[] = [];
    let next = after;
    for (const event of decided) {
      const recorded = newEvent(codec.encode(event), { stream, index: added.length, context, producer });
      const revision = (next.revision ?? -1n) + 1n;
      next = advance({ decider, codec }, next, {
        ...recorded,
        stream,
        revision,
        position: next.position,
        recordedAt: now,
      });
      added.push(recorded);
    }
    events.push(...added);
    after = next;
  };

  const answer = ({ command, context, options }: Order<C, S>): Answer<E, S> => {
    try {
      options.guard?.(after);
      if (isRepeated(after.requests, context)) return { kind: 'repeated', folded: after };
      checkRevision(options.expectedRevision, after);
      const decided = decider.decide(command, after.state, now);
      record(decided, context);
      return { kind: 'done', events: decided, folded: after };
    } catch (error) {
      return { kind: 'failed', error };
    }
  };

  const answers = orders.map(answer);
  return { events, after, answers };
};

/** @throws InvalidRequest when the request id was used for another request */
export const isRepeated = (log: RequestLog, { requestId, fingerprint }: CommandContext): boolean => {
  const known = findRequest(log, requestId);
  if (known && known.fingerprint !== fingerprint) {
    const description = 'was used before for another request';
    throw new InvalidRequest([{ field: 'request_id', description }], 'REQUEST_ID_REUSED');
  }
  return known !== undefined;
};

/** @throws Conflict */
export const checkRevision = (expected: bigint | undefined, { revision, snapshotAt }: Folded<unknown>): void => {
  if (expected === undefined || expected === revision) return;
  // A snapshot changes nothing that the caller could have seen.
  if (revision !== null && revision === snapshotAt && expected === revision - 1n) return;
  throw new Conflict(`the revision is ${revision ?? 'none'}`, revision);
};

const newEvent = (
  { type, data }: Readonly<{ type: string; data: object }>,
  { stream, index, context, producer }: { stream: string; index: number; context: CommandContext; producer: string },
): NewEvent => {
  const { requestId, fingerprint, correlationId, causationId, accountId, actor, traceparent } = context;
  const metadata = {
    $correlationId: correlationId,
    $causationId: causationId,
    accountId,
    actor,
    requestId,
    fingerprint,
    producer,
  };
  const id = eventId(requestId, stream, index, [type, data, metadata]);
  // Not of the id: a repeat is another span of the same event.
  return { id, type, data, metadata: traceparent ? { ...metadata, traceparent } : metadata };
};
