import {
  type ChannelCredentials,
  type ChannelOptions,
  type Client,
  credentials,
  Metadata,
  status,
} from '@grpc/grpc-js';
import { type AnyMethod, callStream, callUnary, type Method } from '@privatelink/client/call';
import { changingFile } from '@privatelink/client/changing-file';
import { channelOptions, targetOf } from '@privatelink/client/channel';
import { RemoteError } from '@privatelink/client/remote-error';
import type { Rehearsal } from '../eventing/rehearsal.ts';
import { StartupError } from '../runtime/startup-error.ts';
import { rpcs } from '../telemetry/metrics.ts';
import { inSpan, TRACEPARENT, traceparent } from '../telemetry/trace.ts';
import { ACTOR_KEY, CAUSATION_KEY, CORRELATION_KEY, DRY_RUN_KEY } from './context.ts';
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
  const client = new ServiceClient(knownTarget(addresses), credentials.createInsecure(), channelOptions);
  const currentToken = typeof token === 'function' ? token : changingFile(token.file, (text) => text.trim());
  const metadataFor = (context: CallContext): Metadata => callMetadata(currentToken(), context);
  const rpcs = Object.entries<AnyMethod>(ServiceClient.service as Record<string, AnyMethod>).map(([name, method]) => [
    name,
    (request: object, context: CallContext) =>
      method.responseStream
        ? callStream(client, method, request, { ...context, metadata: metadataFor(context) })
        : inSpan(method.path.slice(1), { kind: 'client' }, () =>
            observed(client, method, request, metadataFor(context), context, timeoutMs),
          ),
  ]);
  return { ...Object.fromEntries(rpcs), close: () => client.close() } as Connected<Definition>;
};

const knownTarget = (addresses: readonly string[]): string => {
  try {
    return targetOf(addresses);
  } catch (error) {
    throw new StartupError((error as Error).message, { cause: error });
  }
};

/** A call that is answered once, in the metrics of the service that makes it. */
const observed = async (
  client: Client,
  method: AnyMethod,
  request: object,
  metadata: Metadata,
  { signal, deadline = Number.POSITIVE_INFINITY, rehearsal }: CallContext,
  timeoutMs: number,
): Promise<object> => {
  const call = { metadata, deadline: Math.min(Date.now() + timeoutMs, deadline - MARGIN_MS), signal };
  const started = performance.now();
  let code: number = status.UNKNOWN;
  try {
    const response = await callUnary(client, method, request, call);
    code = status.OK;
    joinPreview(rehearsal, response);
    return response;
  } catch (error) {
    if (error instanceof RemoteError) code = error.code;
    throw error;
  } finally {
    const labels = { method: method.path.slice(1), code: status[code] ?? '' };
    rpcs.called.observe(labels, (performance.now() - started) / 1_000);
  }
};

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
