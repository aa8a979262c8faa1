import type { FieldViolation } from '@privatelink/client/remote-error';

/** The errors besides `Rejected` that may reach a caller; anything else is a bug. */

export type { FieldViolation };

/** The request's shape is wrong, whatever the state. */
export class InvalidRequest extends Error {
  override readonly name = 'InvalidRequest';
  readonly reason: string;
  readonly violations: readonly FieldViolation[];

  constructor(violations: readonly FieldViolation[], reason = 'INVALID_ARGUMENT') {
    super(violations.map((violation) => `${violation.field}: ${violation.description}`).join('; '));
    this.violations = violations;
    this.reason = reason;
  }
}

/** The caller is nobody that we know. */
export class Unauthenticated extends Error {
  override readonly name = 'Unauthenticated';
}

/** The caller's roles may not call this RPC at all. */
export class Denied extends Error {
  override readonly name = 'Denied';
}

/** The stream is not at the revision that the caller expects. */
export class Conflict extends Error {
  override readonly name = 'Conflict';
  readonly currentRevision: bigint | null;

  constructor(message: string, currentRevision: bigint | null = null) {
    super(message);
    this.currentRevision = currentRevision;
  }
}

/** Something that we need does not answer, or is behind. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable';
  readonly reason: string;
  readonly retryAfterMs: number;

  constructor(reason: string, message: string, options: ErrorOptions & { retryAfterMs?: number } = {}) {
    super(message, options);
    this.reason = reason;
    this.retryAfterMs = options.retryAfterMs ?? 1000;
  }
}
