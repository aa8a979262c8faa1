import type { Client, Metadata, ServiceError } from '@grpc/grpc-js';
import { readError } from './read-error.ts';

/** A generated method: how its messages become bytes, and back. */
export type Method<Request, Response> = Readonly<{
  path: string;
  requestSerialize: (request: Request) => Buffer;
  responseDeserialize: (bytes: Buffer) => Response;
}>;

/** Of the methods of a service, where nothing is known of their messages. */
export type AnyMethod = Method<object, object> & Readonly<{ responseStream: boolean }>;

export type Call = Readonly<{
  metadata: Metadata;
  /** Epoch milliseconds; none when absent. */
  deadline?: number;
  signal?: AbortSignal | undefined;
}>;

/** Rejects with a RemoteError; of code CANCELLED when the signal aborts. */
export const callUnary = (
  client: Client,
  { path, requestSerialize, responseDeserialize }: AnyMethod,
  request: object,
  { metadata, deadline, signal }: Call,
): Promise<object> =>
  new Promise((resolve, reject) => {
    const options = deadline === undefined ? {} : { deadline };
    const running = client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request,
      metadata,
      options,
      (error: ServiceError | null, response?: object) => {
        signal?.removeEventListener('abort', cancel);
        if (response) resolve(response);
        else if (error) reject(readError(error));
      },
    );
    const cancel = (): void => running.cancel();
    if (signal?.aborted) cancel();
    else signal?.addEventListener('abort', cancel, { once: true });
  });

/** Ends when the signal aborts; throws a RemoteError. Whoever stops iterating ends the call. */
export async function* callStream(
  client: Client,
  { path, requestSerialize, responseDeserialize }: AnyMethod,
  request: object,
  { metadata, deadline, signal }: Call,
): AsyncIterable<object> {
  const options = deadline === undefined ? {} : { deadline };
  const stream = client.makeServerStreamRequest(
    path,
    requestSerialize,
    responseDeserialize,
    request,
    metadata,
    options,
  );
  // A call that is cancelled still emits its end; nobody listens any more then.
  stream.on('error', () => undefined);
  const cancel = (): void => stream.cancel();
  if (signal?.aborted) cancel();
  else signal?.addEventListener('abort', cancel, { once: true });
  try {
    yield* stream;
  } catch (error) {
    if (!signal?.aborted) throw readError(error as ServiceError);
  } finally {
    signal?.removeEventListener('abort', cancel);
    cancel();
  }
}
