import { loadSigningKey } from '@privatelink/embedded/keys';
import { generateSigningKeys } from '@privatelink/shared/grpc/issue-token';
import { importJWK, type JWK, SignJWT, UnsecuredJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { openCaller } from '../../access/call.ts';
import { rpcOf, rpcs } from '../../access/rpcs.ts';
import { accounts } from '../../access/scene.ts';
import type { GetStage } from './stage.ts';

type Claims = Readonly<Record<string, unknown>>;

const HOUR = 3_600;

/** Tokens that are no proof of who somebody is. */
export const credentials = (stage: GetStage): void => {
  const now = () => Math.floor(Date.now() / 1000);
  const claims = (): Claims => ({
    ...{ sub: 'mallory', account: accounts.P, roles: ['provider', 'consumer', 'service', 'billing'] },
    ...{ iss: 'privatelink-dev', aud: 'privatelink', iat: now(), exp: now() + HOUR },
  });
  const sign = async (key: JWK, said: Claims, header: object = {}): Promise<string> =>
    new SignJWT({ ...said })
      .setProtectedHeader({ alg: 'EdDSA', typ: 'JWT', kid: key.kid ?? '', ...header })
      .sign(await importJWK(key, 'EdDSA'));
  const ours = () => loadSigningKey(stage().run.issuer.keyFile);

  const signedByUs = (change: Claims, header?: object) => async () =>
    `Bearer ${await sign(await ours(), { ...claims(), ...change }, header)}`;
  const bad: Readonly<Record<string, () => Promise<string>>> = {
    expired: signedByUs({ iat: 1, exp: now() - 1 }),
    'for another audience': signedByUs({ aud: 'elsewhere' }),
    'of another issuer': signedByUs({ iss: 'elsewhere' }),
    'not valid yet': signedByUs({ nbf: now() + HOUR }),
    'without an end': signedByUs({ exp: undefined }),
    'without a subject': signedByUs({ sub: undefined }),
    'with a subject that is a path': signedByUs({ sub: 'a/b' }),
    'without roles': signedByUs({ roles: [] }),
    'with a role that there is not': signedByUs({ roles: ['root'] }),
    'with an account that is none': signedByUs({ account: '*' }),
    'of a provider without an account': signedByUs({ account: '' }),
    'of another kind': signedByUs({}, { typ: 'at+jwt' }),
    'signed by another key under our name': async () => {
      const { privateKey } = await generateSigningKeys();
      const { kid } = await ours();
      return `Bearer ${await sign({ ...privateKey, ...(kid !== undefined && { kid }) }, claims())}`;
    },
    'signed by nobody': async () => `Bearer ${new UnsecuredJWT({ ...claims() }).encode()}`,
    'changed after it was signed': async () => {
      const [header = '', , signature = ''] = (await sign(await ours(), claims())).split('.');
      const payload = Buffer.from(JSON.stringify({ ...claims(), account: accounts.C })).toString('base64url');
      return `Bearer ${header}.${payload}.${signature}`;
    },
    'no token at all': async () => 'Bearer',
    'of another scheme': async () => 'Basic cm9vdDpyb290',
    'of more than is read': async () => `Bearer ${'x'.repeat(5_000)}`,
  };

  describe('a token', () => {
    it.each(Object.keys(bad))('that is %s opens nothing, anywhere', async (name) => {
      const { run, store } = stage();
      const before = await store.tail();
      const caller = openCaller(run, (await bad[name]?.()) ?? '');
      try {
        for (const rpc of rpcs) {
          const { code, reason } = await caller.call(rpc, {});
          expect([rpc.title, code, reason]).toEqual([rpc.title, 'UNAUTHENTICATED', 'UNAUTHENTICATED']);
        }
      } finally {
        caller.close();
      }
      expect(await store.tail()).toBe(before);
    });

    it('that is right opens what it is for: nothing else is wrong with those above', async () => {
      const caller = openCaller(stage().run, `Bearer ${await sign(await ours(), claims())}`);
      try {
        expect((await caller.call(rpcOf('consumer.listVpcs'), {})).code).toBe('OK');
      } finally {
        caller.close();
      }
    });
  });
};
