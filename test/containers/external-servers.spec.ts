import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEventStore } from '@privatelink/embedded/event-store-server';
import { loadSigningKey, mintToken } from '@privatelink/embedded/keys';
import { startNats } from '@privatelink/embedded/nats';
import type { NatsUser } from '@privatelink/embedded/nats-config';
import { startPostgres } from '@privatelink/embedded/postgres';
import type { RunFile } from '@privatelink/embedded/run-file';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { startWorld, type World } from '../support/world.ts';
import { playLifecycle } from './support/play-lifecycle.ts';

/** Servers that somebody else runs, with users that may do no more than infra/compose/README.md asks for. */
let directory: string;
let env: Record<'PRIVATELINK_EVENT_STORE' | 'PRIVATELINK_NATS' | 'PRIVATELINK_POSTGRES', string>;
const stops: (() => Promise<void>)[] = [];
let world: World | undefined;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'privatelink-external-'));
  const place = { dataDir: directory, port: 0 };
  const eventStore = await startEventStore(place);
  stops.push(eventStore.stop);
  const nats = await startNats({
    ...place,
    users: [{ user: 'privatelink', permissions: await documentedPermissions() }],
  });
  stops.push(nats.stop);
  const postgres = await startPostgres(place);
  stops.push(postgres.stop);
  env = {
    PRIVATELINK_EVENT_STORE: eventStore.url,
    PRIVATELINK_NATS: nats.url.replace('://', `://privatelink:${nats.credentials['privatelink']?.password}@`),
    PRIVATELINK_POSTGRES: await createOwner(postgres.url),
  };
});

afterEach(async () => {
  await world?.stop();
  world = undefined;
});

afterAll(async () => {
  for (const stop of stops.reverse()) await stop();
  await rm(directory, { recursive: true, force: true });
});

/** What the README says that the services' NATS user needs. */
async function documentedPermissions(): Promise<NonNullable<NatsUser['permissions']>> {
  const readme = await readFile(new URL('../../infra/compose/README.md', import.meta.url), 'utf8');
  const [, block = ''] = /```json\n(\{[^`]*"publish"[^`]*)```/.exec(readme) ?? [];
  return JSON.parse(block);
}

/** A role that owns its database and is nothing beyond that. */
async function createOwner(adminUrl: string): Promise<string> {
  const admin = new pg.Client({ connectionString: adminUrl });
  await admin.connect();
  await admin.query(`create role tenant login password 'tenant-password'`);
  await admin.query('create database tenant owner tenant');
  await admin.end();
  const url = new URL(adminUrl);
  return `postgres://tenant:tenant-password@${url.host}/tenant`;
}

const start = async (changed: Partial<typeof env> = {}): Promise<World> => {
  world = await startWorld({ env: { ...env, ...changed }, dashboard: true });
  return world;
};

/** How many endpoints the dashboard has heard the end of. */
async function endsHeard({ dashboard, issuer }: RunFile): Promise<number> {
  const key = await loadSigningKey(issuer.keyFile);
  const token = await mintToken({ key, subject: 'olga', account: '', roles: ['operator'], ttlSeconds: 60 });
  const facts = await fetch(`${dashboard.urls[0]}/api/facts?pageSize=500`, {
    headers: { authorization: `Bearer ${token}` },
  });
  const { items } = (await facts.json()) as { items: { resourceType: string; transition: { to: string } | null }[] };
  return items.filter(({ resourceType, transition }) => resourceType === 'endpoint' && transition?.to === 'GONE')
    .length;
}

test('the whole story on servers that are given, and once more on what it left there', {
  timeout: 120_000,
}, async () => {
  let ends = 0;
  for (const time of ['first', 'second']) {
    const { system, stop } = await start();
    expect(Object.keys(system.pids())).toEqual(['provider-1', 'consumer-1', 'broker-1', 'dns-1', 'ops-1']);
    expect(system.run).toMatchObject({
      eventStore: { url: env.PRIVATELINK_EVENT_STORE },
      nats: { url: env.PRIVATELINK_NATS },
      postgres: { url: env.PRIVATELINK_POSTGRES },
    });
    const told = await playLifecycle(system.run);
    expect(told.at(-1), time).toMatchObject({ resource: 'endpoint', to: 'GONE' });
    ends += told.filter(({ resource, to }) => resource === 'endpoint' && to === 'GONE').length;
    await expect.poll(() => endsHeard(system.run), { timeout: 10_000 }).toBe(ends);
    await stop();
    world = undefined;
  }
});

test('a NATS server that refuses us is named in one line, without the password', async () => {
  const { host } = new URL(env.PRIVATELINK_NATS);
  const failing = start({ PRIVATELINK_NATS: `nats://privatelink:wrong-password@${host}` });
  const { message } = await failing.then(
    () => new Error('it started'),
    (error: Error) => error,
  );
  expect(message).toContain(`NATS at ${host} cannot be used`);
  expect(message).not.toMatch(/wrong-password|\n/);
});
