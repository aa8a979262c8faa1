import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const directory = fileURLToPath(new URL('../../docs/decisions/', import.meta.url));

it('decisions are numbered in a row, each once, as their names say', () => {
  const files = readdirSync(directory).sort();
  const headings = files.map((file) => readFileSync(`${directory}${file}`, 'utf8').split('. ')[0]);
  expect(files.map((file) => Number(file.slice(0, 4)))).toEqual(files.map((_, index) => index + 1));
  expect(headings).toEqual(files.map((_, index) => `# ${index + 1}`));
});
