/** A past-tense fact. Data is JSON as stored: strings, numbers, booleans, null, arrays and objects. */
export type Ev<T extends string, D extends object> = Readonly<{ type: T; data: Readonly<D> }>;

/** An imperative request to an aggregate. */
export type Cmd<T extends string, D extends object> = Readonly<{ type: T; data: Readonly<D> }>;

export type AnyEvent = Ev<string, object>;
export type AnyCommand = Cmd<string, object>;

/** Flat string metadata of a stored event; the two `$` keys are the event store's own reserved names. */
export type Metadata = Readonly<{
  $correlationId: string;
  $causationId: string;
  /** The account on whose behalf, empty for operators and services of their own accord. */
  accountId: string;
  /** `user:<subject>` or `service:<name>`. */
  actor: string;
  /** Scope of the request: `<account>/<method>/<request id>`. */
  requestId: string;
  /** Hash of the request's body, by which a reused request id is told from a retry. */
  fingerprint: string;
  /** The service that wrote it. */
  producer: string;
  /** W3C Trace Context of what wrote it, where that was traced. */
  traceparent?: string;
}>;

/** An event as the store keeps it, before its codec has read it. */
export type StoredEvent = Readonly<{
  id: string;
  type: string;
  data: unknown;
  metadata: Readonly<Record<string, string>>;
  stream: string;
  revision: bigint;
  position: bigint;
  /** When the store recorded it, ISO 8601: in milliseconds from a subscription, in seconds from a read. */
  recordedAt: string;
}>;

/** An event as its codec has read it. */
export type Recorded<E extends AnyEvent> = E & Readonly<{ meta: Omit<StoredEvent, 'type' | 'data'> }>;

export type NewEvent = Readonly<{ id: string; type: string; data: object; metadata: Metadata }>;
