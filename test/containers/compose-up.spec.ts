import { execFile } from 'node:child_process';
import { mkdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { defaultPorts } from '@privatelink/embedded/ports';
import type { RunFile } from '@privatelink/embedded/run-file';
import { AUDIENCE, DEFAULT_ISSUER } from '@privatelink/shared/grpc/tokens';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWithDocker } from '../support/docker.ts';
import { composeDirectory } from './support/compose-file.ts';
import { playLifecycle } from './support/play-lifecycle.ts';

/** The image is built first, and others may have to be fetched. */
const START_MS = 15 * 60_000;
/** Apart from a system that somebody runs from the same file. */
const project = `privatelink-test-${process.pid}`;
const secrets = `${composeDirectory}secrets/`;

const compose = async (...args: string[]): Promise<void> => {
  await promisify(execFile)('docker', ['compose', '--project-name', project, ...args], {
    cwd: composeDirectory,
    maxBuffer: 64 * 1024 * 1024,
  });
};

const addressesOf = (name: keyof typeof defaultPorts): string[] =>
  [0, 10].map((step) => `127.0.0.1:${defaultPorts[name] + step}`);

/** What `npm start` would have written about such a system. */
const describeSystem = async (): Promise<RunFile> => ({
  startedAt: new Date().toISOString(),
  pid: process.pid,
  metrics: [],
  eventStore: { url: '' },
  nats: {
    url: `nats://127.0.0.1:${defaultPorts.nats}`,
    subscriber: {
      user: 'subscriber',
      password: await readFile(`${secrets}keys/nats-subscriber-password`, 'utf8'),
      inboxPrefix: '_INBOX.subscriber',
    },
  },
  postgres: { url: '' },
  dns: {
    address: `127.0.0.1:${defaultPorts['dns-query']}`,
    addresses: addressesOf('dns-query'),
    suffix: 'privatelink.internal',
  },
  grpc: {
    provider: addressesOf('provider'),
    consumer: addressesOf('consumer'),
    broker: addressesOf('broker'),
    dns: addressesOf('dns'),
    ops: addressesOf('ops'),
  },
  dataPlane: { mode: 'loopback', zones: [] },
  dashboard: { urls: addressesOf('ops-http').map((address) => `http://${address}`) },
  issuer: { keyFile: `${secrets}keys/issuer.jwk`, issuer: DEFAULT_ISSUER, audience: AUDIENCE },
  processes: [],
});

describeWithDocker('the system of compose.yaml', () => {
  beforeAll(async () => {
    await mkdir(secrets, { recursive: true });
    // As ourselves, who read what it writes.
    await compose('run', '--build', '--rm', '--user', `${process.getuid?.()}:${process.getgid?.()}`, 'keys');
    await compose('up', '--build', '--detach', '--wait');
  }, START_MS);
  afterAll(() => compose('down', '--volumes'), START_MS);

  test('plays the demo', { timeout: 120_000 }, async () => {
    expect((await playLifecycle(await describeSystem())).at(-1)).toMatchObject({ resource: 'endpoint', to: 'GONE' });
  });
});
