import { create, type DescMethod, fromJson, type JsonValue, type Message } from '@bufbuild/protobuf';
import { Client, credentials } from '@grpc/grpc-js';
import { callJson, registry } from '@privatelink/shared/grpc/json-call';
import type { Json } from './field-option.ts';

export type Target = Readonly<{ address: string; token: string; timeoutMs: number }>;

export type Answer = Readonly<{ [field: string]: Json }>;

/** @throws Error when the request is not one */
export const requestFrom = (method: DescMethod, json: Json): Message =>
  json === null ? create(method.input) : fromJson(method.input, json as JsonValue, { registry });

/**
 * Calls an RPC: each message that is answered, with the contract's names.
 *
 * @throws RemoteError
 */
export async function* call(method: DescMethod, request: Message, target: Target): AsyncIterable<Answer> {
  const { address, token, timeoutMs } = target;
  const client = new Client(address, credentials.createInsecure());
  try {
    yield* callJson(client, method, request, {
      token,
      timeoutMs,
      write: { useProtoFieldName: true },
    }) as AsyncIterable<Answer>;
  } finally {
    client.close();
  }
}
