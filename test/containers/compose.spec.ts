import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultPorts } from '@privatelink/embedded/ports';
import {
  agentName,
  opsName,
  type ProgramName,
  programFolders,
  type ServiceName,
  serviceNames,
} from '@privatelink/embedded/service-names';
import { type Fields, loadConfig, serviceConfig } from '@privatelink/shared/runtime/config';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { agentConfig } from '../../services/data-plane/src/config.ts';
import { opsConfig } from '../../services/ops/src/config.ts';
import { type ComposeEntry, composeDirectory, composeEntries, imageOf, repository } from './support/compose-file.ts';
import { makeSecrets } from './support/compose-secrets.ts';

const servers = ['kurrentdb', 'nats', 'postgres'];
const replicas = serviceNames.flatMap((service) =>
  [0, 1].map((index) => ({ service, index, name: `${service}-${index + 1}` })),
);
const dashboards = [0, 1].map((index) => ({ index, name: `${opsName}-${index + 1}` }));
const agents = (composeEntries['provider-1']?.environment?.['PRIVATELINK_ZONES'] ?? '')
  .split(',')
  .map((zoneId, index) => ({ zoneId, index, name: `${agentName}-${zoneId}-1` }));
const entryOf = (name: string): ComposeEntry => composeEntries[name] ?? { image: 'none' };
const mountedAt = '/run/secrets/privatelink';

let secrets: string;
beforeAll(async () => {
  secrets = await mkdtemp(join(tmpdir(), 'privatelink-compose-'));
  await makeSecrets(secrets);
});
afterAll(() => rm(secrets, { recursive: true, force: true }));

const secret = (container: string, name: string): string => readFileSync(join(secrets, container, name), 'utf8');

/** What the container is told, with its secrets where they lie here. */
const environmentOf = (name: string, program: ProgramName): Record<string, string> =>
  Object.fromEntries(
    Object.entries(entryOf(name).environment ?? {}).map(([key, value]) => [
      key,
      value.replace(mountedAt, join(secrets, program)),
    ]),
  );

const variablesOf = (fields: Fields): string[] =>
  Object.values(fields).flatMap((field) =>
    typeof field['variable'] === 'string' ? [field['variable']] : variablesOf(field as Fields),
  );

test('runs every service twice, an agent for each zone, the servers, and what makes the secrets when asked', () => {
  const programs = [...replicas, ...dashboards, ...agents].map(({ name }) => name);
  expect(Object.keys(composeEntries).sort()).toEqual([...servers, ...programs, 'keys'].sort());
  expect(entryOf('keys').profiles).toEqual(['setup']);
});

test('every image has a version', () => {
  for (const { image } of Object.values(composeEntries)) expect(image).toMatch(/^[\w/.-]+:\d+\.\d+[\w.-]*$/);
  const bootstrap = readFileSync(join(repository, 'infra/bootstrap.cjs'), 'utf8');
  expect(bootstrap).toContain(`natsImage = '${imageOf('nats')}'`);
});

describe.each(replicas)('$name', ({ service, index, name }) => {
  test('runs the main file of its service and waits for the servers', () => {
    const { command, depends_on } = entryOf(name);
    expect(command).toEqual([`services/${programFolders[service]}/src/main.ts`]);
    expect(existsSync(join(repository, command?.[0] ?? 'no command'))).toBe(true);
    expect(depends_on).toEqual(Object.fromEntries(servers.map((server) => [server, { condition: 'service_healthy' }])));
  });

  test('is told all that its configuration asks for, and nothing that it does not know', () => {
    const known = variablesOf(serviceConfig).flatMap((variable) => [variable, `${variable}_FILE`]);
    expect(Object.keys(entryOf(name).environment ?? {}).filter((variable) => !known.includes(variable))).toEqual([]);
    const config = loadConfig(serviceConfig, environmentOf(name, service));
    expect(config.instance).toBe(name);
    expect(config.grpcListen).toEqual({ host: '0.0.0.0', port: defaultPorts[service] });
    expect(config.dnsListen).toEqual(
      service === 'dns' ? { host: '0.0.0.0', port: defaultPorts['dns-query'] } : undefined,
    );
    const peers = serviceNames.map((peer) => [peer, [`${peer}:${defaultPorts[peer]}`]]);
    expect(config.addresses).toEqual(Object.fromEntries(peers));
    expect(entryOf(name).networks?.default.aliases).toEqual([service]);
  });

  test('finds the servers where they are, with the passwords that they have', () => {
    const { eventStore, nats, postgres } = loadConfig(serviceConfig, environmentOf(name, service));
    expect(eventStore).toBe('kurrentdb://kurrentdb:2113?tls=false');
    const { environment } = entryOf('postgres');
    expect(environment?.['POSTGRES_PASSWORD_FILE']).toBe(`${mountedAt}/password`);
    const database = environment?.['POSTGRES_DB'];
    expect(postgres).toBe(`postgres://postgres:${secret('postgres', 'password')}@postgres:5432/${database}`);
    const [, password] = /^service_password: "(.+)"$/m.exec(secret('nats', 'passwords.conf')) ?? [];
    expect(nats).toBe(`nats://service:${password}@nats:4222`);
  });

  test('can be reached from this machine only, where `npm start` has its replicas too', () => {
    const published = (part: 'dns-query' | ServiceName, protocol = '') =>
      `127.0.0.1:${defaultPorts[part] + 10 * index}:${defaultPorts[part]}${protocol}`;
    const names = service === 'dns' ? [published('dns-query', '/tcp'), published('dns-query', '/udp')] : [];
    expect(entryOf(name).ports).toEqual([published(service), ...names]);
  });

  test('sees the secrets of its own service and cannot change them', () => {
    expect(entryOf(name).volumes).toEqual([
      expect.objectContaining({ source: `./secrets/${service}`, target: mountedAt, read_only: true }),
    ]);
  });
});

describe.each(dashboards)('$name', ({ index, name }) => {
  test('is told all that its configuration asks for, and nothing that it does not know', () => {
    expect(entryOf(name).command).toEqual([`services/${programFolders[opsName]}/src/main.ts`]);
    const known = variablesOf(opsConfig).flatMap((variable) => [variable, `${variable}_FILE`]);
    expect(Object.keys(entryOf(name).environment ?? {}).filter((variable) => !known.includes(variable))).toEqual([]);
    const config = loadConfig(opsConfig, environmentOf(name, opsName));
    expect(config.instance).toBe(name);
    expect(config.grpcListen).toEqual({ host: '0.0.0.0', port: defaultPorts.ops });
    const { postgres, nats, region, zones, addresses } = loadConfig(serviceConfig, environmentOf('dns-1', 'dns'));
    expect(config).toMatchObject({ postgres, nats, region, zones, addresses });
  });

  test('asks all replicas of DNS for their metrics, and agents none: they give none here', () => {
    const { dnsMetrics, agentMetrics } = loadConfig(opsConfig, environmentOf(name, opsName));
    const { metricsListen } = loadConfig(serviceConfig, environmentOf('dns-1', 'dns'));
    expect([dnsMetrics, agentMetrics]).toEqual([[`dns:${metricsListen?.port}`], undefined]);
    expect(agents.filter((agent) => entryOf(agent.name).environment?.['PRIVATELINK_METRICS_LISTEN'])).toEqual([]);
  });

  test('is found by browsers of this machine at the address that it takes for its own', () => {
    const { httpListen, origin } = loadConfig(opsConfig, environmentOf(name, opsName));
    expect([httpListen.port, origin]).toEqual([defaultPorts['ops-http'] + 10 * index, undefined]);
    expect(entryOf(name).ports).toEqual([
      `127.0.0.1:${defaultPorts.ops + 10 * index}:${defaultPorts.ops}`,
      `127.0.0.1:${httpListen.port}:${httpListen.port}`,
    ]);
  });

  test('waits for the servers, and sees its own secrets only', () => {
    const { depends_on, volumes } = entryOf(name);
    expect(depends_on).toEqual(Object.fromEntries(servers.map((server) => [server, { condition: 'service_healthy' }])));
    expect(volumes).toEqual([
      expect.objectContaining({ source: `./secrets/${opsName}`, target: mountedAt, read_only: true }),
    ]);
  });
});

describe.each(agents)('$name', ({ zoneId, index, name }) => {
  test('runs the main file of the agent once the brokers serve', () => {
    const { command, depends_on } = entryOf(name);
    expect(command).toEqual([`services/${programFolders[agentName]}/src/main.ts`]);
    expect(existsSync(join(repository, command?.[0] ?? 'no command'))).toBe(true);
    expect(depends_on).toEqual({
      'broker-1': { condition: 'service_healthy' },
      'broker-2': { condition: 'service_healthy' },
    });
  });

  test('is told all that its configuration asks for, and nothing that it does not know', () => {
    const { environment = {} } = entryOf(name);
    expect(Object.keys(environment).filter((variable) => !variablesOf(agentConfig).includes(variable))).toEqual([]);
    // Where HAProxy is in the image is for dockerfile.spec.ts; here it only has to be a program.
    const config = loadConfig(agentConfig, {
      ...environmentOf(name, agentName),
      PRIVATELINK_HAPROXY: process.execPath,
    });
    expect(config.instance).toBe(name);
    expect(config.zone).toBe(zoneId);
    expect(config.grpcListen).toEqual({ host: '127.0.0.1', port: defaultPorts[agentName] + 10 * index });
    for (const replica of replicas) {
      expect(entryOf(replica.name).environment?.['PRIVATELINK_FORWARDING']).toBe(config.mode);
    }
  });

  test('finds the brokers in the network of the machine, where it is itself', () => {
    const { network_mode, ports, environment } = entryOf(name);
    expect([network_mode, ports]).toEqual(['host', undefined]);
    const published = ['broker-1', 'broker-2'].map((broker) => entryOf(broker).ports?.[0]?.replace(/:\d+$/, ''));
    expect(environment?.['PRIVATELINK_BROKER']?.split(',')).toEqual(published);
  });

  test('sees its own secrets only, and writes into its own directory only', () => {
    const { volumes, tmpfs, environment } = entryOf(name);
    expect(volumes).toEqual([
      expect.objectContaining({ source: `./secrets/${agentName}`, target: mountedAt, read_only: true }),
    ]);
    expect(tmpfs?.map((mount) => mount.split(':')[0])).toEqual([environment?.['PRIVATELINK_AGENT_DIR']]);
  });
});

test.each([...replicas, ...dashboards, ...agents])(
  '$name has a health check, which is a file of the image',
  ({ name }) => {
    const [kind, program, file = ''] = entryOf(name).healthcheck?.test ?? [];
    expect([kind, program]).toEqual(['CMD', 'node']);
    expect(existsSync(join(repository, file))).toBe(true);
  },
);

test('of the servers only NATS is published, for subscribers and billing on this machine', () => {
  expect(servers.map((server) => entryOf(server).ports)).toEqual([undefined, ['127.0.0.1:7422:4222'], undefined]);
  expect(defaultPorts.nats).toBe(7422);
});

test('every mounted file is there', () => {
  const sources = Object.values(composeEntries)
    .flatMap(({ volumes = [] }) => volumes)
    .map((volume) => (typeof volume === 'string' ? volume.split(':')[0] : volume.source))
    .filter((source) => source?.startsWith('./') && source !== './secrets');
  expect(sources).toContain('./secrets/nats');
  for (const source of sources) {
    const file = source?.startsWith('./secrets/')
      ? join(secrets, source.slice(10))
      : join(composeDirectory, source ?? '');
    expect(existsSync(file), source).toBe(true);
  }
});
