import {
  create,
  type DescMethod,
  fromBinary,
  fromJson,
  type JsonValue,
  type Message,
  toBinary,
  toJson,
} from '@bufbuild/protobuf';
import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { readError } from '@privatelink/shared/grpc/error-details';
import { registry } from './contract.ts';
import type { Json } from './field-option.ts';

export type Target = Readonly<{ address: string; token: string; timeoutMs: number }>;

export type Answer = Readonly<{ [field: string]: Json }>;

/** @throws Error when the request is not one */
export const requestFrom = (method: DescMethod, json: Json): Message =>
  json === null ? create(method.input) : fromJson(method.input, json as JsonValue, { registry });

/**
 * Calls an RPC by its descriptor: each message that is answered, with the contract's names.
 *
 * @throws RemoteError
 */
export async function* call(method: DescMethod, request: Message, target: Target): AsyncIterable<Answer> {
  const client = new Client(target.address, credentials.createInsecure());
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${target.token}`);
  const path = `/${method.parent.typeName}/${method.name}`;
  const answered = (bytes: Buffer): Answer => {
    const options = { registry, useProtoFieldName: true, alwaysEmitImplicit: true };
    return toJson(method.output, fromBinary(method.output, bytes), options) as Answer;
  };
  const args = [
    path,
    (bytes: Uint8Array) => Buffer.from(bytes),
    answered,
    toBinary(method.input, request),
    metadata,
  ] as const;
  try {
    if (method.methodKind === 'server_streaming') {
      yield* client.makeServerStreamRequest(...args) as AsyncIterable<Answer>;
      return;
    }
    const answer = Promise.withResolvers<Answer>();
    client.makeUnaryRequest(...args, { deadline: Date.now() + target.timeoutMs }, (error, response) =>
      response === undefined ? answer.reject(error) : answer.resolve(response),
    );
    yield await answer.promise;
  } catch (error) {
    throw isServiceError(error) ? readError(error) : error;
  } finally {
    client.close();
  }
}

const isServiceError = (error: unknown): error is ServiceError =>
  error instanceof Error && 'code' in error && 'metadata' in error;
