import { type Metadata, type ServiceError, status } from '@grpc/grpc-js';
import {
  BadRequest,
  ErrorInfo,
  type MessageFns,
  PreconditionFailure,
  QuotaFailure,
  ResourceInfo,
  RetryInfo,
} from '@privatelink/proto/google/rpc/error_details';
import { Status } from '@privatelink/proto/google/rpc/status';
import type { FieldViolation } from '../app/errors.ts';
import { RemoteError } from './remote-error.ts';

export const DETAILS_KEY = 'grpc-status-details-bin';
const TYPE_PREFIX = 'type.googleapis.com/google.rpc.';

/** Everything that one of our errors tells a caller. */
export type Answer = Readonly<{
  code: number;
  message: string;
  reason: string;
  facts: Readonly<Record<string, string>>;
  violations?: readonly FieldViolation[];
  retryAfterMs?: number;
}>;

type Detail = Status['details'][number];

// Trailers share the peer's limit for headers, often 8 KiB.
const MAX_VIOLATIONS = 32;
const MAX_TEXT = 512;

/** Such a text can be a gRPC message: a lone surrogate could not be encoded. */
export const cut = (text: string): string => text.slice(0, MAX_TEXT).toWellFormed();

export const toStatus = (answer: Answer, domain: string): Status => ({
  code: answer.code,
  message: cut(answer.message),
  details: [...details(answer, domain)],
});

function* details(answer: Answer, domain: string): Iterable<Detail> {
  const { code, reason, violations = [], retryAfterMs } = answer;
  const message = cut(answer.message);
  const facts = Object.fromEntries(Object.entries(answer.facts).map(([key, value]) => [key, cut(value)]));
  const subject = subjectOf(facts);
  yield pack('ErrorInfo', ErrorInfo, { reason, domain, metadata: facts });
  if (violations.length > 0) {
    const fieldViolations = violations.slice(0, MAX_VIOLATIONS).map(({ field, description }) => ({
      field,
      description: cut(description),
      reason,
      localizedMessage: undefined,
    }));
    yield pack('BadRequest', BadRequest, { fieldViolations });
  }
  if (code === status.NOT_FOUND || code === status.ALREADY_EXISTS) {
    const resourceType = facts['resource_type'] ?? reason.replace(/_(NOT_FOUND|EXISTS)$/, '').toLowerCase();
    yield pack('ResourceInfo', ResourceInfo, { resourceType, resourceName: subject, owner: '', description: message });
  }
  if (code === status.FAILED_PRECONDITION) {
    yield pack('PreconditionFailure', PreconditionFailure, {
      violations: [{ type: reason, subject, description: message }],
    });
  }
  if (code === status.RESOURCE_EXHAUSTED) {
    yield pack(
      'QuotaFailure',
      QuotaFailure,
      QuotaFailure.fromPartial({
        violations: [{ subject, description: message, quotaId: facts['quota'] ?? reason }],
      }),
    );
  }
  if (retryAfterMs !== undefined) {
    const seconds = BigInt(Math.floor(retryAfterMs / 1000));
    yield pack('RetryInfo', RetryInfo, { retryDelay: { seconds, nanos: (retryAfterMs % 1000) * 1_000_000 } });
  }
}

/** What an error is about: the first fact that is an id. */
const subjectOf = (facts: Readonly<Record<string, string>>): string =>
  Object.entries(facts).find(([key]) => /(^id|Id|_id)$/.test(key))?.[1] ?? '';

const pack = <T>(type: string, message: MessageFns<T>, value: T): Detail => ({
  typeUrl: `${TYPE_PREFIX}${type}`,
  value: Buffer.from(message.encode(value).finish()),
});

const unpack = <T>(details: readonly Detail[], type: string, message: MessageFns<T>): T | undefined => {
  const found = details.find(({ typeUrl }) => typeUrl === `${TYPE_PREFIX}${type}`);
  return found && message.decode(found.value);
};

/** Reads an error that a call ended with. */
export const readError = (error: ServiceError): RemoteError => {
  const answered = readStatus(error.metadata);
  const details = answered?.details ?? [];
  const info = unpack(details, 'ErrorInfo', ErrorInfo);
  const retryDelay = unpack(details, 'RetryInfo', RetryInfo)?.retryDelay;
  return new RemoteError({
    code: error.code,
    message: error.details,
    reason: info?.reason ?? '',
    facts: info?.metadata ?? {},
    violations: unpack(details, 'BadRequest', BadRequest)?.fieldViolations ?? [],
    retryAfterMs: retryDelay && Number(retryDelay.seconds) * 1000 + retryDelay.nanos / 1_000_000,
    status: answered,
    cause: error,
  });
};

const readStatus = (metadata: Metadata | undefined): Status | undefined => {
  const [encoded] = metadata?.get(DETAILS_KEY) ?? [];
  if (!Buffer.isBuffer(encoded)) return undefined;
  try {
    return Status.decode(encoded);
  } catch {
    // Details of a stranger in between: the code and the message still stand.
    return undefined;
  }
};
