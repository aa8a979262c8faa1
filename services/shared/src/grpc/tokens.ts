import { createHash } from 'node:crypto';
import { changingFile } from '@privatelink/client/changing-file';
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyResult, jwtVerify } from 'jose';
import { z } from 'zod';
import { Unauthenticated } from '../app/errors.ts';
import { LRUCache } from '../app/lru-cache.ts';
import { StartupError } from '../runtime/startup-error.ts';
import { type Role, roles } from './access.ts';

export const DEFAULT_ISSUER = 'privatelink-dev';
export const AUDIENCE = 'privatelink';
export const TOKEN_TYPE = 'JWT';
export const ALGORITHM = 'EdDSA';

/** Who calls, as the token's issuer vouches for it. */
export type Caller = Readonly<{
  subject: string;
  /** 16 digits; empty for operators and services that act for no account. */
  accountId: string;
  roles: readonly Role[];
}>;

/** @throws Unauthenticated */
export type TokenVerifier = (token: string) => Promise<Caller>;

export type VerifierOptions = Readonly<{ jwksFile: string; issuer?: string; now?: () => number }>;

const MAX_TOKEN_BYTES = 4_096;
const CACHED_TOKENS = 10_000;

const claims = z
  .object({
    // Without a slash, since it becomes a part of request ids.
    sub: z.string().regex(/^[A-Za-z0-9._:@+-]{1,128}$/),
    account: z
      .string()
      .regex(/^(\d{16})?$/)
      .default(''),
    roles: z.array(z.enum(roles)).min(1),
    exp: z.number(),
  })
  .refine(
    (claimed) => claimed.account !== '' || !claimed.roles.some((role) => role === 'provider' || role === 'consumer'),
  );

/**
 * Verifies tokens against the keys of a JWKS file, which may be replaced at any time: a key taken from it no longer
 * counts a second later. A verified token is remembered by its hash; its expiry is looked at each time.
 *
 * @throws StartupError when the keys cannot be read
 */
export const tokenVerifier = (options: VerifierOptions): TokenVerifier => {
  const { jwksFile, issuer = DEFAULT_ISSUER, now = Date.now } = options;
  const readKeys = changingFile(jwksFile, (text) => ({
    keys: createLocalJWKSet(JSON.parse(text) as JSONWebKeySet),
    verified: new LRUCache<string, Readonly<{ caller: Caller; expiresAt: number }>>(CACHED_TOKENS),
  }));
  try {
    readKeys();
  } catch (cause) {
    throw new StartupError(`cannot read the token keys in ${jwksFile}: ${cause}`, { cause });
  }

  return async (token) => {
    if (token.length > MAX_TOKEN_BYTES) throw new Unauthenticated('the token is too long');
    const { keys, verified } = readKeys();
    const hash = createHash('sha256').update(token).digest('base64');
    const known = verified.get(hash);
    if (known) {
      if (known.expiresAt > now()) return known.caller;
      verified.delete(hash);
      throw expired();
    }
    const { payload } = await verify(() =>
      jwtVerify(token, keys, {
        algorithms: [ALGORITHM],
        issuer,
        audience: AUDIENCE,
        typ: TOKEN_TYPE,
        requiredClaims: ['exp', 'sub'],
        currentDate: new Date(now()),
      }),
    );
    const parsed = claims.safeParse(payload);
    if (!parsed.success) throw invalid(parsed.error);
    const { sub, account, exp } = parsed.data;
    const caller = { subject: sub, accountId: account, roles: parsed.data.roles };
    verified.set(hash, { caller, expiresAt: exp * 1000 });
    return caller;
  };
};

const verify = async (attempt: () => Promise<JWTVerifyResult>): Promise<JWTVerifyResult> => {
  try {
    return await attempt();
  } catch (error) {
    throw error instanceof errors.JWTExpired ? expired() : invalid(error);
  }
};

const expired = (): Unauthenticated => new Unauthenticated('the token has expired');

/** Which check failed is nobody's business but the log's. */
const invalid = (cause: unknown): Unauthenticated => new Unauthenticated('the token is not valid', { cause });

/** Name of a caller as events keep it. Whose subject begins with `service:` is no service for that. */
export const actorOf = ({ subject, roles }: Caller): string =>
  roles.includes('service') ? `service:${subject.replace(/^service:/, '')}` : `user:${subject}`;
