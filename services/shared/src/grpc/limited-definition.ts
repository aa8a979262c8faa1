import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import { InvalidRequest } from '../app/errors.ts';
import { MessageTooLarge } from './status.ts';

export const MAX_REQUEST_BYTES = 1024 * 1024;

/** Stands for a request that could not be read, so that the handler's wrapper can answer with a typed error. */
class Unreadable {
  readonly error: Error;

  constructor(error: Error) {
    this.error = error;
  }
}

/** @throws InvalidRequest, MessageTooLarge */
export const readable = <Request extends object>(request: Request): Request => {
  if (request instanceof Unreadable) throw request.error;
  return request;
};

/** grpc-js answers what it cannot read or write on its own, without a reason and past every log: this one does not. */
export const limitedDefinition = (definition: ServiceDefinition, log: Logger): ServiceDefinition =>
  Object.fromEntries(Object.entries(definition).map(([name, method]) => [name, limitedMethod(method, log)]));

const limitedMethod = (method: MethodDefinition<object, object>, log: Logger): MethodDefinition<object, object> => ({
  ...method,
  requestDeserialize: (bytes) => {
    if (bytes.length > MAX_REQUEST_BYTES) return new Unreadable(new MessageTooLarge(MAX_REQUEST_BYTES));
    try {
      return method.requestDeserialize(bytes);
    } catch {
      const violation = { field: '', description: 'the request is not a message of the expected type' };
      return new Unreadable(new InvalidRequest([violation], 'MALFORMED_REQUEST'));
    }
  },
  responseSerialize: (response) => {
    try {
      return method.responseSerialize(response);
    } catch (error) {
      log.error({ method: method.path, err: error }, 'a response cannot be written');
      throw error;
    }
  },
});
