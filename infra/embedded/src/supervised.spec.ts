import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Program } from './program.ts';
import { type BackOff, type Supervised, supervise } from './supervised.ts';
import { isAlive, newDataDir, removeDataDir, until } from './testing/run-command.ts';

let dataDir: string;
let supervised: Supervised | undefined;
let notices: string[];

beforeEach(async () => {
  dataDir = await newDataDir();
  notices = [];
});

afterEach(async () => {
  await supervised?.stop();
  await removeDataDir(dataDir);
});

const backOff: BackOff = { firstMs: 10, longestMs: 40, forgivenAfterMs: 60_000 };

/** A shell program that is ready as soon as it runs. */
function shell(script: string): Program {
  return {
    name: 'shell',
    quiet: true,
    prepare: async () => ({
      name: 'shell',
      command: '/bin/sh',
      args: ['-c', script, 'sh', join(dataDir, 'runs')],
      env: process.env,
      stopSignal: 'SIGTERM',
    }),
    ready: async () => {},
  };
}

function start(program: Program, wanted: BackOff = backOff): Supervised {
  supervised = supervise(program, {
    backOff: wanted,
    onLine: () => {},
    onNotice: (text) => notices.push(text),
    onChange: () => {},
  });
  return supervised;
}

const delays = (): number[] =>
  notices.flatMap((text) => (text.includes('starts again in') ? [Number(/in (\d+) ms/.exec(text)?.[1])] : []));

test('what crashes is started again after delays that double up to the longest', async () => {
  await start(shell('exit 3')).start();
  await until(() => delays().length >= 5);
  expect(delays().slice(0, 5)).toEqual([10, 20, 40, 40, 40]);
  expect(notices).toContain('shell ended (exit code 3)');
});

test('a program that has worked long enough starts over with the first delay', async () => {
  await start(shell('exit 3'), { ...backOff, forgivenAfterMs: 0 }).start();
  await until(() => delays().length >= 3);
  expect(delays().slice(0, 3)).toEqual([10, 10, 10]);
});

test('a start that fails while restarting is tried again', async () => {
  let starts = 0;
  const supervisor = start({
    ...shell('exec sleep 60'),
    ready: async () => {
      if (++starts === 2) throw new Error('not yet');
    },
  });
  await supervisor.start();
  supervisor.kill('SIGKILL');
  await supervisor.waitReady();
  expect(starts).toBe(3);
  expect(notices).toContain('not yet');
});

test('the first start is not tried again: its failure is one line with the last words of the program', async () => {
  const program = shell('echo first; echo "out of luck" >&2; exit 5');
  const never: Program = {
    ...program,
    ready: (signal) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  };
  await expect(start(never).start()).rejects.toThrow('shell did not become ready (exit code 5): out of luck');
  expect(notices).toEqual([]);
});

test('a stop during the delay before a restart ends the waiting at once', async () => {
  const supervisor = start(shell('exit 3'), { ...backOff, firstMs: 3_600_000 });
  await supervisor.start();
  await until(() => delays().length === 1);
  await supervisor.stop();
  expect(supervisor.pid()).toBeUndefined();
});

test('whoever waits after a kill gets the next process, not the dying one', async () => {
  const supervisor = start(shell('exec sleep 60'));
  await supervisor.start();
  const before = supervisor.pid() ?? 0;
  supervisor.kill('SIGKILL');
  await supervisor.waitReady();
  expect(supervisor.pid()).not.toBe(before);
  expect(isAlive(before)).toBe(false);
});

test('a stop waits for the program to end in its own time', async () => {
  await appendFile(join(dataDir, 'runs'), '');
  const supervisor = start(
    shell(`trap 'echo stopped >> "$1"; exit 0' TERM; echo up >> "$1"; while :; do sleep 0.01; done`),
  );
  await supervisor.start();
  await until(async () => (await readFile(join(dataDir, 'runs'), 'utf8')) === 'up\n');
  await supervisor.stop();
  expect(await readFile(join(dataDir, 'runs'), 'utf8')).toBe('up\nstopped\n');
});
