import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { allRegions, allZones } from '@privatelink/shared/app/regions';
import { type ConfigOf, loadConfig, serviceConfig } from '@privatelink/shared/runtime/config';
import { StartupError } from '@privatelink/shared/runtime/startup-error';
import { agentConfig } from '../../../services/data-plane/src/config.ts';
import type { Issuer } from './keys.ts';
import type { PortPlan } from './ports.ts';
import type { RunFile } from './run-file.ts';
import { addressesOf, ownEnvironment } from './service-environment.ts';
import { agentName } from './service-names.ts';
import { StartError } from './start-error.ts';

const { region, zones, otherRegions, forwarding } = serviceConfig;
const fields = { mode: forwarding, region, zones, otherRegions };

/** How traffic is forwarded, and the agents that do it: one for each zone and replica, none in the mode `none`. */
export type DataPlane = {
  readonly mode: ConfigOf<typeof fields>['mode'];
  readonly agents: readonly Agent[];
};

/** The agents of a zone share a directory, and with it one HAProxy. */
type Agent = { readonly zoneId: string; readonly name: string; readonly directory: string };

/** Decides which agents run, and makes sure that they can. */
export async function planDataPlane(options: {
  readonly dataDir: string;
  readonly env: NodeJS.ProcessEnv;
  readonly replicas: number;
}): Promise<DataPlane> {
  const { dataDir, env, replicas } = options;
  const config = readConfig(env);
  const { mode } = config;
  if (mode === 'none') return { mode, agents: [] };
  await requireHaproxy(env);
  const numbers = Array.from({ length: replicas }, (_, index) => index + 1);
  const agents = [...new Set(allZones(allRegions(config)))].flatMap((zoneId) => {
    const directory = join(dataDir, agentName, zoneId);
    return numbers.map((number) => ({ zoneId, directory, name: `${agentName}-${zoneId}-${number}` }));
  });
  if (agents.some(({ directory }) => !agentConfig.directory.form.safeParse(directory).success)) {
    throw new StartError(
      `the path of ${dataDir} is too long for the sockets of HAProxy: choose another --data-dir, or set PRIVATELINK_FORWARDING=none`,
    );
  }
  return { mode, agents };
}

function readConfig(env: NodeJS.ProcessEnv): ConfigOf<typeof fields> {
  try {
    return loadConfig(fields, env);
  } catch (error) {
    throw error instanceof StartupError ? new StartError(error.message) : error;
  }
}

async function requireHaproxy(env: NodeJS.ProcessEnv): Promise<void> {
  const binary = env['PRIVATELINK_HAPROXY'] || 'haproxy';
  await promisify(execFile)(binary, ['-v'], { env: { ...env, PATH: pathOf(env) } }).catch((error: Error) => {
    throw new StartError(`haproxy does not run, put it on PATH or set PRIVATELINK_FORWARDING=none: ${error.message}`);
  });
}

/** Debian has it where only root looks. */
const pathOf = (env: NodeJS.ProcessEnv): string => [env['PATH'], '/usr/local/sbin', '/usr/sbin'].join(':');

/** The environment of one agent. */
export function agentEnvironment(options: {
  readonly agent: Agent;
  readonly port: number;
  readonly metricsPort: number | undefined;
  readonly ports: PortPlan;
  readonly issuer: Issuer;
  readonly env: NodeJS.ProcessEnv;
}): Record<string, string> {
  const { agent, port, metricsPort, ports, issuer, env } = options;
  return {
    PATH: pathOf(env),
    PRIVATELINK_ZONE: agent.zoneId,
    PRIVATELINK_AGENT_DIR: agent.directory,
    // Ctrl-C leaves nothing behind, and neither do we when we are killed: an agent stops when its parent is gone.
    PRIVATELINK_HAPROXY_ON_STOP: 'stop',
    PRIVATELINK_BROKER: addressesOf(ports, 'broker').join(','),
    ...ownEnvironment({ program: agentName, instance: agent.name, port, metricsPort, issuer }),
  };
}

/** What the run file says. */
export function describeDataPlane({ mode, agents }: DataPlane, ports: PortPlan): RunFile['dataPlane'] {
  const addresses = addressesOf(ports, agentName);
  const zones = Map.groupBy(agents, ({ zoneId }) => zoneId);
  return {
    mode,
    zones: [...zones].map(([zoneId, members]) => ({
      zoneId,
      agents: members.map((agent) => ({ name: agent.name, address: addresses[agents.indexOf(agent)] ?? '' })),
    })),
  };
}
