import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { publicStreams } from './public-streams.ts';

const services = fileURLToPath(new URL('../../../services', import.meta.url));

test('the durable consumers of all services are closed to subscribers, and no others', () => {
  const files = globSync('*/src/ingest/*.ts', { cwd: services }).filter((file) => !file.endsWith('.spec.ts'));
  const declared = files.flatMap((file) => {
    const source = readFileSync(`${services}/${file}`, 'utf8');
    const found = [...source.matchAll(/durable: '([^']+)',\s*stream: '([^']+)'/g)];
    expect(found.length, file).toBe(source.match(/durable: /g)?.length ?? 0);
    // Subscribers see nothing at all of other streams.
    return found.filter(([, , stream = '']) => stream in publicStreams).map(([, name]) => name);
  });
  expect(Object.values(publicStreams).flat().sort()).toEqual(declared.sort());
});
