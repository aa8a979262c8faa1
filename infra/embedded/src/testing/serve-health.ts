import { promisify } from 'node:util';
import { Server, ServerCredentials } from '@grpc/grpc-js';

/** Says SERVING where the supervisor asks. */
export async function serveHealth(): Promise<void> {
  const server = new Server();
  const raw = {
    requestSerialize: bytes,
    requestDeserialize: bytes,
    responseSerialize: bytes,
    responseDeserialize: bytes,
  };
  server.addService(
    { check: { path: '/grpc.health.v1.Health/Check', requestStream: false, responseStream: false, ...raw } },
    { check: (_call: unknown, reply: (error: null, answer: Buffer) => void) => reply(null, Buffer.from([0x08, 0x01])) },
  );
  const address = process.env['PRIVATELINK_GRPC_LISTEN'] ?? '';
  await promisify(server.bindAsync.bind(server))(address, ServerCredentials.createInsecure());
}

function bytes(value: Buffer): Buffer {
  return value;
}
