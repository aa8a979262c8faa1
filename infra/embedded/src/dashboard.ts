import { randomBytes } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { loginFile } from '../../../services/ops/src/http/login.ts';
import { loopback } from './free-port.ts';
import { type Issuer, loadSigningKey, mintToken, type TokenClaims } from './keys.ts';
import { buildPages } from './pages.ts';
import type { PortPlan } from './ports.ts';
import type { Program } from './program.ts';
import type { RunFile } from './run-file.ts';
import { writePrivateFile } from './secrets.ts';
import { ownEnvironment, peersEnvironment, type Servers } from './service-environment.ts';
import { agentName, opsName } from './service-names.ts';
import { serviceProgram } from './service-program.ts';

/** How long a session lasts that a login link begins. */
const ttlSeconds = 12 * 3600;

const loginDirOf = (dataDir: string): string => join(dataDir, 'keys', 'logins');

/** Where browsers find the replicas of the operators' service. */
export const dashboardUrls = (ports: PortPlan): string[] =>
  ports['ops-http'].map((port) => `http://${loopback}:${port}`);

/** The replicas of the operators' service. Links of an earlier run lead nowhere. */
export async function dashboardPrograms(options: {
  readonly dataDir: string;
  readonly main: string;
  readonly env: NodeJS.ProcessEnv;
  readonly ports: PortPlan;
  readonly servers: Servers;
  readonly issuer: Issuer;
  readonly metricsOf: (name: string) => number;
  /** Where all other processes give theirs. */
  readonly metrics: RunFile['metrics'];
  readonly onNotice: (text: string) => void;
}): Promise<readonly Program[]> {
  const { dataDir, main, env, ports, servers, issuer, metricsOf, metrics, onNotice } = options;
  const loginDir = loginDirOf(dataDir);
  if (ports.ops.length === 0) return [];
  await rm(loginDir, { recursive: true, force: true });
  await mkdir(loginDir, { recursive: true, mode: 0o700 });
  const metricsOfAll = (program: string): string =>
    metrics.flatMap(({ name, address }) => (name.startsWith(`${program}-`) ? [address] : [])).join(',');
  return ports.ops.map((port, index) => {
    const name = `${opsName}-${index + 1}`;
    const own = {
      ...ownEnvironment({ program: opsName, instance: name, port, metricsPort: metricsOf(name), issuer }),
      ...peersEnvironment(ports),
      PRIVATELINK_NATS: servers.nats,
      PRIVATELINK_POSTGRES: servers.postgres,
      PRIVATELINK_TOKEN_SECRET_FILE: issuer.tokenSecretFile,
      PRIVATELINK_OPS_HTTP_LISTEN: `${loopback}:${ports['ops-http'][index]}`,
      PRIVATELINK_OPS_LOGIN_DIR: loginDir,
      PRIVATELINK_OPS_AGENT_METRICS: metricsOfAll(agentName),
      PRIVATELINK_OPS_DNS_METRICS: metricsOfAll('dns'),
    };
    const program = serviceProgram({ name, main, env: { ...env, ...own }, port });
    return {
      ...program,
      prepare: async () => {
        const command = await program.prepare();
        const webDir = await buildPages({ onNotice }).catch((error: Error) => {
          onNotice(`the dashboard has no pages: ${error.message}`);
          return '';
        });
        return { ...command, env: { PRIVATELINK_OPS_WEB_DIR: webDir, ...command.env } };
      },
    };
  });
}

/** A link that begins one session of a browser, once. */
export async function makeLoginLink(
  { dataDir, keyFile, url }: Readonly<{ dataDir: string; keyFile: string; url: string }>,
  claims: Pick<TokenClaims, 'subject' | 'account' | 'roles'>,
): Promise<string> {
  const token = await mintToken({ ...claims, key: await loadSigningKey(keyFile), ttlSeconds });
  const code = randomBytes(32).toString('base64url');
  await writePrivateFile(loginFile(loginDirOf(dataDir), code), token);
  return `${url}/login?code=${code}`;
}
