import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import type { ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';
import { BrokerServiceService } from '@privatelink/proto/broker/v1/broker_service';
import type { Logger } from 'pino';
import { createLog } from '../runtime/log.ts';
import type { Role } from './access.ts';
import { generateSigningKeys, issueToken, type SigningKeys } from './issue-token.ts';
import { RemoteError } from './remote-error.ts';
import { type GrpcServer, type GrpcServerOptions, startGrpcServer } from './server.ts';
import { type TokenVerifier, tokenVerifier } from './tokens.ts';
import { serverStream, unary } from './unary.ts';

/** Accounts of the tests. */
export const ACCOUNT = '1000000000000001';
export const OTHER_ACCOUNT = '2000000000000002';

export type Issuer = Readonly<{
  keys: SigningKeys;
  jwksFile: string;
  verifier: TokenVerifier;
  token: (roles: readonly Role[], accountId?: string, subject?: string) => Promise<string>;
  remove: () => Promise<void>;
}>;

export const createIssuer = async (): Promise<Issuer> => {
  const directory = await mkdtemp(join(tmpdir(), 'privatelink-grpc-'));
  const keys = await generateSigningKeys();
  const jwksFile = join(directory, 'jwks.json');
  await writeFile(jwksFile, JSON.stringify(keys.jwks));
  return {
    keys,
    jwksFile,
    verifier: tokenVerifier({ jwksFile }),
    token: (roles, accountId = ACCOUNT, subject = 'alice') =>
      issueToken(keys.privateKey, { subject, accountId, roles }, { ttlSeconds: 600 }),
    remove: () => rm(directory, { recursive: true }),
  };
};

type Line = Readonly<Record<string, unknown>>;

/** A real log whose lines can be read back. */
export const recordedLog = (): Readonly<{ log: Logger; lines: Line[] }> => {
  const lines: Line[] = [];
  const destination = new Writable({
    write: (chunk, _, done) => {
      lines.push(JSON.parse(String(chunk)));
      done();
    },
  });
  return { log: createLog({ service: 'test', instance: 'test-1', level: 'info' }, destination), lines };
};

/** A service of which only some RPCs do anything; the others answer with an empty message. */
export const implement = (
  definition: ServiceDefinition,
  handlers: Readonly<Record<string, UntypedServiceImplementation[string]>>,
): UntypedServiceImplementation =>
  Object.fromEntries(
    Object.entries(definition).map(([name, method]) => [
      name,
      handlers[name] ??
        (method.responseStream
          ? serverStream(async function* () {})
          : unary(async () => method.responseDeserialize(Buffer.alloc(0)))),
    ]),
  );

export const startBroker = async (
  issuer: Issuer,
  handlers: Readonly<Record<string, UntypedServiceImplementation[string]>>,
  options: Partial<GrpcServerOptions> = {},
): Promise<GrpcServer> =>
  startGrpcServer({
    service: 'connection-broker',
    listen: { host: '127.0.0.1', port: 0 },
    services: [{ definition: BrokerServiceService, implementation: implement(BrokerServiceService, handlers) }],
    catalogue: {},
    verifier: issuer.verifier,
    log: recordedLog().log,
    ...options,
  });

/** The error that an answer ended with. */
export const failed = async (answer: Promise<unknown>): Promise<RemoteError> => {
  const error = await answer.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof RemoteError)) throw new Error(`expected a RemoteError, got ${error}`);
  return error;
};
