import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, credentials } from '@grpc/grpc-js';
import type { Role } from '@privatelink/shared/grpc/access';
import { generateSigningKeys, issueToken } from '@privatelink/shared/grpc/issue-token';
import { pageTokens } from '@privatelink/shared/grpc/page-token';
import { tokenVerifier } from '@privatelink/shared/grpc/tokens';
import type { IncomingMessage } from '@privatelink/shared/nats/incoming-message';
import type { Producer } from '@privatelink/shared/nats/subjects';
import { connectPostgres, type Db } from '@privatelink/shared/postgres/connect';
import { systemClock } from '@privatelink/shared/runtime/clock';
import { freePort, startPostgres } from '@privatelink/shared/testing/servers';
import { pino } from 'pino';
import { loginFile } from '../http/login.ts';
import { createHttpServer, type HttpOptions } from '../http/server.ts';
import { readAnnounced } from '../ingest/announced.ts';
import { takeIn } from '../ingest/take-in.ts';
import { ensureTables, schemaName } from '../read-models/schema.ts';

type TokenOptions = Readonly<{ subject?: string; ttlSeconds?: number }>;

/** The service over a real database, for tests: told what the others would announce, and asked over HTTP. */
export type Stage = Readonly<{
  db: Db;
  /** Where it listens; restarts keep it. */
  origin: () => string;
  tell: (source: Producer, ...messages: readonly IncomingMessage[]) => Promise<void>;
  token: (roles: readonly Role[], accountId?: string, options?: TokenOptions) => Promise<string>;
  get: (path: string, token: string, headers?: Readonly<Record<string, string>>) => Promise<Response>;
  loginCode: (token: string) => string;
  restart: () => Promise<void>;
  close: () => Promise<void>;
}>;

const log = pino({ level: 'silent' });

/** @param serviceAddress where all services are asked; nobody is there unless said otherwise */
export const openStage = async (options: Partial<HttpOptions> = {}, serviceAddress = '127.0.0.1:1'): Promise<Stage> => {
  const directory = mkdtempSync(join(tmpdir(), 'privatelink-ops-'));
  const server = await startPostgres();
  const { db, close: closeDb } = await connectPostgres({ url: server.url, schema: schemaName, poolMax: 8, log });
  await ensureTables(db);
  const { privateKey, jwks } = await generateSigningKeys();
  const jwksFile = join(directory, 'jwks.json');
  writeFileSync(jwksFile, JSON.stringify(jwks));
  const secret = randomBytes(32);
  const client = new Client(serviceAddress, credentials.createInsecure());
  let port = 0;

  const start = async () => {
    const ending = new AbortController();
    // The port is known once it listens; until then it is any free one.
    port ||= await freePort();
    const app = await createHttpServer({
      ...{ db, clock: systemClock, log, region: 'cn-hangzhou', zones: ['cn-hangzhou-h'] },
      pages: pageTokens({ secret, storeId: 'spec' }),
      verifier: tokenVerifier({ jwksFile }),
      clients: { provider: client, consumer: client, broker: client, dns: client, ops: client },
      measured: { dataPlane: () => null, dnsQueries: () => null },
      ...{ origins: [`http://127.0.0.1:${port}`], webDir: undefined, loginDir: directory, signal: ending.signal },
      ...options,
    });
    await app.listen({ host: '127.0.0.1', port });
    return async () => {
      ending.abort();
      await app.close();
    };
  };
  let stop = await start();
  const origin = () => `http://127.0.0.1:${port}`;

  return {
    db,
    origin,
    tell: (source, ...messages) => db.transaction().execute((tx) => takeIn(tx, source, messages.map(readAnnounced))),
    token: (roles, accountId = '', { subject = 'spec', ttlSeconds = 600 } = {}) =>
      issueToken(privateKey, { subject, accountId, roles }, { ttlSeconds }),
    get: (path, token, headers = {}) =>
      // A connection that is kept would be one to the service before its restart.
      fetch(`${origin()}${path}`, { headers: { authorization: `Bearer ${token}`, connection: 'close', ...headers } }),
    loginCode: (token) => {
      const code = `${randomUUID()}${randomUUID()}`;
      writeFileSync(loginFile(directory, code), token);
      return code;
    },
    restart: async () => {
      await stop();
      stop = await start();
    },
    close: async () => {
      await stop();
      client.close();
      await closeDb();
      await server.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
};
