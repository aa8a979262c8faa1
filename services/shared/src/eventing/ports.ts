import type { NewEvent, StoredEvent } from './message.ts';

/** Revision that a stream must have for an append; there is no 'any'. */
export type ExpectedRevision = bigint | 'no-stream';

export class WrongRevision extends Error {
  override readonly name = 'WrongRevision';
  constructor(stream: string, expected: ExpectedRevision) {
    super(`${stream} is not at ${expected}`);
  }
}

export type Appended = Readonly<{ revision: bigint; position: bigint }>;

export type EventStore = Readonly<{
  /**
   * One atomic append. After an ambiguous failure it is repeated with the same ids and the original expectation, so
   * that it is recorded exactly once.
   *
   * @throws WrongRevision when somebody else's events are there
   */
  append: (stream: string, events: readonly NewEvent[], expected: ExpectedRevision) => Promise<Appended>;
  /** Events of a stream; none when it is absent. `from` is inclusive. */
  read: (
    stream: string,
    options: Readonly<{ from: bigint | 'start' | 'end'; direction: 'forwards' | 'backwards'; maxCount: number }>,
  ) => AsyncIterable<StoredEvent>;
  /** Position of the last event of the whole store; 0 when there is none. */
  tail: () => Promise<bigint>;
  /**
   * Follows all streams whose names start with one of the prefixes, from after a position (null: from the start),
   * until the signal aborts. Ends with an error when the connection is lost: the runner resumes it.
   */
  subscribe: (options: SubscribeOptions) => AsyncIterable<SubscriptionMessage>;
}>;

export type SubscribeOptions = Readonly<{
  prefixes: readonly string[];
  after: bigint | null;
  signal: AbortSignal;
}>;

export type SubscriptionMessage =
  | Readonly<{ kind: 'event'; event: StoredEvent }>
  /** Everything up to this position has been examined. */
  | Readonly<{ kind: 'checkpoint'; position: bigint }>
  | Readonly<{ kind: 'caughtUp' }>;

/** All waiting and all time goes through here, so that a simulator can own it. */
export type Clock = Readonly<{
  now: () => Date;
  /** Resolves after `ms`, or earlier when the signal aborts. */
  sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
}>;
