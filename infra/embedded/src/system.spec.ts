import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isServing } from './health.ts';
import { readRunFile } from './run-file.ts';
import { type System, type SystemOptions, startSystem } from './system.ts';
import { isAlive, newDataDir, otherServers, removeDataDir, until } from './testing/run-command.ts';

const fixture = fileURLToPath(new URL('./testing/fixture-service.ts', import.meta.url));
let dataDir: string;
let system: System | undefined;

beforeEach(async () => {
  dataDir = await newDataDir();
});

afterEach(async () => {
  await system?.stop();
  system = undefined;
  await removeDataDir(dataDir);
});

async function start(options: Partial<SystemOptions> = {}): Promise<System> {
  system = await startSystem({
    dataDir,
    ports: 'free',
    logs: 'file',
    mainOf: () => fixture,
    ...options,
    env: { ...otherServers, PRIVATELINK_FORWARDING: 'none', FIXTURE_JOURNAL: journalFile(), ...options.env },
  });
  return system;
}

const journalFile = (): string => join(dataDir, 'journal');
const readJournal = async (): Promise<string[]> => (await readFile(journalFile(), 'utf8')).trim().split('\n');

test('everything is serving and described when the start resolves, and gone after the stop', async () => {
  const { run, pids, stop } = await start({ replicas: { provider: 2 }, env: { PRIVATELINK_POSTGRES: '' } });
  expect(Object.keys(pids())).toEqual([
    'nats',
    'postgres',
    'provider-1',
    'provider-2',
    'consumer-1',
    'broker-1',
    'dns-1',
  ]);
  expect(run.grpc.provider).toHaveLength(2);
  for (const address of Object.values(run.grpc).flat()) expect(await isServing(address)).toBe(true);
  expect(await readRunFile(dataDir)).toEqual(run);
  const before = Object.values(pids());
  await stop();
  expect(before.filter(isAlive)).toEqual([]);
  await expect(readFile(join(dataDir, 'run.json'))).rejects.toThrow('ENOENT');
  await expect(readFile(join(dataDir, 'lock'))).rejects.toThrow('ENOENT');
});

test('services stop in the reverse of the order they are listed in', async () => {
  const { stop } = await start();
  await stop();
  const stopped = (await readJournal()).filter((line) => line.endsWith('stopped'));
  expect(stopped).toEqual(['dns-1 stopped', 'broker-1 stopped', 'consumer-1 stopped', 'provider-1 stopped']);
});

const twoZones = { PRIVATELINK_ZONES: 'a, b', PRIVATELINK_OTHER_REGIONS: '' };

test('the agents of each zone start after the services, are described, and stop before them', async () => {
  const { run, pids, stop } = await start({
    replicas: { 'data-plane': 2 },
    env: { ...twoZones, PRIVATELINK_FORWARDING: 'loopback', PRIVATELINK_HAPROXY: process.execPath },
  });
  const services = ['provider-1', 'consumer-1', 'broker-1', 'dns-1'];
  const agents = ['data-plane-a-1', 'data-plane-a-2', 'data-plane-b-1', 'data-plane-b-2'];
  expect(Object.keys(pids())).toEqual(['nats', ...services, ...agents]);
  const { mode, zones } = run.dataPlane;
  expect(mode).toBe('loopback');
  expect(zones.map(({ zoneId }) => zoneId)).toEqual(['a', 'b']);
  const described = zones.flatMap((zone) => zone.agents);
  expect(described.map(({ name }) => name)).toEqual(agents);
  for (const { address } of described) expect(await isServing(address)).toBe(true);
  expect(new Set(described.map(({ address }) => address)).size).toBe(4);
  await stop();
  const journal = await readJournal();
  expect(journal.slice(0, 4).sort()).toEqual(services.map((name) => `${name} started`).sort());
  expect(journal.slice(8)).toEqual([...services, ...agents].map((name) => `${name} stopped`).toReversed());
});

test('without forwarding there are no agents', async () => {
  const { run, pids } = await start();
  expect(Object.keys(pids())).toEqual(['nats', 'provider-1', 'consumer-1', 'broker-1', 'dns-1']);
  expect(run.dataPlane).toEqual({ mode: 'none', zones: [] });
});

test('a process that is killed comes back under another id, and the run file says so', async () => {
  const { kill, waitHealthy, pids, run } = await start();
  const before = pids()['provider-1'];
  kill('provider-1', 'SIGKILL');
  await waitHealthy('provider-1');
  const after = pids()['provider-1'];
  expect(after).not.toBe(before);
  expect(await isServing(run.grpc.provider[0] ?? '')).toBe(true);
  await until(async () =>
    (await readRunFile(dataDir)).processes.some(({ name, pid }) => name === 'provider-1' && pid === after),
  );
});

test('a process that was stopped stays down until it is started again', async () => {
  const { stopProcess, startProcess, pids, run } = await start();
  await stopProcess('broker-1');
  expect(pids()).not.toHaveProperty('broker-1');
  expect(await isServing(run.grpc.broker[0] ?? '')).toBe(false);
  await startProcess('broker-1');
  expect(await isServing(run.grpc.broker[0] ?? '')).toBe(true);
});

test('nats comes back on the same address after its JetStream directory is gone', async () => {
  const { stopProcess, startProcess, pids } = await start();
  await stopProcess('nats');
  await removeDataDir(join(dataDir, 'nats', 'jetstream'));
  await startProcess('nats');
  expect(pids()['nats']).toBeTypeOf('number');
});

test('a service that refuses its configuration stops the start with its own words', async () => {
  const failing = start({ env: { FIXTURE_FAILS: 'consumer-1' } });
  await expect(failing).rejects.toThrow('consumer-1 did not become ready (exit code 78): PRIVATELINK_REGION is wrong');
  await expect(readFile(join(dataDir, 'lock'))).rejects.toThrow('ENOENT');
});

test('a start that is aborted leaves nothing behind', async () => {
  const stopping = new AbortController();
  const starting = start({ signal: stopping.signal });
  await until(async () => (await readFile(journalFile(), 'utf8').catch(() => '')) !== '');
  stopping.abort();
  await expect(starting).rejects.toThrow();
  await expect(readFile(join(dataDir, 'lock'))).rejects.toThrow('ENOENT');
});

test('each service gets a token of its own and the secrets are for the owner only', async () => {
  await start();
  const token = await readFile(join(dataDir, 'keys', 'broker.token'), 'utf8');
  const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
  expect(claims).toMatchObject({ sub: 'service:broker', roles: ['service'] });
  expect(claims).not.toHaveProperty('account');
});
