import { existsSync, globSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

/** `docs/coverage.md` says what is built: whatever it names must be there. */

const root = new URL('../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');
const all = (pattern: string): string => globSync(pattern, { cwd: root }).map(read).join('\n');

const rows = read('docs/coverage.md')
  .split('\n')
  .filter((line) => line.startsWith('| ') && !/^\| (statement|---)/.test(line))
  .map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );

const quoted = (cell = ''): readonly string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);

const contract = all('proto/privatelink/**/*.proto');
const codecs = all('services/*/src/**/*.codec.ts');

describe('what docs/coverage.md says', () => {
  it('is a table of four columns', () => {
    expect(rows.length).toBeGreaterThan(30);
    for (const row of rows) expect(row, row[0]).toHaveLength(4);
  });

  it.each(rows)('%s', (_statement, rpcs, events, test) => {
    expect([quoted(rpcs), quoted(test)]).not.toContainEqual([]);
    for (const rpc of quoted(rpcs)) expect(contract).toContain(`rpc ${rpc}(`);
    for (const event of quoted(events)) expect(codecs).toMatch(new RegExp(`\\b${event}: \\{`));
    for (const path of quoted(test)) expect(existsSync(new URL(path, root)), path).toBe(true);
  });

  it('leaves out no RPC that users may call', () => {
    const internal = /For (the|zone agents)/;
    const rpcs = [...contract.matchAll(/((?:^ {2}\/\/.*\n)+) {2}rpc (\w+)\(/gm)];
    const named = new Set(rows.flatMap(([, cell]) => quoted(cell)));
    const missing = rpcs.filter(([, comment = '', name = '']) => !internal.test(comment) && !named.has(name));
    expect(missing.map(([, , name]) => name)).toEqual([]);
  });
});
