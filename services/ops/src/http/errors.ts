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
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';

/** There is nothing of that name, or not for this caller. */
export class NotFound extends Error {
  override readonly name = 'NotFound';
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

/** What a caller is told of an error; null for a bug of ours. */
export const answerTo = (error: unknown): Answer | null => {
  if (error instanceof RemoteError) return answer(error.code, error);
  if (error instanceof InvalidRequest) return answer(status.INVALID_ARGUMENT, error);
  if (error instanceof Unauthenticated) return answer(status.UNAUTHENTICATED, error);
  if (error instanceof Denied) return answer(status.PERMISSION_DENIED, error);
  if (error instanceof Unavailable) return answer(status.UNAVAILABLE, error);
  if (error instanceof NotFound) return answer(status.NOT_FOUND, error);
  if (error instanceof TooMany) return answer(status.RESOURCE_EXHAUSTED, error);
  if (hasZodFastifySchemaValidationErrors(error)) {
    const violations = error.validation.map(({ instancePath, message }) => ({
      field: instancePath.replace(/^\//, '').replaceAll('/', '.'),
      description: message ?? 'is not valid',
    }));
    const message = violations.map(({ field, description }) => `${field}: ${description}`).join('; ');
    return answer(status.INVALID_ARGUMENT, { message, violations });
  }
  return answerToFramework(error as Partial<FastifyError>);
};

/** What Fastify itself refuses: bodies that are too large, or no JSON. */
const answerToFramework = ({ statusCode = 500, message = '' }: Partial<FastifyError>): Answer | null => {
  if (statusCode >= 500 || statusCode < 400) return null;
  return { ...answer(status.INVALID_ARGUMENT, { message }), http: statusCode };
};

export const internalError = (errorId: string): Answer =>
  answer(status.INTERNAL, { message: `internal error ${errorId}`, facts: { error_id: errorId } });
