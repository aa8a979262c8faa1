import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { developmentUsers } from '@privatelink/embedded/nats-config';
import { publicStreams } from '@privatelink/embedded/public-streams';
import { expect, onTestFinished, test } from 'vitest';
import { composeDirectory } from './support/compose-file.ts';
import { makeSecrets } from './support/compose-secrets.ts';

/** The users of the embedded server, with passwords from the file that keys.ts makes. */
function expectedConfig(): string {
  const users = developmentUsers(publicStreams).map(({ user, permissions }) => ({
    user,
    password: `$${user}_password`,
    ...(permissions && { permissions }),
  }));
  return [
    '# The users of infra/embedded/src/nats-config.ts: `vitest run test/containers/nats-conf.spec.ts --update` writes this file.',
    'server_name: privatelink',
    'port: 4222',
    '# For the health check.',
    'http: "127.0.0.1:8222"',
    'jetstream: { store_dir: "/data" }',
    'include "secrets/passwords.conf"',
    `authorization: ${JSON.stringify({ users }, null, 2).replaceAll(/"(\$\w+_password)"/g, '$1')}`,
    '',
  ].join('\n');
}

test('has the users of the embedded server with the same permissions', async () => {
  await expect(expectedConfig()).toMatchFileSnapshot(`${composeDirectory}nats.conf`);
});

test('is what a NATS server reads, with a password for each user', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'privatelink-compose-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  await makeSecrets(join(directory, 'all'));
  await cp(join(directory, 'all', 'nats'), join(directory, 'secrets'), { recursive: true });
  await cp(`${composeDirectory}nats.conf`, join(directory, 'nats.conf'));
  const { stderr } = await promisify(execFile)('nats-server', ['-t', '-c', join(directory, 'nats.conf')]);
  expect(stderr).toContain('is valid');
});
