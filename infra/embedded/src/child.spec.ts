import { expect, test } from 'vitest';
import { type OutputLine, spawnChild } from './child.ts';
import { until } from './testing/run-command.ts';

const shell = (script: string) => ({
  name: 'shell',
  command: '/bin/sh',
  args: ['-c', script],
  env: process.env,
  stopSignal: 'SIGTERM' as const,
});

test('what ignores the polite signal is killed when the grace is over', async () => {
  const lines: OutputLine[] = [];
  const child = await spawnChild(shell(`trap '' TERM; echo up; while :; do sleep 0.01; done`), (line) =>
    lines.push(line),
  );
  await until(() => lines.length > 0);
  expect(await child.stop(50)).toEqual({ code: null, signal: 'SIGKILL' });
});

test('every line is seen before the exit is reported, also one without an end', async () => {
  const lines: OutputLine[] = [];
  const child = await spawnChild(shell('echo one; echo two >&2; printf three'), (line) => lines.push(line));
  expect(await child.exited).toEqual({ code: 0, signal: null });
  expect(lines.map(({ source, text }) => `${source} ${text}`).sort()).toEqual([
    'stderr two',
    'stdout one',
    'stdout three',
  ]);
});

test('a program that does not exist is an error of the start', async () => {
  await expect(spawnChild({ ...shell(''), command: '/nonexistent/program' }, () => {})).rejects.toThrow('ENOENT');
});
