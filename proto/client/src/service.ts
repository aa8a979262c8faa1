import { randomUUID } from 'node:crypto';
import { type ChannelCredentials, Client, Metadata, type ServiceDefinition } from '@grpc/grpc-js';
import type { DeepPartial, ProtoMetadata } from '../../gen/privatelink/events/v1/events_service.ts';
import { type AnyMethod, callStream, callUnary, type Method } from './call.ts';
import { channelOptions, targetOf } from './channel.ts';

export type CallOptions = Readonly<{
  /** How long the call may take, instead of what the client was told. Streams have no limit unless it is said here. */
  timeoutMs?: number;
  signal?: AbortSignal;
}>;

/** The RPCs of a service as functions that reject with a RemoteError. What a request leaves out has its default. */
export type Service<Definition> = {
  readonly [Rpc in keyof Definition]: Definition[Rpc] extends Method<infer Request, infer Response>
    ? Definition[Rpc] extends { responseStream: infer Streams }
      ? (
          request?: DeepPartial<Request>,
          options?: CallOptions,
        ) => Streams extends true ? AsyncIterable<Response> : Promise<Response>
      : never
    : never;
};

/** A generated service, and the file that its messages are from. */
export type Contract<Definition> = Readonly<{ definition: Definition; file: ProtoMetadata }>;

export type ServiceOptions = Readonly<{
  addresses: readonly string[];
  token: () => string | Promise<string>;
  timeoutMs: number;
  credentials: ChannelCredentials;
}>;

type Anything = Record<string, unknown>;
type AnyMessage = Readonly<{ fromPartial: (partial: object) => Anything }>;

/** What a process serves at its addresses: the RPCs of all contracts, over one channel. */
export const openService = <Definition extends object>(
  contracts: readonly Contract<object>[],
  { addresses, token, timeoutMs, credentials }: ServiceOptions,
): Readonly<{ calls: Service<Definition>; close: () => void }> => {
  const client = new Client(targetOf(addresses), credentials, channelOptions);
  /** Of the last write that was answered. Another service's lists do not wait for it. */
  let written = '';

  const complete = ({ fromPartial }: AnyMessage, partial: object): Anything => {
    const request = fromPartial(partial);
    if (request['requestId'] === '') request['requestId'] = randomUUID();
    else if (request['consistencyToken'] === '') request['consistencyToken'] = written;
    return request;
  };

  const unary =
    (method: AnyMethod, message: AnyMessage) =>
    async (partial: object = {}, options: CallOptions = {}) => {
      const request = complete(message, partial);
      const metadata = metadataOf(await token());
      const deadline = Date.now() + (options.timeoutMs ?? timeoutMs);
      const answer: Anything = {
        ...(await callUnary(client, method, request, { metadata, deadline, signal: options.signal })),
      };
      const { consistencyToken } = answer;
      if ('requestId' in request && typeof consistencyToken === 'string' && consistencyToken !== '')
        written = consistencyToken;
      return answer;
    };

  const stream = (method: AnyMethod, message: AnyMessage) =>
    async function* (partial: object = {}, options: CallOptions = {}): AsyncIterable<object> {
      const metadata = metadataOf(await token());
      const deadline = options.timeoutMs === undefined ? {} : { deadline: Date.now() + options.timeoutMs };
      yield* callStream(client, method, complete(message, partial), { metadata, ...deadline, signal: options.signal });
    };

  const calls = contracts.flatMap(({ definition, file }) =>
    Object.entries(definition as ServiceDefinition).map(([name, method]) => {
      const message: AnyMessage = file.references[requestOf(method.path)];
      return [name, (method.responseStream ? stream : unary)(method, message)];
    }),
  );
  return { calls: Object.fromEntries(calls) as Service<Definition>, close: () => client.close() };
};

/** Each RPC has a request of its own, called after it, in its service's file. */
const requestOf = (path: string): string => path.replace(/^\/(.*)\.\w+\/(\w+)$/, '.$1.$2Request');

const metadataOf = (token: string): Metadata => {
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${token}`);
  return metadata;
};
