import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import type { AppendError } from './append-responses.ts';

/** An error as the client knows it: it reads the trailer `exception` and the ones beside it. */
export function rpcError(code: status, details: string, trailers: Readonly<Record<string, string>> = {}): ServiceError {
  const metadata = new Metadata();
  for (const [key, value] of Object.entries(trailers)) metadata.set(key, value);
  return Object.assign(new Error(details), { code, details, metadata });
}

/** Trailers are ASCII: what else a stream name holds is percent-encoded there, whole in the message. */
function trailer(stream: string): string {
  return /^[\x20-\x7e]*$/.test(stream) ? stream : encodeURIComponent(stream);
}

export function streamDeletedError(stream: string): ServiceError {
  return rpcError(status.FAILED_PRECONDITION, `Event stream '${stream}' is deleted.`, {
    exception: 'stream-deleted',
    'stream-name': trailer(stream),
  });
}

export function invalidArgument(message: string): ServiceError {
  return rpcError(status.INVALID_ARGUMENT, message);
}

export function shuttingDown(): ServiceError {
  return rpcError(status.UNAVAILABLE, 'the event store is shutting down');
}

/** The error of a call that carries one write: Append, Delete, Tombstone. */
export function writeError(stream: string, error: AppendError): ServiceError {
  switch (error.kind) {
    case 'wrongVersion':
      return rpcError(
        status.FAILED_PRECONDITION,
        `WrongExpectedVersion. Stream: ${stream}, expected: ${error.expected}, actual: ${error.current}`,
        {
          exception: 'wrong-expected-version',
          'stream-name': trailer(stream),
          'expected-version': String(error.expected),
          'actual-version': String(error.current),
        },
      );
    case 'streamDeleted':
      return streamDeletedError(stream);
    case 'timeout':
      return rpcError(status.DEADLINE_EXCEEDED, 'the deadline passed before the write');
    case 'appendTooLarge':
      return rpcError(status.INVALID_ARGUMENT, `Maximum Append Size of ${error.limit} Exceeded.`, {
        exception: 'maximum-append-size-exceeded',
        'maximum-append-size': String(error.limit),
      });
    case 'badRequest':
      return invalidArgument(error.message);
    case 'failed':
      return rpcError(status.INTERNAL, error.message);
  }
}
