import type { Metadata, ServiceError } from '@grpc/grpc-js';
import { BadRequest, ErrorInfo, type MessageFns, RetryInfo } from '../../gen/google/rpc/error_details.ts';
import { Status } from '../../gen/google/rpc/status.ts';
import { RemoteError } from './remote-error.ts';

/** Trailer with the google.rpc.Status of an error. */
export const DETAILS_KEY = 'grpc-status-details-bin';
/** What the name of a detail's message stands after. */
export const DETAIL_PREFIX = 'type.googleapis.com/google.rpc.';

type Detail = Status['details'][number];

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

const unpack = <T>(details: readonly Detail[], type: string, message: MessageFns<T>): T | undefined => {
  const found = details.find(({ typeUrl }) => typeUrl === `${DETAIL_PREFIX}${type}`);
  return found && message.decode(found.value);
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
