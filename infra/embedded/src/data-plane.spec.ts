import { loadConfig } from '@privatelink/shared/runtime/config';
import { expect, test } from 'vitest';
import { agentConfig } from '../../../services/data-plane/src/config.ts';
import { agentEnvironment, planDataPlane } from './data-plane.ts';
import { planPorts } from './ports.ts';
import { sharedDefaults } from './service-environment.ts';

const runs = { PRIVATELINK_HAPROXY: process.execPath };
const missing = { PRIVATELINK_HAPROXY: '/nonexistent/haproxy' };

const plan = (env: NodeJS.ProcessEnv, { replicas = 1, dataDir = '/data' } = {}) =>
  planDataPlane({ dataDir, env: { ...sharedDefaults, ...env }, replicas });

test('a zone of any region has as many agents as are asked for, also when it is named twice', async () => {
  const { mode, agents } = await plan(
    { ...runs, PRIVATELINK_ZONES: 'a,b,a', PRIVATELINK_OTHER_REGIONS: 'c=d' },
    { replicas: 2 },
  );
  expect(mode).toBe('loopback');
  expect(agents).toEqual([
    { zoneId: 'a', name: 'data-plane-a-1', directory: '/data/data-plane/a' },
    { zoneId: 'a', name: 'data-plane-a-2', directory: '/data/data-plane/a' },
    { zoneId: 'b', name: 'data-plane-b-1', directory: '/data/data-plane/b' },
    { zoneId: 'b', name: 'data-plane-b-2', directory: '/data/data-plane/b' },
    { zoneId: 'd', name: 'data-plane-d-1', directory: '/data/data-plane/d' },
    { zoneId: 'd', name: 'data-plane-d-2', directory: '/data/data-plane/d' },
  ]);
});

test('where nothing is forwarded no agent is run and no haproxy is needed', async () => {
  expect(await plan({ ...missing, PRIVATELINK_FORWARDING: 'none' })).toEqual({ mode: 'none', agents: [] });
});

test('an agent is told all that its configuration asks for', async () => {
  const issuer = { keyFile: 'key', jwksFile: 'jwks', tokenSecretFile: 'secret', tokenFileOf: (name: string) => name };
  const ports = await planPorts('free', {
    ...{ provider: 1, consumer: 1, broker: 2, dns: 1, 'dns-query': 1, 'dns-vpc': 1, 'data-plane': 3, metrics: 8 },
    ...{ ops: 0, 'ops-http': 0 },
    ...{ nats: 0, postgres: 0, 'event-store': 0 },
  });
  const { agents } = await plan(runs);
  const agent = agents[0] ?? expect.fail('no agent');
  const own = agentEnvironment({ agent, port: 7405, metricsPort: 7301, ports, issuer, env: {} });
  expect(loadConfig(agentConfig, { ...runs, ...own })).toMatchObject({
    instance: 'data-plane-cn-hangzhou-g-1',
    zone: 'cn-hangzhou-g',
    directory: '/data/data-plane/cn-hangzhou-g',
    grpcListen: { host: '127.0.0.1', port: 7405 },
    metricsListen: { host: '127.0.0.1', port: 7301 },
    addresses: { broker: ports.broker.map((port) => `127.0.0.1:${port}`) },
    tokenFile: 'data-plane',
    jwksFile: 'jwks',
    onStop: 'stop',
  });
});

test('a program that does not run is named together with the way out', async () => {
  await expect(plan(missing)).rejects.toThrow(
    'haproxy does not run, put it on PATH or set PRIVATELINK_FORWARDING=none: spawn /nonexistent/haproxy ENOENT',
  );
});

test('programs are found where only root looks', async () => {
  // `chroot -v` fails, and only a program that was found can.
  const env = { PATH: '/nonexistent', PRIVATELINK_HAPROXY: 'chroot' };
  await expect(plan(env)).rejects.toThrow('Command failed: chroot -v');
});

test('a data directory too deep for sockets is named', async () => {
  const dataDir = `/${'x'.repeat(80)}`;
  await expect(plan(runs, { dataDir })).rejects.toThrow(`the path of ${dataDir} is too long`);
});

test.each(['noop', 'LOOPBACK'])('%s is no way to forward', async (mode) => {
  await expect(plan({ PRIVATELINK_FORWARDING: mode })).rejects.toThrow('PRIVATELINK_FORWARDING');
});
