import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Role } from '@privatelink/shared/grpc/access';
import { generateSigningKeys, issueToken } from '@privatelink/shared/grpc/issue-token';
import { freePort } from '@privatelink/shared/testing/servers';
import { BenchError } from './bench-error.ts';

const MAIN = fileURLToPath(new URL('../../services/ops/src/main.ts', import.meta.url));
const LOOK_EVERY_MS = 100;
const SERVICE = { subject: 'service:ops', accountId: '', roles: ['service'] } as const;

/** The operators' service as a process of its own, over servers that are given; the other services are not there. */
export type OpsProcess = Readonly<{
  get: <T>(path: string, token: string) => Promise<T>;
  token: (roles: readonly Role[], accountId?: string) => Promise<string>;
  stop: () => Promise<void>;
}>;

export const startOps = async ({
  postgres,
  nats,
}: Readonly<{ postgres: string; nats: string }>): Promise<OpsProcess> => {
  const directory = mkdtempSync(join(tmpdir(), 'privatelink-bench-ops-'));
  const file = (name: string, text: string): string => {
    writeFileSync(join(directory, name), text);
    return join(directory, name);
  };
  const { privateKey, jwks } = await generateSigningKeys();
  const http = `127.0.0.1:${await freePort()}`;
  const env = {
    ...process.env,
    ...{ PRIVATELINK_POSTGRES: postgres, PRIVATELINK_NATS: nats, PRIVATELINK_INSTANCE: 'ops-1' },
    ...{ PRIVATELINK_REGION: 'cn-hangzhou', PRIVATELINK_ZONES: 'cn-hangzhou-h', PRIVATELINK_LOG_LEVEL: 'warn' },
    PRIVATELINK_JWKS_FILE: file('jwks.json', JSON.stringify(jwks)),
    PRIVATELINK_TOKEN_FILE: file('token', await issueToken(privateKey, SERVICE, { ttlSeconds: 3_600 })),
    PRIVATELINK_TOKEN_SECRET_FILE: file('secret', randomBytes(32).toString('base64')),
    PRIVATELINK_OPS_HTTP_LISTEN: http,
    PRIVATELINK_GRPC_LISTEN: `127.0.0.1:${await freePort()}`,
    ...Object.fromEntries(
      ['PROVIDER', 'CONSUMER', 'BROKER', 'DNS'].map((name) => [`PRIVATELINK_${name}`, '127.0.0.1:1']),
    ),
  };
  const child = spawn(process.execPath, [MAIN], { env, stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await ended;
    rmSync(directory, { recursive: true, force: true });
  };
  while ((await fetch(`http://${http}/api/session`).catch(() => null)) === null) {
    if (child.exitCode !== null) throw new BenchError(`the operators' service ended with ${child.exitCode}`, 1);
    await delay(LOOK_EVERY_MS);
  }
  return {
    get: async <T>(path: string, token: string): Promise<T> => {
      const reply = await fetch(`http://${http}${path}`, { headers: { authorization: `Bearer ${token}` } });
      if (!reply.ok) throw new BenchError(`${path}: ${reply.status} ${await reply.text()}`, 1);
      return (await reply.json()) as T;
    },
    token: (roles, accountId = '') =>
      issueToken(privateKey, { subject: 'bench', accountId, roles }, { ttlSeconds: 3_600 }),
    stop,
  };
};
