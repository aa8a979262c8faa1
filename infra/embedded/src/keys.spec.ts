import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { audience, type Issuer, issuer as issuerName, loadSigningKey, mintToken, openIssuer } from './keys.ts';
import { newDataDir, removeDataDir } from './testing/run-command.ts';

let dataDir: string;
let issuer: Issuer;

beforeEach(async () => {
  dataDir = await newDataDir();
  issuer = await openIssuer(dataDir);
});

afterEach(() => removeDataDir(dataDir));

const readJwks = async () => JSON.parse(await readFile(issuer.jwksFile, 'utf8'));

async function mint(ttlSeconds = 60): Promise<string> {
  const key = await loadSigningKey(issuer.keyFile);
  return mintToken({ subject: 'alice', account: '1000000000000001', roles: ['provider'], key, ttlSeconds });
}

test('a token verifies against the public keys and carries its claims', async () => {
  const keys = createLocalJWKSet(await readJwks());
  const { payload, protectedHeader } = await jwtVerify(await mint(), keys, { issuer: issuerName, audience });
  expect(payload).toMatchObject({ sub: 'alice', account: '1000000000000001', roles: ['provider'] });
  expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(60);
  expect(protectedHeader).toMatchObject({ alg: 'EdDSA', typ: 'JWT' });
});

test('a token ends', async () => {
  await expect(jwtVerify(await mint(-1), createLocalJWKSet(await readJwks()))).rejects.toThrow('"exp" claim');
});

test('the key stays the same between runs, and its private part is nowhere but in its file', async () => {
  const token = await mint();
  await openIssuer(dataDir);
  await expect(jwtVerify(token, createLocalJWKSet(await readJwks()))).resolves.toBeDefined();
  expect((await readJwks()).keys).toEqual([expect.not.objectContaining({ d: expect.anything() })]);
  for (const file of [issuer.keyFile, issuer.tokenSecretFile]) expect((await stat(file)).mode & 0o077).toBe(0);
  expect((await stat(join(dataDir, 'keys'))).mode & 0o077).toBe(0);
});

test('a damaged key file is one line and is not overwritten', async () => {
  await writeFile(issuer.keyFile, '{"kty"');
  await expect(openIssuer(dataDir)).rejects.toThrow('issuer.jwk is damaged');
  expect(await readFile(issuer.keyFile, 'utf8')).toBe('{"kty"');
});
