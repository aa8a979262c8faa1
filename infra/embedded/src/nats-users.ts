import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { lockDataDir } from './lock.ts';
import { configuredUser, type NatsUser, tenantSubjects, tenantUser } from './nats-config.ts';
import type { RunFile } from './run-file.ts';
import { newPassword, writePrivateFile } from './secrets.ts';
import { waitUntil } from './wait-until.ts';

/** How an account listens to what it is told on NATS. */
export type TenantCredentials = Readonly<{
  url: string;
  user: string;
  password: string;
  inboxPrefix: string;
  subjects: string;
}>;

type ConfigFile = Readonly<{ authorization: Readonly<{ users: readonly Readonly<{ user: string }>[] }> }>;

const APPLIED_WITHIN_MS = 10_000;

/** Gives an account a user at the running embedded server, or finds the one that it has. Nobody is disconnected by it. */
export async function addTenantUser(
  dataDir: string,
  run: Pick<RunFile, 'nats' | 'processes'>,
  account: string,
): Promise<TenantCredentials> {
  const directory = join(dataDir, 'nats');
  const tenant = tenantUser(account);
  const { user } = tenant;
  const unlock = await lockDataDir(directory);
  let password: string;
  try {
    password = await writeUser(directory, tenant);
  } finally {
    await unlock();
  }
  const server = run.processes.find(({ name }) => name === 'nats');
  if (!server) throw new Error('NATS does not run');
  const { url } = run.nats;
  const isKnown = (): Promise<boolean> => isLetIn(new URL(url), { user, pass: password });
  // Read again only for somebody new: who has just connected might be disconnected by it.
  if (!(await isKnown())) {
    process.kill(server.pid, 'SIGHUP');
    await waitUntil(isKnown, AbortSignal.timeout(APPLIED_WITHIN_MS));
  }
  return { url, user, password, inboxPrefix: `_INBOX.${user}`, subjects: tenantSubjects(account) };
}

/** Where the server reads it now, and where it is found at its next start. Returns the password. */
async function writeUser(directory: string, tenant: NatsUser): Promise<string> {
  const [passwordsFile, configFile] = [join(directory, 'passwords.json'), join(directory, 'nats.conf')];
  const { user } = tenant;
  const passwords = JSON.parse(await readFile(passwordsFile, 'utf8')) as Record<string, string>;
  const password = passwords[user] ?? newPassword();
  await writePrivateFile(passwordsFile, JSON.stringify({ ...passwords, [user]: password }));
  const config = JSON.parse(await readFile(configFile, 'utf8')) as ConfigFile;
  const others = config.authorization.users.filter((other) => other.user !== user);
  const users = [...others, configuredUser(tenant, password)];
  await writePrivateFile(configFile, `${JSON.stringify({ ...config, authorization: { users } }, null, 2)}\n`);
  return password;
}

/** Whether a server answers to somebody who signs in so. */
async function isLetIn({ hostname, port }: URL, credentials: { user: string; pass: string }): Promise<boolean> {
  const socket = createConnection({ host: hostname, port: Number(port) });
  try {
    await once(socket, 'data', { signal: AbortSignal.timeout(1000) });
    socket.write(`CONNECT ${JSON.stringify({ ...credentials, verbose: false, pedantic: false })}\r\nPING\r\n`);
    const [answer] = await once(socket, 'data', { signal: AbortSignal.timeout(1000) });
    return String(answer).startsWith('PONG');
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
