// Makes the passwords, keys and tokens that compose.yaml mounts: node infra/compose/keys.ts [--days 30] [DIRECTORY]
// What exists is kept, except the services' tokens: run it again before they expire. Running services read them anew.
import { chmod, mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { generateSigningKeys, issueToken } from '../../services/shared/src/grpc/issue-token.ts';
import { newPassword, readOrCreatePrivateFile } from '../embedded/src/secrets.ts';
import { agentName, opsName, serviceNames } from '../embedded/src/service-names.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { days: { type: 'string', default: '30' } },
});
const [directory = fileURLToPath(new URL('secrets', import.meta.url))] = positionals;
const ttlSeconds = Number(values.days) * 24 * 3600;
if (!(ttlSeconds > 0)) throw new Error(`--days must be a positive number, not "${values.days}"`);

/** What no container gets; `infra/embedded/src/token.ts --data-dir` finds the signing key there. */
const keep = (name: string, create: () => string | Promise<string>): Promise<string> =>
  readOrCreatePrivateFile(join(directory, 'keys', name), create);

/** What a container is given. It may run as any user: the directory above all of it is closed to others instead. */
async function give(container: string, name: string, content: string): Promise<void> {
  const file = join(directory, container, name);
  await mkdir(dirname(file), { recursive: true });
  await chmod(dirname(file), 0o755);
  await writeFile(`${file}.new`, content);
  await chmod(`${file}.new`, 0o644);
  await rename(`${file}.new`, file);
}

await mkdir(directory, { recursive: true });
await chmod(directory, 0o700);

const signingKey = JSON.parse(
  await keep('issuer.jwk', async () => JSON.stringify((await generateSigningKeys()).privateKey)),
);
const { d: _private, ...publicKey } = signingKey;
const tokenSecret = await keep('token-secret', newPassword);

const postgresPassword = await keep('postgres-password', newPassword);
await give('postgres', 'password', postgresPassword);

const natsPassword = (user: string): Promise<string> => keep(`nats-${user}-password`, newPassword);
const natsUsers = ['service', 'subscriber', 'billing'];
const lines = await Promise.all(natsUsers.map(async (user) => `${user}_password: "${await natsPassword(user)}"\n`));
await give('nats', 'passwords.conf', lines.join(''));

const services = [...serviceNames, opsName];
for (const program of [...services, agentName]) {
  const caller = { subject: `service:${program}`, accountId: '', roles: ['service'] } as const;
  await give(program, 'jwks.json', JSON.stringify({ keys: [publicKey] }));
  await give(program, 'token', await issueToken(signingKey, caller, { ttlSeconds }));
}
for (const service of services) {
  await give(service, 'token-secret', tokenSecret);
  await give(service, 'postgres', `postgres://postgres:${postgresPassword}@postgres:5432/privatelink`);
  await give(service, 'nats', `nats://service:${await natsPassword('service')}@nats:4222`);
}
process.stdout.write(`${directory}: the tokens of services and agents are good for ${values.days} days\n`);
