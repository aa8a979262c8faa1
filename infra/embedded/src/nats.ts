import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { findFreePort, loopback } from './free-port.ts';
import {
  accountOfUser,
  developmentUsers,
  type NatsUser,
  natsConfig,
  subscriberInbox,
  tenantUser,
} from './nats-config.ts';
import { type Program, startStandalone } from './program.ts';
import { publicStreams } from './public-streams.ts';
import { newPassword, readOrCreatePrivateFile, writePrivateFile } from './secrets.ts';
import { StartError } from './start-error.ts';
import { waitUntil } from './wait-until.ts';

export type NatsOptions = {
  readonly dataDir: string;
  readonly port: number;
  readonly users?: readonly NatsUser[];
};

/** How a user signs in; `inboxPrefix` is where the user may receive replies. */
export type NatsCredentials = { readonly user: string; readonly password: string; readonly inboxPrefix: string };

export type Nats = {
  readonly program: Program;
  /** The address without credentials. */
  readonly url: string;
  readonly credentials: Readonly<Record<string, NatsCredentials>>;
};

const passwordsSchema = z.record(z.string(), z.string());

/** A nats-server with JetStream on loopback; its users and their passwords stay the same between runs. */
export async function natsServer(options: NatsOptions): Promise<Nats> {
  await requireBinary();
  const users = options.users ?? developmentUsers(publicStreams);
  const directory = join(options.dataDir, 'nats');
  const passwordsFile = join(directory, 'passwords.json');
  const passwords = await readPasswords(passwordsFile, users);
  const configFile = join(directory, 'nats.conf');
  return {
    url: `nats://${loopback}:${options.port}`,
    credentials: Object.fromEntries(
      Object.entries(passwords).map(([user, password]) => [user, { user, password, inboxPrefix: inboxOf(user) }]),
    ),
    program: {
      name: 'nats',
      quiet: true,
      async prepare() {
        // Accounts may have got users since.
        const all = await readPasswords(passwordsFile, users);
        const tenants = Object.keys(all).flatMap((user) => accountOfUser(user) ?? []);
        const everybody = [...users, ...tenants.map(tenantUser)];
        const config = { port: options.port, storeDir: directory, users: everybody, passwords: all };
        await writePrivateFile(configFile, natsConfig(config));
        return {
          name: 'nats',
          command: 'nats-server',
          args: ['--config', configFile],
          env: process.env,
          stopSignal: 'SIGTERM',
        };
      },
      ready: (signal) => waitUntil(() => greetsWithJetStream(options.port), signal),
    },
  };
}

/** A nats-server by itself, for tests: `port` 0 takes a free one. */
export async function startNats(options: NatsOptions): Promise<Nats & { stop(): Promise<void> }> {
  const port = options.port === 0 ? await findFreePort() : options.port;
  const nats = await natsServer({ ...options, port });
  const { stop } = await startStandalone(nats.program);
  return { ...nats, stop };
}

async function requireBinary(): Promise<void> {
  await promisify(execFile)('nats-server', ['--version']).catch((error: Error) => {
    throw new StartError(`nats-server does not run, put it on PATH or set PRIVATELINK_NATS: ${error.message}`);
  });
}

const inboxOf = (user: string): string => (user === 'subscriber' ? subscriberInbox : `_INBOX.${user}`);

/** The passwords kept from earlier runs; users that are new get theirs now. */
async function readPasswords(file: string, users: readonly NatsUser[]): Promise<Record<string, string>> {
  const kept = passwordsSchema.safeParse(parseJson(await readOrCreatePrivateFile(file, () => '{}')));
  if (!kept.success) throw new StartError(`${file} is damaged: delete it to get new passwords`);
  const tenants = Object.entries(kept.data).filter(([user]) => accountOfUser(user) !== undefined);
  const own = users.map(({ user }) => [user, kept.data[user] ?? newPassword()] as const);
  const passwords = Object.fromEntries([...tenants, ...own]);
  await writePrivateFile(file, JSON.stringify(passwords));
  return passwords;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A server greets each connection with a line about itself, and only once JetStream has been recovered. */
async function greetsWithJetStream(port: number): Promise<boolean> {
  const socket = createConnection({ host: loopback, port });
  try {
    const [greeting] = await once(socket, 'data', { signal: AbortSignal.timeout(1000) });
    return String(greeting).startsWith('INFO ') && String(greeting).includes('"jetstream":true');
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
