import { existsSync, globSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

/** `docs/coming-from.md` leads people here from other systems: what it names must be there. */

const root = new URL('../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');
const text = read('docs/coming-from.md');
const contract = globSync('proto/privatelink/**/*.proto', { cwd: root }).map(read).join('\n');

describe('what docs/coming-from.md says', () => {
  const named = [...text.matchAll(/`(\w+)`/g)].map(([, name = '']) => name);

  it.each([...new Set(named)].filter((name) => !/^P(P2|RIVATELINK)_/.test(name)))('%s is in the contract', (name) => {
    expect(contract).toMatch(new RegExp(`\\b(CONNECTION_STATUS_|HOLD_REASON_|ENDPOINT_TYPE_)?${name}\\b`));
  });

  it('names RPCs, and leads on', () => {
    expect(named.length).toBeGreaterThan(20);
    const links = [...text.matchAll(/\]\(([\w./-]+)\)/g)].map(([, path = '']) => path);
    expect(links).not.toEqual([]);
    for (const path of links) expect(existsSync(new URL(`docs/${path}`, root)), path).toBe(true);
  });
});
