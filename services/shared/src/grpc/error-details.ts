import { status } from '@grpc/grpc-js';
import { DETAIL_PREFIX } from '@privatelink/client/read-error';
import {
  BadRequest,
  ErrorInfo,
  type MessageFns,
  PreconditionFailure,
  QuotaFailure,
  ResourceInfo,
  RetryInfo,
} from '@privatelink/proto/google/rpc/error_details';
import type { Status } from '@privatelink/proto/google/rpc/status';
import type { FieldViolation } from '../app/errors.ts';

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
  typeUrl: `${DETAIL_PREFIX}${type}`,
  value: Buffer.from(message.encode(value).finish()),
});
