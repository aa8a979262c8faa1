import { spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { lockDataDir } from './lock.ts';
import { newDataDir, removeDataDir } from './testing/run-command.ts';

let dataDir: string;

beforeEach(async () => {
  dataDir = await newDataDir();
});

afterEach(() => removeDataDir(dataDir));

const writeLock = (text: string): Promise<void> => writeFile(join(dataDir, 'lock'), text);
const readLock = async () => JSON.parse(await readFile(join(dataDir, 'lock'), 'utf8'));

test('only one holds the lock, and it is free again after the release', async () => {
  const release = await lockDataDir(dataDir);
  await expect(lockDataDir(dataDir)).rejects.toThrow(`is in use by process ${process.pid}`);
  await release();
  await (await lockDataDir(dataDir))();
});

test.each([
  ['of a process that is gone', () => JSON.stringify({ pid: spawnSync('true').pid, startedAt: '1' })],
  ['whose process id now belongs to another process', () => JSON.stringify({ pid: process.pid, startedAt: '1' })],
  ['that was cut short', () => '{"pid":'],
])('a lock %s is taken over', async (_, content) => {
  await writeLock(content());
  const release = await lockDataDir(dataDir);
  expect(await readLock()).toMatchObject({ pid: process.pid });
  await release();
});
