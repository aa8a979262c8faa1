import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type GetConnectionRequest, GetConnectionResponse } from '@privatelink/proto/broker/v1/broker_service';
import { readDescriptorImage } from '@privatelink/proto/descriptors';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GrpcServer } from './server.ts';
import { createIssuer, type Issuer, startBroker } from './test-support.ts';
import { unary } from './unary.ts';

const run = promisify(execFile);
const buf = fileURLToPath(new URL('../../../../node_modules/.bin/buf', import.meta.url));
const GET = 'privatelink.broker.v1.BrokerService/GetConnection';

/** buf refuses descriptors whose imports are missing or renamed. */
const curl = (...args: string[]) => run(buf, ['curl', '--protocol', 'grpc', '--http2-prior-knowledge', ...args]);

it('serves the contract as it is', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'privatelink-image-'));
  const image = join(directory, 'image.binpb');
  const proto = fileURLToPath(new URL('../../../../proto', import.meta.url));
  await run(buf, ['build', proto, '-o', image, '--as-file-descriptor-set']);
  expect((await readFile(image)).equals(readDescriptorImage())).toBe(true);
  await rm(directory, { recursive: true });
});

describe('reflection', () => {
  let issuer: Issuer;
  let server: GrpcServer;
  let openServer: GrpcServer;
  const echo = unary(async ({ connectionId }: GetConnectionRequest) =>
    GetConnectionResponse.fromPartial({ connection: { connectionId }, revision: 7n }),
  );

  beforeAll(async () => {
    issuer = await createIssuer();
    server = await startBroker(issuer, { getConnection: echo });
    openServer = await startBroker(issuer, {}, { reflection: 'open' });
  });
  afterAll(async () => {
    await server.stop(1_000);
    await openServer.stop(1_000);
    await issuer.remove();
  });

  it('tells a strict client every method, and lets it call one', async () => {
    const header = `authorization: Bearer ${await issuer.token(['consumer'])}`;
    const url = `http://127.0.0.1:${server.port}`;
    const listed = await curl('--reflect-header', header, '--list-methods', url);
    expect(listed.stdout).toContain(GET);
    expect(listed.stdout).toContain('grpc.reflection.v1.ServerReflection/ServerReflectionInfo');
    expect(listed.stdout).not.toContain('ProviderService');
    const called = await curl(
      ...['--reflect-header', header, '--header', header, '--data', '{"connectionId":"ep-1"}', `${url}/${GET}`],
    );
    expect(JSON.parse(called.stdout)).toMatchObject({ connection: { connectionId: 'ep-1' }, revision: '7' });
  });

  it('also under its former name', async () => {
    const header = `authorization: Bearer ${await issuer.token(['viewer'], '')}`;
    const { stdout } = await curl(
      ...['--reflect-protocol', 'grpc-v1alpha', '--reflect-header', header, '--list-methods'],
      `http://127.0.0.1:${server.port}`,
    );
    expect(stdout).toContain(GET);
  });

  it('asks for a token, unless it was opened', async () => {
    await expect(curl('--list-methods', `http://127.0.0.1:${server.port}`)).rejects.toThrow('not authenticated');
    const { stdout } = await curl('--list-methods', `http://127.0.0.1:${openServer.port}`);
    expect(stdout).toContain(GET);
  });
});
