import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { agentName, opsName, serviceNames } from '@privatelink/embedded/service-names';
import { tokenVerifier } from '@privatelink/shared/grpc/tokens';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeSecrets } from './support/compose-secrets.ts';

let directory: string;
beforeAll(async () => {
  directory = join(await mkdtemp(join(tmpdir(), 'privatelink-compose-')), 'secrets');
  await makeSecrets(directory);
});
afterAll(() => rm(join(directory, '..'), { recursive: true, force: true }));

const read = (...path: string[]): Promise<string> => readFile(join(directory, ...path), 'utf8');
const modeOf = async (...path: string[]): Promise<number> => (await stat(join(directory, ...path))).mode & 0o777;

const services = [...serviceNames, opsName];
const programs = [...services, agentName];

test.each(programs)('%s gets a token for itself that every service accepts', async (service) => {
  for (const other of services) {
    const verify = tokenVerifier({ jwksFile: join(directory, other, 'jwks.json') });
    expect(await verify(await read(service, 'token'))).toEqual({
      subject: `service:${service}`,
      accountId: '',
      roles: ['service'],
    });
  }
});

test('no container is given the key that signs', async () => {
  const { d: privatePart } = JSON.parse(await read('keys', 'issuer.jwk'));
  expect(privatePart).toMatch(/^[\w-]{43}$/);
  for (const container of [...programs, 'nats', 'postgres']) {
    for (const file of await readdir(join(directory, container))) {
      expect(await read(container, file)).not.toContain(privatePart);
    }
  }
});

test('an agent is given no more than it needs', async () => {
  expect((await readdir(join(directory, agentName))).sort()).toEqual(['jwks.json', 'token']);
});

test('this machine keeps others out at the door, so that a container may run as any user', async () => {
  expect(await modeOf('.')).toBe(0o700);
  expect(await modeOf('provider')).toBe(0o755);
  expect(await modeOf('provider', 'token')).toBe(0o644);
  expect(await modeOf('keys', 'issuer.jwk')).toBe(0o600);
});

test('made again, only the tokens are new', async () => {
  const kept = () =>
    Promise.all([
      ...['issuer.jwk', 'token-secret'].map((name) => read('keys', name)),
      ...['jwks.json', 'token-secret', 'postgres', 'nats'].map((name) => read('dns', name)),
      read('postgres', 'password'),
      read('nats', 'passwords.conf'),
    ]);
  const [before, token] = [await kept(), await read('dns', 'token')];
  await makeSecrets(directory, '--days', '60');
  expect(await kept()).toEqual(before);
  const expiryOf = (jwt: string): number => JSON.parse(atob(jwt.split('.')[1] ?? '')).exp;
  expect(expiryOf(await read('dns', 'token')) - expiryOf(token)).toBeGreaterThan(29 * 24 * 3600);
});

test('a lifetime that is none is refused', async () => {
  await expect(makeSecrets(directory, '--days', 'many')).rejects.toThrow('--days must be a positive number');
});
