import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createIssuer, type Issuer, startBroker } from '@privatelink/shared/grpc/test-support';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { composeDirectory } from './support/compose-file.ts';

let issuer: Issuer;
beforeAll(async () => {
  issuer = await createIssuer();
});
afterAll(() => issuer.remove());

const healthOf = async (port: number): Promise<number> => {
  const env = { PRIVATELINK_GRPC_LISTEN: `0.0.0.0:${port}` };
  const [code] = await once(spawn(process.execPath, [`${composeDirectory}health.ts`], { env }), 'exit');
  return code;
};

test('a server is healthy while it says that it serves', async () => {
  const server = await startBroker(issuer, {});
  expect(await healthOf(server.port)).toBe(0);
  server.setServing(false);
  expect(await healthOf(server.port)).toBe(1);
  await server.stop(0);
  expect(await healthOf(server.port)).toBe(1);
});

test('one that never answers is not', async () => {
  const silent = createServer().listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const address = silent.address();
  expect(await healthOf(typeof address === 'object' && address ? address.port : 0)).toBe(1);
  silent.close();
});
