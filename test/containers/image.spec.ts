import { access, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findFreePort } from '@privatelink/embedded/free-port';
import { loadSigningKey, mintToken } from '@privatelink/embedded/keys';
import { startNats } from '@privatelink/embedded/nats';
import { startPostgres } from '@privatelink/embedded/postgres';
import { startStandalone } from '@privatelink/embedded/program';
import { opsName } from '@privatelink/embedded/service-names';
import { serviceProgram } from '@privatelink/embedded/service-program';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildImage } from './support/build-image.ts';
import { composeEntries } from './support/compose-file.ts';
import { makeSecrets } from './support/compose-secrets.ts';

let directory: string;
let app: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'privatelink-image-'));
  app = await buildImage(directory);
});
afterAll(() => rm(directory, { recursive: true, force: true }));

test('carries the services and the built pages, and nothing that builds', async () => {
  const packages = await readdir(join(app, 'node_modules/.pnpm'));
  expect(packages.filter((name) => name.startsWith('fastify@'))).toHaveLength(1);
  expect(packages.filter((name) => /^(vite|rolldown|react|typescript|vitest)@/.test(name))).toEqual([]);
  expect(JSON.parse(await readFile(join(app, 'pages/state-machines.json'), 'utf8'))).toHaveProperty('connection.rows');
  await expect(access(join(app, 'infra/state-machines.ts'))).rejects.toThrow('ENOENT');
});

test('runs the dashboard: an operator signs in with a token and finds the pages', async () => {
  const stops: (() => Promise<void>)[] = [];
  try {
    const secrets = join(directory, 'secrets');
    await makeSecrets(secrets);
    const nats = await startNats({ dataDir: directory, port: 0 });
    stops.push(nats.stop);
    const postgres = await startPostgres({ dataDir: directory, port: 0 });
    stops.push(postgres.stop);
    const [grpc, http, metrics] = await Promise.all([findFreePort(), findFreePort(), findFreePort()]);
    const told = Object.entries(composeEntries['ops-1']?.environment ?? {}).map(([name, value]) => [
      name,
      value.replace('/run/secrets/privatelink', join(secrets, opsName)).replace(/^\/app\b/, app),
    ]);
    const env = {
      ...Object.fromEntries(told),
      // Of the machine, and not of the network that the containers have.
      ...{ PRIVATELINK_NATS_FILE: '', PRIVATELINK_POSTGRES_FILE: '', PRIVATELINK_POSTGRES: postgres.url },
      PRIVATELINK_NATS: nats.url.replace('://', `://service:${nats.credentials['service']?.password}@`),
      PRIVATELINK_GRPC_LISTEN: `127.0.0.1:${grpc}`,
      PRIVATELINK_OPS_HTTP_LISTEN: `127.0.0.1:${http}`,
      PRIVATELINK_METRICS_LISTEN: `127.0.0.1:${metrics}`,
    };
    const main = join(app, composeEntries['ops-1']?.command?.[0] ?? '');
    const ops = await startStandalone(serviceProgram({ name: 'ops-1', main, env, port: grpc }));
    stops.push(ops.stop);

    const url = `http://127.0.0.1:${http}`;
    const page = await (await fetch(`${url}/sign-in`)).text();
    const [, script = ''] = /<script[^>]* src="([^"]+)"/.exec(page) ?? [];
    expect((await fetch(`${url}${script}`)).headers.get('content-type')).toMatch(/javascript/);
    const key = await loadSigningKey(join(secrets, 'keys/issuer.jwk'));
    const token = await mintToken({ key, subject: 'olga', account: '', roles: ['operator'], ttlSeconds: 60 });
    const headers = { authorization: `Bearer ${token}` };
    const signedIn = await fetch(`${url}/api/session`, { method: 'POST', headers });
    expect(await signedIn.json()).toMatchObject({ subject: 'olga', roles: ['operator'] });
    const cookie = signedIn.headers.get('set-cookie')?.split(';')[0] ?? '';
    const listed = await fetch(`${url}/api/connections`, { headers: { cookie } });
    expect([listed.status, await listed.json()]).toMatchObject([200, { items: [] }]);
    expect(await (await fetch(`http://127.0.0.1:${metrics}/metrics`)).text()).toContain('privatelink_');
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
});
