import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Role } from '@privatelink/shared/grpc/access';
import { generateSigningKeys, issueToken } from '@privatelink/shared/grpc/issue-token';
import { AUDIENCE, DEFAULT_ISSUER } from '@privatelink/shared/grpc/tokens';
import type { JWK } from 'jose';
import { newPassword, readOrCreatePrivateFile, writePrivateFile } from './secrets.ts';
import { StartError } from './start-error.ts';

/** Who signs tokens in development, and for whom they are meant. */
export const issuer = DEFAULT_ISSUER;
export const audience = AUDIENCE;

/** The development issuer's files. The private key is all it takes to be anybody: it never leaves the machine. */
export type Issuer = {
  readonly keyFile: string;
  readonly jwksFile: string;
  readonly tokenSecretFile: string;
  tokenFileOf(service: string): string;
};

export type TokenClaims = {
  readonly subject: string;
  /** 16 digits, or empty for services and operators. */
  readonly account: string;
  readonly roles: readonly Role[];
  readonly key: JWK;
  readonly ttlSeconds: number;
};

/** Makes the key pair, its public JWKS and the secret of page tokens once; later runs find them. */
export async function openIssuer(dataDir: string): Promise<Issuer> {
  const directory = join(dataDir, 'keys');
  const files = {
    keyFile: join(directory, 'issuer.jwk'),
    jwksFile: join(directory, 'jwks.json'),
    tokenSecretFile: join(directory, 'token-secret'),
  };
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const privateKey = await readOrCreatePrivateFile(files.keyFile, newKey);
  await readOrCreatePrivateFile(files.tokenSecretFile, newPassword);
  await writePrivateFile(files.jwksFile, JSON.stringify({ keys: [publicPart(parseKey(privateKey, files.keyFile))] }));
  return { ...files, tokenFileOf: (service) => join(directory, `${service}.token`) };
}

/** Reads a signing key that `openIssuer` made. */
export const loadSigningKey = async (keyFile: string): Promise<JWK> =>
  parseKey(await readFile(keyFile, 'utf8'), keyFile);

/** Signs a token that says who somebody is. */
export const mintToken = ({ subject, account, roles, key, ttlSeconds }: TokenClaims): Promise<string> =>
  issueToken(key, { subject, accountId: account, roles: [...roles] }, { ttlSeconds });

const newKey = async (): Promise<string> => JSON.stringify((await generateSigningKeys()).privateKey);

function parseKey(text: string, file: string): JWK {
  try {
    return JSON.parse(text);
  } catch {
    throw new StartError(`${file} is damaged: delete it to get a new key (tokens signed so far become invalid)`);
  }
}

const publicPart = ({ d: _private, ...rest }: JWK): JWK => rest;
