import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { status } from '@grpc/grpc-js';
import {
  Denied,
  type FieldViolation,
  InvalidRequest,
  Unauthenticated,
  Unavailable,
} from '@privatelink/shared/app/errors';
import { RemoteError } from '@privatelink/shared/grpc/remote-error';
import type { FastifyError } from 'fastify';
import { hasZodFastifySchemaValidationErrors, type ZodFastifySchemaValidationError } from 'fastify-type-provider-zod';

/** There is nothing of that name, or not for this caller. */
export class NotFound extends Error {
  override readonly name = 'NotFound';

  constructor(message = 'there is nothing here') {
    super(message);
  }
}

/** More of something at once than anybody may have. */
export class TooMany extends Error {
  override readonly name = 'TooMany';
}

/** How the API says no: as the services do, with the name of the gRPC code. */
type ErrorBody = Readonly<{
  error: Readonly<{
    code: string;
    reason: string;
    message: string;
    violations: readonly FieldViolation[];
    facts: Readonly<Record<string, string>>;
  }>;
}>;
type Answer = Readonly<{ http: number; body: ErrorBody }>;

const HTTP: Readonly<Record<number, number>> = {
  [status.CANCELLED]: 499,
  [status.INVALID_ARGUMENT]: 400,
  [status.FAILED_PRECONDITION]: 409,
  [status.OUT_OF_RANGE]: 400,
  [status.UNAUTHENTICATED]: 401,
  [status.PERMISSION_DENIED]: 403,
  [status.NOT_FOUND]: 404,
  [status.ABORTED]: 409,
  [status.ALREADY_EXISTS]: 409,
  [status.RESOURCE_EXHAUSTED]: 429,
  [status.UNIMPLEMENTED]: 501,
  [status.UNAVAILABLE]: 503,
  [status.DEADLINE_EXCEEDED]: 504,
};

type Said = Readonly<{
  reason?: string;
  message: string;
  violations?: readonly FieldViolation[];
  facts?: Readonly<Record<string, string>>;
}>;

const answer = (code: number, { reason, message, violations = [], facts = {} }: Said): Answer => ({
  http: HTTP[code] ?? 500,
  body: {
    error: {
      code: status[code] ?? 'UNKNOWN',
      reason: reason || (status[code] ?? 'UNKNOWN'),
      message,
      violations: violations.map(({ field, description }) => ({ field, description })),
      facts: { ...facts },
    },
  },
});

/** With fields as requests name them here, which is protobuf's JSON. */
const inJson = <E extends RemoteError | InvalidRequest>({ reason, message, violations }: E): Said => ({
  ...{ reason, message },
  violations: violations.map(({ field, description }) => ({
    ...{ description, field: field.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()) },
  })),
});

/** What a caller is told of an error; null for a bug of ours. */
export const answerTo = (error: unknown): Answer | null => {
  if (error instanceof RemoteError) return answer(error.code, { ...inJson(error), facts: error.facts });
  if (error instanceof InvalidRequest) return answer(status.INVALID_ARGUMENT, inJson(error));
  if (error instanceof Unauthenticated) return answer(status.UNAUTHENTICATED, error);
  if (error instanceof Denied) return answer(status.PERMISSION_DENIED, error);
  if (error instanceof Unavailable) return answer(status.UNAVAILABLE, error);
  if (error instanceof NotFound) return answer(status.NOT_FOUND, error);
  if (error instanceof TooMany) return answer(status.RESOURCE_EXHAUSTED, error);
  if (hasZodFastifySchemaValidationErrors(error)) {
    const part = error.validationContext ?? 'request';
    const violations = error.validation.flatMap((issue) =>
      fieldsOf(issue, part).map((field) => ({ field, description: issue.message ?? 'is not valid' })),
    );
    const message = violations.map(({ field, description }) => `${field}: ${description}`).join('; ');
    return answer(status.INVALID_ARGUMENT, { message, violations });
  }
  return answerToFramework(error as Partial<FastifyError>);
};

/** What is wrong; where that is no field, the part of the request that is. */
const fieldsOf = ({ instancePath, params }: ZodFastifySchemaValidationError, part: string): readonly string[] => {
  if (Array.isArray(params['keys'])) return params['keys'].map(String);
  return [instancePath.replace(/^\//, '').replaceAll('/', '.') || part];
};

/** What Fastify itself refuses: bodies that are too large, or no JSON; addresses that are none. */
const answerToFramework = ({ statusCode = 500, message = '', code = '' }: Partial<FastifyError>): Answer | null => {
  if (statusCode >= 500 || statusCode < 400) return null;
  // A path that leads out of the pages, which are all that there is.
  if (statusCode === 403) return answerTo(new NotFound());
  const field = /^FST_ERR_(BAD_URL|MAX_PARAM_LENGTH)$/.test(code) ? 'path' : 'body';
  return {
    ...answer(status.INVALID_ARGUMENT, { message, violations: [{ field, description: message }] }),
    http: statusCode,
  };
};

const UNREAD: Readonly<Record<string, number>> = { ERR_HTTP_REQUEST_TIMEOUT: 408, HPE_HEADER_OVERFLOW: 431 };

/** Refuses what does not get as far as being a request. */
export const refuseUnread = (error: Error & { code: string }, socket: Socket): void => {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const http = UNREAD[error.code] ?? 400;
  const message = STATUS_CODES[http] ?? '';
  const body = JSON.stringify(answer(status.INVALID_ARGUMENT, { message }).body);
  const head = [`HTTP/1.1 ${http} ${message}`, 'connection: close', 'content-type: application/json'];
  if (socket.writable)
    socket.write(`${[...head, `content-length: ${Buffer.byteLength(body)}`].join('\r\n')}\r\n\r\n${body}`);
  socket.destroy(error);
};

export const internalError = (errorId: string): Answer =>
  answer(status.INTERNAL, { message: `internal error ${errorId}`, facts: { error_id: errorId } });
