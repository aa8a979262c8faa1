import type { Status } from '../../gen/google/rpc/status.ts';

/** What is wrong with a field of a request. */
export type FieldViolation = Readonly<{ field: string; description: string }>;

/** An error that a service answered, or that kept it from answering. */
export class RemoteError extends Error {
  override readonly name = 'RemoteError';
  /** A gRPC status code. */
  readonly code: number;
  /** Reason of its ErrorInfo; empty when it gave none. */
  readonly reason: string;
  readonly facts: Readonly<Record<string, string>>;
  readonly violations: readonly FieldViolation[];
  readonly retryAfterMs: number | undefined;
  /** As it was answered, to be passed on. */
  readonly status: Status | undefined;

  constructor(answer: RemoteAnswer) {
    super(answer.message, { cause: answer.cause });
    this.code = answer.code;
    this.reason = answer.reason;
    this.facts = answer.facts;
    this.violations = answer.violations;
    this.retryAfterMs = answer.retryAfterMs;
    this.status = answer.status;
  }

  is(reason: string): boolean {
    return this.reason === reason;
  }
}

export type RemoteAnswer = Readonly<{
  code: number;
  message: string;
  reason: string;
  facts: Readonly<Record<string, string>>;
  violations: readonly FieldViolation[];
  retryAfterMs: number | undefined;
  status: Status | undefined;
  cause: unknown;
}>;
