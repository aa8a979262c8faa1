import { randomUUID } from 'node:crypto';
import { Metadata, status } from '@grpc/grpc-js';
import { DETAILS_KEY } from '@privatelink/client/read-error';
import { Status } from '@privatelink/proto/google/rpc/status';
import type { Logger } from 'pino';
import { Conflict, Denied, InvalidRequest, Unauthenticated, Unavailable } from '../app/errors.ts';
import { Rejected } from '../eventing/rejected.ts';
import { type Answer, cut, toStatus } from './error-details.ts';
import { RemoteError } from './remote-error.ts';

/** Code and message of each reason for which a service's rules say no. Reasons, codes and messages are public API. */
export type ErrorCatalogue = Readonly<
  Record<string, Readonly<{ code: number; message: (facts: Readonly<Record<string, string>>) => string }>>
>;

/** Nobody waits for the outcome any more. */
export class DeadlineExceeded extends Error {
  override readonly name = 'DeadlineExceeded';
}

/** The caller hung up. */
export class Cancelled extends Error {
  override readonly name = 'Cancelled';
}

/** A message beyond the size that we read. */
export class MessageTooLarge extends Error {
  override readonly name = 'MessageTooLarge';
  readonly limit: number;

  constructor(limit: number) {
    super(`the message is larger than ${limit} bytes`);
    this.limit = limit;
  }
}

/** How a call ends that failed. */
export type Failure = Readonly<{ code: number; reason: string; details: string; metadata: Metadata }>;

export type ErrorFunnel = (error: unknown, context?: Readonly<Record<string, unknown>>) => Failure;

const QUOTA_RETRY_MS = 10_000;

/** The one place where errors become what a caller sees. What is a bug is logged here, and nothing of it leaves. */
export const errorFunnel = (service: string, catalogue: ErrorCatalogue, log: Logger): ErrorFunnel => {
  const domain = `${service}.privatelink`;
  return (error, context = {}) => {
    const passed = passedOn(error);
    if (passed) return encode(passed.status, passed.reason);
    const known = answerTo(error, catalogue);
    if (known) {
      if (known.code === status.UNAVAILABLE) log.warn({ ...context, err: error }, 'unavailable');
      else log.debug({ ...context, err: error }, 'refused');
      return encode(toStatus(known, domain), known.reason);
    }
    const errorId = randomUUID();
    log.error({ ...context, errorId, err: error }, 'bug');
    const answer = {
      code: status.INTERNAL,
      message: `internal error ${errorId}`,
      reason: 'INTERNAL',
      facts: { error_id: errorId },
    };
    return encode(toStatus(answer, domain), answer.reason);
  };
};

const encode = (answered: Status, reason: string): Failure => {
  const metadata = new Metadata();
  metadata.set(DETAILS_KEY, Buffer.from(Status.encode(answered).finish()));
  return { code: answered.code, reason, details: answered.message, metadata };
};

const answerTo = (error: unknown, catalogue: ErrorCatalogue): Answer | undefined => {
  if (error instanceof Rejected) return answerToRejected(error, catalogue);
  if (error instanceof InvalidRequest) {
    const { message, reason, violations } = error;
    return { code: status.INVALID_ARGUMENT, message, reason, facts: {}, violations };
  }
  if (error instanceof Unauthenticated) {
    return { code: status.UNAUTHENTICATED, message: error.message, reason: 'UNAUTHENTICATED', facts: {} };
  }
  if (error instanceof Denied) {
    return { code: status.PERMISSION_DENIED, message: error.message, reason: 'PERMISSION_DENIED', facts: {} };
  }
  if (error instanceof Conflict) {
    const facts = error.currentRevision === null ? {} : { current_revision: error.currentRevision.toString() };
    const violations = [{ field: 'expected_revision', description: error.message }];
    return { code: status.ABORTED, message: error.message, reason: 'REVISION_CONFLICT', facts, violations };
  }
  if (error instanceof Unavailable) {
    const { message, reason, retryAfterMs } = error;
    return { code: status.UNAVAILABLE, message, reason, facts: {}, retryAfterMs };
  }
  if (error instanceof DeadlineExceeded) {
    return { code: status.DEADLINE_EXCEEDED, message: 'deadline exceeded', reason: 'DEADLINE_EXCEEDED', facts: {} };
  }
  if (error instanceof Cancelled) {
    return { code: status.CANCELLED, message: 'cancelled by the caller', reason: 'CANCELLED', facts: {} };
  }
  if (error instanceof MessageTooLarge) {
    const facts = { limit_in_bytes: String(error.limit) };
    return { code: status.RESOURCE_EXHAUSTED, message: error.message, reason: 'MESSAGE_TOO_LARGE', facts };
  }
  return error instanceof RemoteError ? answerToRemote(error) : undefined;
};

const answerToRejected = ({ reason, facts }: Rejected, catalogue: ErrorCatalogue): Answer | undefined => {
  const entry = catalogue[reason];
  if (!entry) return undefined;
  const message = entry.message(facts);
  const field = facts['field'];
  return {
    code: entry.code,
    message,
    reason,
    facts,
    ...(field !== undefined && { violations: [{ field, description: cut(message) }] }),
    ...(entry.code === status.RESOURCE_EXHAUSTED && { retryAfterMs: QUOTA_RETRY_MS }),
  };
};

const CALLERS_OWN: readonly number[] = [
  status.INVALID_ARGUMENT,
  status.NOT_FOUND,
  status.ALREADY_EXISTS,
  status.FAILED_PRECONDITION,
  status.RESOURCE_EXHAUSTED,
  status.ABORTED,
];

/** A service that we asked for the caller said no for a reason of the caller's: its words are passed on. */
const passedOn = (error: unknown): Readonly<{ status: Status; reason: string }> | undefined =>
  error instanceof RemoteError && error.status && error.reason && CALLERS_OWN.includes(error.code)
    ? { status: error.status, reason: error.reason }
    : undefined;

const NOT_THERE: readonly number[] = [status.UNAVAILABLE, status.DEADLINE_EXCEEDED, status.CANCELLED];

const answerToRemote = (error: RemoteError): Answer | undefined =>
  NOT_THERE.includes(error.code)
    ? {
        code: status.UNAVAILABLE,
        message: 'a service that is needed does not answer',
        reason: error.reason || 'DEPENDENCY_UNAVAILABLE',
        facts: {},
        retryAfterMs: error.retryAfterMs ?? 1000,
      }
    : undefined;
