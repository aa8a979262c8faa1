import { globSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

/** What every RPC of one kind has in common, so that whoever knows one knows all. */

const root = new URL('../../', import.meta.url);
const contract = globSync('proto/privatelink/**/*_service.proto', { cwd: root })
  .map((path) => readFileSync(new URL(path, root), 'utf8'))
  .join('\n');
const bodyOf = (message: string): string =>
  new RegExp(`^message ${message} \\{(?:\\}|\\n([^]*?)^\\})`, 'm').exec(contract)?.[1] ?? '';
const mutations = [...contract.matchAll(/^ {2}rpc (\w+)\(/gm)]
  .map(([, name = '']) => name)
  .filter((name) => bodyOf(`${name}Request`).includes('string request_id = 1;'));

describe('a mutation', () => {
  it.each(mutations)('%s takes a dry run, and answers revision, token and preview', (name) => {
    expect(bodyOf(`${name}Request`)).toContain('optional bool dry_run = 100;');
    const response = bodyOf(`${name}Response`);
    expect(response).toContain('optional privatelink.common.v1.Preview preview = 100;');
    expect(response).toContain('uint64 revision = ');
    expect(response).toContain('string consistency_token = ');
  });

  it('is what most RPCs of users are', () => expect(mutations.length).toBeGreaterThan(30));
});
