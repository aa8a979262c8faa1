import {
  createFileRegistry,
  type DescMethod,
  type FileRegistry,
  fromBinary,
  type JsonObject,
  type JsonWriteOptions,
  type Message,
  toBinary,
  toJson,
} from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { type Client, Metadata, type ServiceError } from '@grpc/grpc-js';
import { readError } from '@privatelink/client/read-error';
import { readDescriptorImage } from '@privatelink/proto/descriptors';

/** The whole contract. */
export const registry: FileRegistry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readDescriptorImage()));

export type JsonCall = Readonly<{
  token: string;
  /** Of a call that is answered once; streams have no end but the caller's. */
  timeoutMs: number;
  signal?: AbortSignal;
  /** How answers are written: by default with protobuf's JSON names. */
  write?: Partial<JsonWriteOptions>;
}>;

/**
 * Calls an RPC by its descriptor: each message that is answered, in protobuf's JSON.
 *
 * @throws RemoteError
 */
export async function* callJson(
  client: Client,
  method: DescMethod,
  request: Message,
  { token, timeoutMs, signal, write }: JsonCall,
): AsyncIterable<JsonObject> {
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${token}`);
  const answered = (bytes: Buffer): JsonObject =>
    toJson(method.output, fromBinary(method.output, bytes), {
      ...{ registry, alwaysEmitImplicit: true },
      ...write,
    }) as JsonObject;
  const args = [
    `/${method.parent.typeName}/${method.name}`,
    (bytes: Uint8Array) => Buffer.from(bytes),
    answered,
    toBinary(method.input, request),
    metadata,
  ] as const;
  let running: Readonly<{ cancel: () => void }> | undefined;
  const cancel = (): void => running?.cancel();
  signal?.addEventListener('abort', cancel, { once: true });
  try {
    signal?.throwIfAborted();
    if (method.methodKind === 'server_streaming') {
      const stream = client.makeServerStreamRequest(...args);
      running = stream;
      yield* stream as AsyncIterable<JsonObject>;
      return;
    }
    const answer = Promise.withResolvers<JsonObject>();
    running = client.makeUnaryRequest(...args, { deadline: Date.now() + timeoutMs }, (error, response) =>
      response === undefined ? answer.reject(error) : answer.resolve(response),
    );
    yield await answer.promise;
  } catch (error) {
    throw isServiceError(error) ? readError(error) : error;
  } finally {
    signal?.removeEventListener('abort', cancel);
  }
}

const isServiceError = (error: unknown): error is ServiceError =>
  error instanceof Error && 'code' in error && 'metadata' in error;
