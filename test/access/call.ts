import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { readError } from '@privatelink/client/read-error';
import type { RunFile } from '@privatelink/embedded/run-file';
import { type Rpc, requestOf } from './rpcs.ts';

/** How a call ended: `OK`, or the name of its status code; with everything that it told. */
export type Ended = Readonly<{
  code: string;
  /** Of a stream: each message up to the first `synced`. */
  responses: readonly object[];
  reason: string;
  message: string;
  facts: Readonly<Record<string, string>>;
  fields: readonly string[];
  /** The details as they came, one character per byte. */
  details: string;
}>;

export type Caller = Readonly<{
  call: (rpc: Rpc, said: object) => Promise<Ended>;
  /** With a request as it stands on the wire, which need not be one. */
  send: (rpc: Rpc, request: Buffer) => Promise<Ended>;
  close: () => void;
}>;

const TIMEOUT_MS = 15_000;

/**
 * Calls any RPC with nothing in between: no retry, no token unless given.
 *
 * @param authorization the header's values; none for a caller without one
 */
export const openCaller = (run: Pick<RunFile, 'grpc'>, ...authorization: readonly string[]): Caller => {
  const clients = new Map<string, Client>();
  const clientOf = (service: Rpc['service']): Client => {
    const client = clients.get(service) ?? new Client(run.grpc[service][0] ?? '', credentials.createInsecure());
    clients.set(service, client);
    return client;
  };
  const metadata = new Metadata();
  for (const value of authorization) metadata.add('authorization', value);
  const send: Caller['send'] = (rpc, request) => {
    const { path, responseDeserialize, responseStream } = rpc.definition;
    const client = clientOf(rpc.service);
    const { promise, resolve } = Promise.withResolvers<Ended>();
    const args = [path, (bytes: Buffer) => bytes, responseDeserialize, request, metadata.clone()] as const;
    const options = { deadline: Date.now() + TIMEOUT_MS };
    if (!responseStream) {
      client.makeUnaryRequest(...args, options, (error, response) =>
        resolve(response ? succeeded(response) : failed(error)),
      );
      return promise;
    }
    const responses: object[] = [];
    const stream = client.makeServerStreamRequest(...args, options);
    stream.on('data', (response: object) => {
      responses.push(response);
      if (!isSynced(response)) return;
      resolve(succeeded(...responses));
      stream.cancel();
    });
    stream.on('error', (error: ServiceError) => resolve(failed(error)));
    stream.on('end', () => resolve(succeeded(...responses)));
    return promise;
  };
  return {
    send,
    call: (rpc, said) => send(rpc, rpc.definition.requestSerialize(requestOf(rpc, said))),
    close: () => {
      for (const client of clients.values()) client.close();
    },
  };
};

const isSynced = (response: { synced?: boolean; told?: { $case: string } }): boolean =>
  response.synced === true || response.told?.$case === 'synced';

const succeeded = (...responses: readonly object[]): Ended => ({
  ...{ code: 'OK', responses, reason: '', message: '', facts: {}, fields: [], details: '' },
});

const failed = (error: ServiceError | null): Ended => {
  if (!error) throw new Error('neither a response nor an error');
  const { code, reason, message, facts, violations, status: answered } = readError(error);
  return {
    ...{ code: status[code] ?? String(code), responses: [], reason, message, facts },
    fields: violations.map(({ field }) => field),
    details: (answered?.details ?? []).map(({ value }) => Buffer.from(value).toString('latin1')).join('\n'),
  };
};
