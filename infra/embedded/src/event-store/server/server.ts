import { Server, ServerCredentials } from '@grpc/grpc-js';
import gossipGrpc from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/gossip_grpc_pb.js';
import featuresGrpc from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/serverfeatures_grpc_pb.js';
import streamsGrpc from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/streams_grpc_pb.js';
import type { Reader } from '../storage/reader.ts';
import type { Writer } from '../storage/writer.ts';
import type { Commits } from '../subscriptions/commits.ts';
import { shuttingDown } from '../wire/errors.ts';
import { createBatchAppend } from './batch-append.ts';
import { earlyHeaders } from './early-headers.ts';
import { maxMessageBytes } from './limits.ts';
import { createGossip, createServerFeatures } from './node-info.ts';
import { createRead } from './read.ts';
import { createAppend, createDelete } from './write.ts';

export type ServerOptions = {
  readonly reader: Reader;
  readonly writer: Writer;
  readonly commits: Commits;
  readonly instanceId: string;
  readonly host: string;
  readonly port: number;
};

export type RunningServer = { readonly port: number; close(): Promise<void> };

/** How long a close waits for replies to reach their clients. */
const drainMilliseconds = 500;

const asBytes = (response: Buffer): Buffer => response;

/** The client's own service definition, except that our handlers answer with encoded messages. */
function streamsDefinition() {
  const { read, append, batchAppend, delete: remove, tombstone } = streamsGrpc.StreamsService;
  return {
    read: { ...read, responseSerialize: asBytes },
    append: { ...append, responseSerialize: asBytes },
    batchAppend: { ...batchAppend, responseSerialize: asBytes },
    delete: { ...remove, responseSerialize: asBytes },
    tombstone: { ...tombstone, responseSerialize: asBytes },
  };
}

function bind(server: Server, host: string, port: number): Promise<number> {
  const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  return new Promise((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else if (error.message.includes('EADDRINUSE')) reject(new Error(`${address} is in use`));
      else reject(new Error(`cannot listen on ${address}: ${error.message}`));
    });
  });
}

function shutDown(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.forceShutdown(), drainMilliseconds);
    server.tryShutdown(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { reader, writer, commits, instanceId, host } = options;
  const server = new Server({ 'grpc.max_receive_message_length': maxMessageBytes, interceptors: [earlyHeaders] });
  /** What to do with the calls that would stay open for ever. */
  const open = new Set<() => void>();
  const track = (fail: () => void): (() => void) => {
    open.add(fail);
    return () => open.delete(fail);
  };

  server.addService(streamsDefinition(), {
    read: createRead(reader, commits, (outbound) => {
      outbound.onClose(track(() => outbound.fail(shuttingDown())));
    }),
    append: createAppend(writer),
    batchAppend: createBatchAppend(writer, track),
    delete: createDelete(writer, 'softDelete'),
    tombstone: createDelete(writer, 'tombstone'),
  });
  server.addService(featuresGrpc.ServerFeaturesService, createServerFeatures());
  let port = options.port;
  server.addService(
    gossipGrpc.GossipService,
    createGossip(instanceId, () => ({ host, port })),
  );
  port = await bind(server, host, port);

  return {
    port,
    async close() {
      writer.flush();
      const closing = shutDown(server);
      for (const fail of open) fail();
      await closing;
      writer.flush();
    },
  };
}
