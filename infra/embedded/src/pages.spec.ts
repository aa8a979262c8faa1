import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { stateMachines } from '../../state-machines.ts';
import { buildPages } from './pages.ts';

const MAX_COMPRESSED_BYTES = 400_000;

test('the pages are built once, are small, and hold nothing that their security policy forbids', async () => {
  const notices: string[] = [];
  const built = await buildPages({ onNotice: (text) => notices.push(text) });
  const before = notices.length;
  expect(await buildPages({ onNotice: (text) => notices.push(text) })).toBe(built);
  expect(notices).toHaveLength(before);

  const page = await readFile(join(built, 'index.html'), 'utf8');
  expect(page).toContain('<div id="root">');
  expect(page).not.toMatch(/<style|style=|<script(?![^>]*src=)|\son\w+=/);
  expect(JSON.parse(await readFile(join(built, 'state-machines.json'), 'utf8'))).toEqual(
    JSON.parse(JSON.stringify(stateMachines)),
  );

  const assets = join(built, 'assets');
  const files = await Promise.all((await readdir(assets)).map((name) => readFile(join(assets, name))));
  expect(files.reduce((sum, file) => sum + gzipSync(file).length, 0)).toBeLessThan(MAX_COMPRESSED_BYTES);
});
