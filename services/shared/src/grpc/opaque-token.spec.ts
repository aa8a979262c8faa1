import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidRequest } from '../app/errors.ts';
import { StartupError } from '../runtime/startup-error.ts';
import { consistencyTokens } from './consistency-token.ts';
import { readTokenSecret } from './opaque-token.ts';
import { pageTokens } from './page-token.ts';
import { ACCOUNT, OTHER_ACCOUNT } from './test-support.ts';

const secret = randomBytes(32);
const reasonOf = (attempt: () => unknown): string => {
  try {
    attempt();
  } catch (error) {
    if (error instanceof InvalidRequest) return error.reason;
    throw error;
  }
  return 'accepted';
};

/** Every way to change one character. */
const anyChange = (token: string) =>
  fc
    .tuple(
      fc.nat(token.length - 1),
      fc.constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=.'),
    )
    .map(([at, character]) => `${token.slice(0, at)}${character}${token.slice(at + 1)}`)
    .filter((changed) => changed !== token);

describe('a page token', () => {
  const tokens = pageTokens({ secret, storeId: 'store-1' });
  const query = { accountId: ACCOUNT, method: 'p.S/List', filters: { statuses: ['ACTIVE'], from: 7n } };
  const token = tokens.issue(query, 'ep-1');

  it('says where the page begins', () => {
    expect(tokens.read({ ...query }, token)).toBe('ep-1');
    expect(tokens.read(query, '')).toBeUndefined();
    expect(pageTokens({ secret, storeId: 'store-1' }).read(query, token)).toBe('ep-1');
  });

  it.each([
    ['account', { ...query, accountId: OTHER_ACCOUNT }],
    ['method', { ...query, method: 'p.S/ListOthers' }],
    ['filter', { ...query, filters: { statuses: [], from: 7n } }],
  ])('counts for no other %s', (_, other) => {
    expect(reasonOf(() => tokens.read(other, token))).toBe('PAGE_TOKEN_INVALID');
  });

  it('counts for no other store and under no other secret', () => {
    expect(reasonOf(() => pageTokens({ secret, storeId: 'store-2' }).read(query, token))).toBe('PAGE_TOKEN_INVALID');
    const stranger = pageTokens({ secret: randomBytes(32), storeId: 'store-1' });
    expect(reasonOf(() => stranger.read(query, token))).toBe('PAGE_TOKEN_INVALID');
  });

  it('cannot be changed', () => {
    fc.assert(
      fc.property(anyChange(token), (changed) => reasonOf(() => tokens.read(query, changed)) === 'PAGE_TOKEN_INVALID'),
    );
    fc.assert(
      fc.property(
        fc.string({ minLength: 1 }),
        (text) => reasonOf(() => tokens.read(query, text)) === 'PAGE_TOKEN_INVALID',
      ),
    );
    for (const changed of [`${token}A`, token.slice(0, -1), `${token}=`, token.repeat(100)]) {
      expect(reasonOf(() => tokens.read(query, changed))).toBe('PAGE_TOKEN_INVALID');
    }
  });
});

describe('a consistency token', () => {
  const provider = consistencyTokens({ secret, storeId: 'store-1', service: 'provider' });
  const broker = consistencyTokens({ secret, storeId: 'store-1', service: 'broker' });

  it('keeps any position, also for another service', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (position) => {
        expect(broker.read(provider.issue(position))).toEqual({ service: 'provider', position });
      }),
    );
    expect(broker.read('')).toBeUndefined();
  });

  it('cannot be changed, and counts for no other store', () => {
    const token = provider.issue(42n);
    fc.assert(
      fc.property(anyChange(token), (changed) => reasonOf(() => broker.read(changed)) === 'CONSISTENCY_TOKEN_INVALID'),
    );
    const restored = consistencyTokens({ secret, storeId: 'store-2', service: 'provider' });
    expect(reasonOf(() => restored.read(token))).toBe('CONSISTENCY_TOKEN_INVALID');
  });

  it('is not a page token', () => {
    const pages = pageTokens({ secret, storeId: 'store-1' });
    const query = { accountId: '', method: '', filters: {} };
    expect(reasonOf(() => provider.read(pages.issue(query, 'provider/1')))).toBe('CONSISTENCY_TOKEN_INVALID');
    expect(reasonOf(() => pages.read(query, provider.issue(1n)))).toBe('PAGE_TOKEN_INVALID');
  });
});

describe('the token secret', () => {
  it('is refused in one line when absent or short', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'privatelink-secret-'));
    await writeFile(join(directory, 'short'), 'short');
    await writeFile(join(directory, 'good'), secret);
    expect(() => readTokenSecret(join(directory, 'absent'))).toThrow(StartupError);
    expect(() => readTokenSecret(join(directory, 'short'))).toThrow('shorter than 32 bytes');
    expect(readTokenSecret(join(directory, 'good'))).toEqual(secret);
    await rm(directory, { recursive: true });
  });
});
