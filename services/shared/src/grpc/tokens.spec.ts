import { writeFile } from 'node:fs/promises';
import { exportSPKI, importJWK, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Unauthenticated } from '../app/errors.ts';
import { generateSigningKeys, issueToken } from './issue-token.ts';
import { ACCOUNT, createIssuer, type Issuer } from './test-support.ts';
import { actorOf, type Caller, tokenVerifier } from './tokens.ts';

const caller: Caller = { subject: 'alice', accountId: ACCOUNT, roles: ['provider'] };
const HOUR = 3600;

const withoutExpiry = (): SignJWT =>
  new SignJWT({ account: ACCOUNT, roles: ['provider'] })
    .setProtectedHeader({ alg: 'EdDSA', typ: 'JWT' })
    .setSubject('alice')
    .setIssuer('privatelink-dev')
    .setAudience('privatelink');

describe('a token', () => {
  let issuer: Issuer;
  beforeAll(async () => {
    issuer = await createIssuer();
  });
  afterAll(() => issuer.remove());

  type Change = (token: SignJWT) => SignJWT;
  const sign = async (payload: Record<string, unknown>, header: object = {}, change: Change = (token) => token) => {
    const { privateKey } = issuer.keys;
    const token = new SignJWT({ sub: 'alice', account: ACCOUNT, roles: ['provider'], ...payload })
      .setProtectedHeader({ alg: 'EdDSA', typ: 'JWT', kid: privateKey.kid ?? '', ...header })
      .setIssuer('privatelink-dev')
      .setAudience('privatelink')
      .setExpirationTime('1h');
    return change(token).sign(await importJWK(privateKey, 'EdDSA'));
  };

  it('says who calls', async () => {
    expect(await issuer.verifier(await issueToken(issuer.keys.privateKey, caller, { ttlSeconds: HOUR }))).toEqual(
      caller,
    );
    expect(await issuer.verifier(await sign({}))).toEqual(caller);
  });

  it.each<[string, () => Promise<string>]>([
    ['has expired', () => issueToken(issuer.keys.privateKey, caller, { ttlSeconds: -1 })],
    ['is of another issuer', () => issueToken(issuer.keys.privateKey, caller, { ttlSeconds: HOUR, issuer: 'other' })],
    ['is for another audience', () => sign({}, {}, (token) => token.setAudience('elsewhere'))],
    ['never expires', () => sign({}, {}, withoutExpiry)],
    ['is of another type', () => sign({}, { typ: 'at+jwt' })],
    ['has no type', () => sign({}, { typ: undefined })],
    ['has no role', () => sign({ roles: [] })],
    ['has a role that we do not know', () => sign({ roles: ['root'] })],
    ['acts as a provider for no account', () => sign({ account: '' })],
    ['has a malformed account', () => sign({ account: '12' })],
    ['has a subject with a slash', () => sign({ sub: 'a/b' })],
    ['is not yet valid', () => sign({}, {}, (token) => token.setNotBefore('10m'))],
    ['is longer than 4 KiB', () => sign({ filling: 'x'.repeat(4_096) })],
    [
      'is signed by another key',
      async () => {
        const other = await generateSigningKeys();
        return issueToken({ ...other.privateKey, kid: issuer.keys.privateKey.kid ?? '' }, caller, { ttlSeconds: HOUR });
      },
    ],
    [
      'is signed by HS256 with the public key',
      async () => {
        const [jwk] = issuer.keys.jwks.keys;
        const publicKey = await importJWK(jwk ?? {}, 'EdDSA', { extractable: true });
        const secret = new TextEncoder().encode(await exportSPKI(publicKey as Exclude<typeof publicKey, Uint8Array>));
        return new SignJWT({ roles: ['provider'], account: ACCOUNT })
          .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
          .setSubject('alice')
          .setIssuer('privatelink-dev')
          .setAudience('privatelink')
          .setExpirationTime('1h')
          .sign(secret);
      },
    ],
    [
      'is not signed',
      async () =>
        new UnsecuredJWT({ roles: ['provider'], account: ACCOUNT })
          .setSubject('alice')
          .setIssuer('privatelink-dev')
          .setAudience('privatelink')
          .setExpirationTime('1h')
          .encode(),
    ],
    ['is no token', async () => 'nonsense'],
    ['was changed', async () => (await sign({})).replace(/\.(..)/, '.AA')],
  ])('that %s is nobody', async (_, token) => {
    await expect(issuer.verifier(await token())).rejects.toBeInstanceOf(Unauthenticated);
  });

  it('stops to count when it expires, also while it is remembered', async () => {
    let now = Date.now();
    const verifier = tokenVerifier({ jwksFile: issuer.jwksFile, now: () => now });
    const token = await issueToken(issuer.keys.privateKey, caller, { ttlSeconds: HOUR });
    await verifier(token);
    now += HOUR * 1000 - 2_000;
    expect(await verifier(token)).toEqual(caller);
    now += 2_001;
    await expect(verifier(token)).rejects.toThrow('the token has expired');
    await expect(verifier(token)).rejects.toThrow('the token has expired');
  });

  it('stops to count when its key is taken away', async () => {
    const next = await createIssuer();
    const token = await next.token(['viewer'], '');
    expect(await next.verifier(token)).toMatchObject({ accountId: '', roles: ['viewer'] });
    await writeFile(next.jwksFile, JSON.stringify(issuer.keys.jwks));
    await expect
      .poll(() => next.verifier(token).catch((error) => error), { timeout: 5_000 })
      .toBeInstanceOf(Unauthenticated);
    expect(await next.verifier(await sign({}))).toEqual(caller);
    await next.remove();
  });

  it('needs keys at start', () => {
    expect(() => tokenVerifier({ jwksFile: '/nowhere/jwks.json' })).toThrow('cannot read the token keys in /nowhere');
  });

  it('names users and services apart', () => {
    expect(actorOf(caller)).toBe('user:alice');
    expect(actorOf({ ...caller, subject: 'service:broker' })).toBe('user:service:broker');
    expect(actorOf({ subject: 'service:broker', accountId: '', roles: ['service'] })).toBe('service:broker');
    expect(actorOf({ subject: 'broker', accountId: '', roles: ['service'] })).toBe('service:broker');
  });
});
