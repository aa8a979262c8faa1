import { randomUUID } from 'node:crypto';
import { exportJWK, generateKeyPair, importJWK, type JSONWebKeySet, type JWK, SignJWT } from 'jose';
import { ALGORITHM, AUDIENCE, type Caller, DEFAULT_ISSUER, TOKEN_TYPE } from './tokens.ts';

export type SigningKeys = Readonly<{
  /** Signs tokens: whoever has it is everybody. */
  privateKey: JWK;
  /** Verifies them: what services read. */
  jwks: JSONWebKeySet;
}>;

export const generateSigningKeys = async (): Promise<SigningKeys> => {
  const pair = await generateKeyPair(ALGORITHM, { extractable: true });
  const name = { kid: randomUUID(), alg: ALGORITHM, use: 'sig' };
  return {
    privateKey: { ...(await exportJWK(pair.privateKey)), ...name },
    jwks: { keys: [{ ...(await exportJWK(pair.publicKey)), ...name }] },
  };
};

export type IssueOptions = Readonly<{ ttlSeconds: number; issuer?: string }>;

/** Signs a token as the development issuer does. */
export const issueToken = async (privateKey: JWK, caller: Caller, options: IssueOptions): Promise<string> =>
  new SignJWT({ ...(caller.accountId !== '' && { account: caller.accountId }), roles: caller.roles })
    .setProtectedHeader({
      alg: ALGORITHM,
      typ: TOKEN_TYPE,
      ...(privateKey.kid !== undefined && { kid: privateKey.kid }),
    })
    .setSubject(caller.subject)
    .setIssuer(options.issuer ?? DEFAULT_ISSUER)
    .setAudience(AUDIENCE)
    .setIssuedAt()
    .setExpirationTime(Math.floor(Date.now() / 1000) + options.ttlSeconds)
    .sign(await importJWK(privateKey, ALGORITHM));
