// Ends with 0 when the gRPC server that PRIVATELINK_GRPC_LISTEN names says SERVING: the health check of a container.
// grpc.health.v1 by hand, because a program that runs every few seconds should load nothing.
import { once } from 'node:events';
import { connect } from 'node:http2';

/** A frame of gRPC: not compressed, its length, and `HealthCheckResponse { status: SERVING }`. */
const serving = Buffer.from([0, 0, 0, 0, 2, 0x08, 0x01]);
/** The same around `HealthCheckRequest { service: '' }`: the process as a whole. */
const wholeProcess = Buffer.from([0, 0, 0, 0, 0]);

const port = process.env['PRIVATELINK_GRPC_LISTEN']?.split(':').at(-1);
const session = connect(`http://127.0.0.1:${port}`);
session.on('error', () => process.exit(1));
const stream = session.request({
  ':method': 'POST',
  ':path': '/grpc.health.v1.Health/Check',
  'content-type': 'application/grpc',
  te: 'trailers',
});
stream.on('error', () => process.exit(1));
stream.setTimeout(3_000, () => process.exit(1));
const chunks: Buffer[] = [];
stream.on('data', (chunk: Buffer) => chunks.push(chunk));
stream.end(wholeProcess);
await once(stream, 'end');
process.exit(Buffer.concat(chunks).equals(serving) ? 0 : 1);
