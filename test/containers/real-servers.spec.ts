import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWithDocker } from '../support/docker.ts';
import { startWorld } from '../support/world.ts';
import { playLifecycle } from './support/play-lifecycle.ts';
import { type RealServers, startRealServers } from './support/real-servers.ts';
import { runConformance, runSpecs } from './support/run-suite.ts';

/** Images may have to be fetched first. */
const START_MS = 10 * 60_000;
const SUITE_MS = 5 * 60_000;

describeWithDocker('KurrentDB, NATS and PostgreSQL in containers', () => {
  let servers: RealServers;
  beforeAll(async () => {
    servers = await startRealServers();
  }, START_MS);
  afterAll(() => servers?.stop());

  test('KurrentDB passes the conformance suite of the embedded event store', { timeout: SUITE_MS }, async () => {
    const { code, output } = await runConformance(servers.env.PRIVATELINK_EVENT_STORE);
    expect(code, output).toBe(0);
  });

  test('PostgreSQL and NATS pass the specs of what is built on them', { timeout: SUITE_MS }, async () => {
    const { code, output } = await runSpecs(['services/shared/src/postgres', 'services/shared/src/nats'], {
      PRIVATELINK_POSTGRES: servers.env.PRIVATELINK_POSTGRES,
      // These stop their NATS server and start it again: it is the one of the image, as a process.
      ...(process.platform === 'linux' && { PATH: `${servers.natsDirectory}:${process.env['PATH']}` }),
    });
    expect(code, output).toBe(0);
  });

  test('the demo goes as told', { timeout: SUITE_MS }, async () => {
    const world = await startWorld({ env: servers.env, replicas: 2 });
    try {
      expect((await playLifecycle(world.system.run)).at(-1)).toMatchObject({ resource: 'endpoint', to: 'GONE' });
    } finally {
      await world.stop();
    }
  });

  test('the contract and end-to-end tests of the running system pass', { timeout: SUITE_MS }, async () => {
    const { code, output } = await runSpecs(['test/contract', 'test/e2e/lifecycle'], servers.env);
    expect(code, output).toBe(0);
  });
});
