import { execFileSync } from 'node:child_process';
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Postgres, startPostgres } from './postgres.ts';
import { postgresAccount } from './postgres-account.ts';
import { newDataDir, removeDataDir } from './testing/run-command.ts';

let dataDir: string;
let postgres: Postgres & { stop(): Promise<void> };

beforeAll(async () => {
  dataDir = await newDataDir();
  postgres = await startPostgres({ dataDir, port: 0 });
});

afterAll(async () => {
  await postgres?.stop();
  await removeDataDir(dataDir);
});

async function query(text: string, url = postgres.url): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  try {
    await client.connect();
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

test('it is durable, on loopback only, and orders text by its bytes', async () => {
  const [row] = await query(`select current_database() as name, current_setting('fsync') as fsync,
    current_setting('synchronous_commit') as commit, current_setting('listen_addresses') as listen,
    current_setting('unix_socket_directories') as sockets, 'B' < 'a' as bytes`);
  expect(row).toEqual({
    name: 'privatelink',
    fsync: 'on',
    commit: 'on',
    listen: '127.0.0.1',
    sockets: '',
    bytes: true,
  });
});

test('nobody gets in without the password', async () => {
  const url = new URL(postgres.url);
  url.password = 'wrong';
  await expect(query('select 1', url.href)).rejects.toThrow('password authentication failed');
});

test('data and address survive a restart', async () => {
  await query('create table kept (id int)');
  await postgres.stop();
  const port = Number(new URL(postgres.url).port);
  const before = postgres.url;
  postgres = await startPostgres({ dataDir, port });
  expect(postgres.url).toBe(before);
  expect(await query('select count(*)::int as rows from kept')).toEqual([{ rows: 0 }]);
});

test.runIf(userInfo().uid === 0)(
  'as root it runs under another account, in a directory only root can enter',
  async () => {
    expect((await stat(dataDir)).mode & 0o077).toBe(0);
    expect((await stat(join(dataDir, 'postgres', 'data'))).uid).not.toBe(0);
  },
);

test.runIf(userInfo().uid === 0)(
  'that account runs what lies below a directory only root can enter, and is not root',
  async () => {
    const program = join(dataDir, 'program');
    await writeFile(program, '#!/bin/sh\nid -u\n', { mode: 0o755 });
    const { prefix } = await postgresAccount([program]);
    const [command = '', ...args] = [...prefix, 'sh', '-c', 'test -x "$0" && "$0"', program];
    expect(Number(execFileSync(command, args, { encoding: 'utf8' }))).toBeGreaterThan(0);
  },
);

test('an initialisation that was cut short leaves nothing that is mistaken for data', async () => {
  expect(await readdir(join(dataDir, 'postgres'))).toEqual(['data', 'password']);
});

test('data of another major version is refused in one line', async () => {
  const other = await newDataDir();
  try {
    const data = join(other, 'postgres', 'data');
    await mkdir(data, { recursive: true });
    await writeFile(join(data, 'PG_VERSION'), '17\n');
    await expect(startPostgres({ dataDir: other, port: 0 })).rejects.toThrow(
      'was written by PostgreSQL 17, this is 18',
    );
    expect(await readdir(data)).toEqual(['PG_VERSION']);
  } finally {
    await removeDataDir(other);
  }
});
