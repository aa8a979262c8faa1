import { isIPv4, isIPv6 } from 'node:net';
import {
  type ChannelCredentials,
  type ChannelOptions,
  type Client,
  credentials,
  Metadata,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import type { Rehearsal } from '../eventing/rehearsal.ts';
import { changingFile } from '../runtime/changing-file.ts';
import { StartupError } from '../runtime/startup-error.ts';
import { rpcs } from '../telemetry/metrics.ts';
import { inSpan, TRACEPARENT, traceparent } from '../telemetry/trace.ts';
import { ACTOR_KEY, CAUSATION_KEY, CORRELATION_KEY, DRY_RUN_KEY } from './context.ts';
import { readError } from './error-details.ts';
import { joinPreview } from './preview.ts';

/** For whom a call is made, and until when. An RpcContext and a CommandContext are such. */
export type CallContext = Readonly<{
  actor?: string;
  correlationId?: string;
  causationId?: string;
  /** Epoch milliseconds. The earlier one of this and the client's own timeout counts. */
  deadline?: number;
  signal?: AbortSignal;
  /** Of a dry run: the other service appends nothing either, and what it would do joins. */
  rehearsal?: Rehearsal | undefined;
}>;

type Method<Request, Response> = Readonly<{
  path: string;
  requestSerialize: (request: Request) => Buffer;
  responseDeserialize: (bytes: Buffer) => Response;
}>;

/** A generated service as functions that reject with a RemoteError. */
export type RemoteService<Definition> = {
  readonly [Rpc in keyof Definition]: Definition[Rpc] extends Method<infer Request, infer Response>
    ? Definition[Rpc] extends { requestStream: false; responseStream: infer Streams }
      ? (request: Request, context: CallContext) => Streams extends true ? AsyncIterable<Response> : Promise<Response>
      : never
    : never;
};

export type Connected<Definition> = RemoteService<Definition> & Readonly<{ close: () => void }>;

export type ConnectOptions = Readonly<{
  /** The token, asked for at each call; or the file that holds it, which may be replaced at any time. */
  token: (() => string) | Readonly<{ file: string }>;
  /** Of a call without an earlier deadline; streams have none. */
  timeoutMs?: number;
}>;

type Constructor<Definition> = {
  new (address: string, credentials: ChannelCredentials, options?: ChannelOptions): Client;
  readonly service: Definition;
};

const DEFAULT_TIMEOUT_MS = 5_000;
/** What remains for our own answer when the other service takes all the time there is. */
const MARGIN_MS = 50;

const serviceConfig = JSON.stringify({
  loadBalancingConfig: [{ round_robin: {} }],
  methodConfig: [
    {
      name: [{}],
      // Safe for mutations too: each carries a request id or is idempotent by itself.
      retryPolicy: {
        maxAttempts: 4,
        initialBackoff: '0.05s',
        maxBackoff: '1s',
        backoffMultiplier: 3,
        retryableStatusCodes: ['UNAVAILABLE'],
      },
    },
  ],
  retryThrottling: { maxTokens: 100, tokenRatio: 0.1 },
});

const channelOptions: ChannelOptions = {
  'grpc.service_config': serviceConfig,
  'grpc.service_config_disable_resolution': 1,
  'grpc.keepalive_time_ms': 30_000,
  'grpc.keepalive_timeout_ms': 10_000,
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 2_000,
};

/**
 * Calls a service at one or several addresses, turn by turn over those that answer.
 *
 * @throws StartupError when several addresses are not all IP addresses of one family
 */
export const connect = <Definition extends object>(
  ServiceClient: Constructor<Definition>,
  addresses: readonly string[],
  { token, timeoutMs = DEFAULT_TIMEOUT_MS }: ConnectOptions,
): Connected<Definition> => {
  const client = new ServiceClient(targetOf(addresses), credentials.createInsecure(), channelOptions);
  const currentToken = typeof token === 'function' ? token : changingFile(token.file, (text) => text.trim());
  const metadataFor = (context: CallContext): Metadata => callMetadata(currentToken(), context);
  const rpcs = Object.entries<AnyMethod>(ServiceClient.service as Record<string, AnyMethod>).map(([name, method]) => [
    name,
    (request: object, context: CallContext) =>
      method.responseStream
        ? callStream(client, method, request, metadataFor(context), context)
        : inSpan(method.path.slice(1), { kind: 'client' }, () =>
            callUnary(client, method, request, metadataFor(context), context, timeoutMs),
          ),
  ]);
  return { ...Object.fromEntries(rpcs), close: () => client.close() } as Connected<Definition>;
};

type AnyMethod = Method<object, object> & Readonly<{ responseStream: boolean }>;

const callUnary = (
  client: Client,
  { path, requestSerialize, responseDeserialize }: AnyMethod,
  request: object,
  metadata: Metadata,
  { signal, deadline = Number.POSITIVE_INFINITY, rehearsal }: CallContext,
  timeoutMs: number,
): Promise<object> => {
  const answer = Promise.withResolvers<object>();
  const options = { deadline: Math.min(Date.now() + timeoutMs, deadline - MARGIN_MS) };
  const started = performance.now();
  const running = client.makeUnaryRequest(
    path,
    requestSerialize,
    responseDeserialize,
    request,
    metadata,
    options,
    (error: ServiceError | null, response?: object) => {
      signal?.removeEventListener('abort', cancel);
      const code = status[error?.code ?? status.OK] ?? '';
      rpcs.called.observe({ method: path.slice(1), code }, (performance.now() - started) / 1_000);
      if (response) {
        joinPreview(rehearsal, response);
        answer.resolve(response);
      } else if (error) answer.reject(readError(error));
    },
  );
  const cancel = (): void => running.cancel();
  if (signal?.aborted) cancel();
  else signal?.addEventListener('abort', cancel, { once: true });
  return answer.promise;
};

/** Ends when the signal aborts. Whoever stops iterating ends the call. */
async function* callStream(
  client: Client,
  { path, requestSerialize, responseDeserialize }: AnyMethod,
  request: object,
  metadata: Metadata,
  { signal, deadline = Number.POSITIVE_INFINITY }: CallContext,
): AsyncIterable<object> {
  const options = Number.isFinite(deadline) ? { deadline } : {};
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

const callMetadata = (token: string, { actor, correlationId, causationId, rehearsal }: CallContext): Metadata => {
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${token}`);
  if (actor !== undefined) metadata.set(ACTOR_KEY, actor);
  if (correlationId !== undefined) metadata.set(CORRELATION_KEY, correlationId);
  if (causationId !== undefined) metadata.set(CAUSATION_KEY, causationId);
  if (rehearsal) metadata.set(DRY_RUN_KEY, 'true');
  const trace = traceparent();
  if (trace !== '') metadata.set(TRACEPARENT, trace);
  return metadata;
};

/** A host name may stand for several addresses by itself; grpc-js takes a list only of addresses. */
const targetOf = (addresses: readonly string[]): string => {
  const hosts = addresses.map((address) => address.slice(0, address.lastIndexOf(':')).replace(/^\[|\]$/g, ''));
  if (hosts.every(isIPv4)) return `ipv4:${addresses.join(',')}`;
  if (hosts.every(isIPv6)) return `ipv6:${addresses.join(',')}`;
  const [only, ...others] = addresses;
  if (only !== undefined && others.length === 0) return `dns:///${only}`;
  throw new StartupError(`${addresses.join(', ')}: several addresses must all be IP addresses of one family`);
};
