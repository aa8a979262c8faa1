import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { changingFile } from './changing-file.ts';

let directory: string;
let file: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'privatelink-file-'));
  file = join(directory, 'value.json');
});
afterEach(() => rm(directory, { recursive: true }));

const parse = (text: string): unknown => JSON.parse(text);

it('follows a file that is replaced, and keeps its value while it is broken or gone', async () => {
  await writeFile(file, '1');
  const read = changingFile(file, parse, 0);
  expect(read()).toBe(1);
  await writeFile(join(directory, 'next'), '2');
  await rename(join(directory, 'next'), file);
  expect(read()).toBe(2);
  await writeFile(file, '{');
  expect(read()).toBe(2);
  await rm(file);
  expect(read()).toBe(2);
  await writeFile(file, '333');
  expect(read()).toBe(333);
});

it('does not look more often than it should', async () => {
  await writeFile(file, '1');
  const read = changingFile(file, parse, 60_000);
  expect(read()).toBe(1);
  await writeFile(file, '22');
  expect(read()).toBe(1);
});

it('throws when there never was a value', async () => {
  const read = changingFile(file, parse, 0);
  expect(() => read()).toThrow('ENOENT');
  await writeFile(file, '4');
  expect(read()).toBe(4);
});
