import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readRunFile } from './run-file.ts';
import { isAlive, newDataDir, type RunningCommand, removeDataDir, runCommand, until } from './testing/run-command.ts';

let dataDir: string;
let commands: RunningCommand[];

beforeEach(async () => {
  dataDir = await newDataDir();
  commands = [];
});

afterEach(async () => {
  for (const { process } of commands) process.kill('SIGTERM');
  await Promise.all(commands.map(({ exited }) => exited));
  await removeDataDir(dataDir);
});

function run(env: Record<string, string> = {}, args: string[] = []): RunningCommand {
  const command = runCommand(dataDir, env, args);
  commands.push(command);
  return command;
}

async function runReady(env: Record<string, string> = {}): Promise<RunningCommand & { pids: number[] }> {
  const command = run(env);
  await until(() => command.output.stderr.includes('PrivateLink is running'));
  return { ...command, pids: (await readRunFile(dataDir)).processes.map(({ pid }) => pid) };
}

async function refusal(command: RunningCommand): Promise<string> {
  expect(await command.exited).toBe(1);
  expect(command.output.stdout).toBe('');
  return command.output.stderr;
}

test('one SIGINT stops everything in order and exits with 0', async () => {
  const { process, exited, pids } = await runReady();
  expect(pids).toHaveLength(5);
  process.kill('SIGINT');
  expect(await exited).toBe(0);
  expect(pids.filter(isAlive)).toEqual([]);
  await expect(readFile(join(dataDir, 'run.json'))).rejects.toThrow('ENOENT');
});

test('when the command itself is killed, no process lingers, and the next start takes over the lock', async () => {
  const { process, exited, pids } = await runReady({ PRIVATELINK_POSTGRES: '' });
  process.kill('SIGKILL');
  await exited;
  await until(() => !pids.some(isAlive));
  expect(await readFile(join(dataDir, 'lock'), 'utf8')).toContain(String(process.pid));
  await runReady();
});

test('a service that is stuck does not outlive the command either', async () => {
  const { process, exited, pids } = await runReady({ FIXTURE_STUCK: 'dns-1' });
  process.kill('SIGKILL');
  await exited;
  await until(() => !pids.some(isAlive));
});

test('a second ctrl-C ends at once what is still taking its time', async () => {
  const { process, exited, pids } = await runReady({ FIXTURE_STUCK: 'dns-1' });
  process.kill('SIGINT');
  // One key press may arrive twice within half a second: the process listens to the first of these that is later.
  const again = setInterval(() => process.kill('SIGINT'), 100);
  expect(await exited).toBe(130);
  clearInterval(again);
  await until(() => !pids.some(isAlive));
});

test('a second start on the same data directory is one line', async () => {
  const first = await runReady();
  const message = await refusal(run());
  expect(message).toBe(
    `privatelink: ${dataDir} is in use by process ${first.process.pid}: stop it, or choose another --data-dir\n`,
  );
});

test('a port in use is one line with the port and its variable, and nothing is started', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const address = other.address();
  const port = typeof address === 'object' && address ? String(address.port) : '';
  const message = await refusal(run({ PRIVATELINK_PORT_DNS_QUERY: port }));
  other.close();
  expect(message).toBe(
    `privatelink: port ${port} for dns-query is in use: stop what listens there, or set PRIVATELINK_PORT_DNS_QUERY\n`,
  );
  await expect(readFile(join(dataDir, 'postgres', 'password'))).rejects.toThrow('ENOENT');
});

test('a missing nats-server is one line', async () => {
  const empty = join(dataDir, '..');
  const message = await refusal(run({ PATH: empty }));
  expect(message).toMatch(/^privatelink: nats-server does not run, put it on PATH or set PRIVATELINK_NATS: .*\n$/);
});

test('a missing haproxy is one line', async () => {
  const message = await refusal(
    run({ PRIVATELINK_FORWARDING: 'loopback', PRIVATELINK_HAPROXY: '/nonexistent/haproxy' }),
  );
  expect(message).toBe(
    'privatelink: haproxy does not run, put it on PATH or set PRIVATELINK_FORWARDING=none: spawn /nonexistent/haproxy ENOENT\n',
  );
});

test('a data directory of a newer version is one line, and stays as it is', async () => {
  await writeFile(join(dataDir, 'format'), '2\n');
  expect(await refusal(run())).toContain('was written by a newer version (format 2, this one reads 1)');
  await expect(readFile(join(dataDir, 'lock'))).rejects.toThrow('ENOENT');
});

test('a directory with other things in it is not taken for a data directory', async () => {
  await mkdir(join(dataDir, 'photos'));
  expect(await refusal(run())).toContain('is not a data directory of this program');
});

test('an unknown argument is one line', async () => {
  expect(await refusal(run({}, ['--replica', '2']))).toMatch(/^privatelink: .*--replica.*\n$/);
});

test('without a terminal, stdout holds nothing but JSON lines', async () => {
  const { process, exited, output } = await runReady();
  process.kill('SIGTERM');
  await exited;
  const lines = output.stdout.trim().split('\n');
  expect(lines.length).toBeGreaterThanOrEqual(4);
  for (const line of lines) expect(JSON.parse(line)).toHaveProperty('msg');
});
