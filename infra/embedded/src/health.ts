import { Client, credentials } from '@grpc/grpc-js';
import { waitUntil } from './wait-until.ts';

/** `HealthCheckResponse { status: SERVING }` of grpc.health.v1 on the wire. */
const serving = Buffer.from([0x08, 0x01]);
/** `HealthCheckRequest { service: '' }`: the process as a whole. */
const wholeProcess = Buffer.alloc(0);

/** Whether a gRPC server says that it is serving. */
export async function isServing(address: string): Promise<boolean> {
  const client = new Client(address, credentials.createInsecure());
  try {
    return (await check(client)).equals(serving);
  } catch {
    return false;
  } finally {
    client.close();
  }
}

/** Resolves when a gRPC server says that it is serving. */
export const waitServing = (address: string, signal: AbortSignal): Promise<void> =>
  waitUntil(() => isServing(address), signal, 100);

function check(client: Client): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      '/grpc.health.v1.Health/Check',
      (request: Buffer) => request,
      (reply: Buffer) => reply,
      wholeProcess,
      { deadline: Date.now() + 2000 },
      (error, reply) => (reply ? resolve(reply) : reject(error)),
    );
  });
}
