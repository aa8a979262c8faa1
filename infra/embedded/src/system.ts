import { resolve } from 'node:path';
import { dashboardPrograms, dashboardUrls, makeLoginLink } from './dashboard.ts';
import { openDataDir } from './data-dir.ts';
import { agentEnvironment, type DataPlane, describeDataPlane, planDataPlane } from './data-plane.ts';
import { endForwarding } from './end-forwarding.ts';
import { loopback } from './free-port.ts';
import { audience, type Issuer, issuer as issuerName, openIssuer } from './keys.ts';
import { lockDataDir } from './lock.ts';
import type { LogMode } from './log-format.ts';
import { openLogs } from './logs.ts';
import { type PortChoice, type PortName, type PortPlan, planPorts } from './ports.ts';
import type { Program } from './program.ts';
import { type RunFile, removeRunFile, writeRunFile } from './run-file.ts';
import { externalServer, openServers, type ServerName, type ServerParts } from './servers.ts';
import { addressesOf, dnsSuffix, serviceEnvironment, sharedDefaults } from './service-environment.ts';
import { agentName, opsName, type ProgramName, type ServiceName, serviceNames } from './service-names.ts';
import { serviceMain, serviceProgram } from './service-program.ts';
import { keepServiceTokens } from './service-tokens.ts';
import type { BackOff } from './supervised.ts';
import { createSupervisor } from './supervisor.ts';

export type SystemOptions = {
  readonly dataDir: string;
  readonly ports: PortChoice;
  /** How many processes of each service and agents of each zone run; 1 unless said otherwise. */
  readonly replicas?: number | Partial<Record<ProgramName, number>>;
  /** Whether the operators' service runs as well; not unless said. */
  readonly dashboard?: boolean | undefined;
  /** Added to the environment of every service; servers named here are used instead of embedded ones. */
  readonly env?: Readonly<Record<string, string>>;
  readonly logs: LogMode;
  /** How soon a process that ended is started again. */
  readonly backOff?: BackOff;
  /** Aborting it stops a start that is under way. */
  readonly signal?: AbortSignal;
  /** Other programs in place of the services and agents, for tests of the supervisor itself. */
  readonly mainOf?: ((name: ProgramName) => string) | undefined;
};

/**
 * A running system. Processes are named nats, postgres, event-store, provider-1, provider-2, dns-1, ..., and agents
 * data-plane-<zone>-1, ...
 */
export type System = {
  readonly run: RunFile;
  /** A link that begins one session of an operator with the dashboard; undefined when it does not run. */
  loginLink(): Promise<string | undefined>;
  stop(): Promise<void>;
  /** Sends a signal to a process; it is started again as after any crash. */
  kill(name: string, signal: NodeJS.Signals): void;
  /** Resolves when the process is ready, be it now or after its next start. */
  waitHealthy(name: string): Promise<void>;
  pids(): Record<string, number>;
  /** Stops a process until `startProcess` starts it again. */
  stopProcess(name: string): Promise<void>;
  startProcess(name: string): Promise<void>;
};

/** Starts everything on this machine and resolves when all of it is ready; a `StartError` says what was in the way. */
export async function startSystem(options: SystemOptions): Promise<System> {
  const dataDir = resolve(options.dataDir);
  const undo: (() => unknown)[] = [];
  const undoAll = async (): Promise<void> => {
    for (let step = undo.pop(); step; step = undo.pop()) await step();
  };
  try {
    await openDataDir(dataDir);
    undo.push(await lockDataDir(dataDir));
    return await startLocked({ ...options, dataDir }, undo, undoAll);
  } catch (error) {
    await undoAll();
    throw error;
  }
}

async function startLocked(
  options: SystemOptions,
  undo: (() => unknown)[],
  undoAll: () => Promise<void>,
): Promise<System> {
  const { dataDir, mainOf = serviceMain, signal } = options;
  const env = { ...sharedDefaults, ...process.env, ...options.env };
  const dataPlane = await planDataPlane({ dataDir, env, replicas: replicasOf(options, agentName) });
  const ports = await planPorts(options.ports, countProcesses(options, env, dataPlane));
  const issuer = await openIssuer(dataDir);
  undo.push(await keepServiceTokens(issuer, [...serviceNames, agentName, opsName]));
  const parts = await openServers(dataDir, ports, env);
  const metricsPorts = [...ports.metrics];
  const metrics: { name: string; address: string }[] = [];
  const metricsOf = (name: string): number => {
    const port = metricsPorts.shift() ?? 0;
    metrics.push({ name, address: `${loopback}:${port}` });
    return port;
  };
  const services = serviceNames.flatMap((service) =>
    ports[service].map((port, index): Program => {
      const metricsPort = metricsOf(`${service}-${index + 1}`);
      const own = serviceEnvironment({ service, index, ports, metricsPort, servers: parts.servers, issuer });
      const name = own['PRIVATELINK_INSTANCE'] ?? service;
      return serviceProgram({ name, main: mainOf(service), env: { ...env, ...own, ...options.env }, port });
    }),
  );
  const agents = dataPlane.agents.map((agent, index): Program => {
    const port = ports[agentName][index] ?? 0;
    const own = agentEnvironment({ agent, port, metricsPort: metricsOf(agent.name), ports, issuer, env });
    return serviceProgram({ name: agent.name, main: mainOf(agentName), env: { ...env, ...own, ...options.env }, port });
  });

  const logs = openLogs(dataDir, options.logs);
  undo.push(() => logs.close());
  const onNotice = (text: string): void => logs.write('supervisor', text);
  const { servers } = parts;
  const dashboard = await dashboardPrograms({
    ...{ dataDir, main: mainOf(opsName), env: { ...env, ...options.env }, ports, servers, issuer },
    ...{ metricsOf, metrics, onNotice },
  });
  const startedAt = new Date().toISOString();
  const describe = (): RunFile => ({
    startedAt,
    pid: process.pid,
    ...describeAddresses(ports, issuer, parts),
    dataPlane: describeDataPlane(dataPlane, ports),
    metrics,
    processes: Object.entries(supervisor.pids()).map(([name, pid]) => ({ name, pid })),
  });
  // The run file appears when all is ready and follows each restart; one write at a time.
  let writing: Promise<void> | undefined;
  const rewrite = (): Promise<void> => {
    writing = (writing ?? Promise.resolve()).then(() => writeRunFile(dataDir, describe()));
    return writing;
  };
  const supervisor = createSupervisor([parts.programs, services, [...agents, ...dashboard]], {
    logs,
    ...(options.backOff && { backOff: options.backOff }),
    onChange: () => void (writing && rewrite().catch((error: Error) => logs.write('supervisor', error.message))),
  });
  undo.push(async () => {
    await writing?.catch(() => {});
    await removeRunFile(dataDir);
  });
  await endForwarding(dataDir, { exceptIn: dataPlane.agents.map(({ zoneId }) => zoneId), onNotice });
  undo.push(() => endForwarding(dataDir, { onNotice }));
  undo.push(() => supervisor.stop());

  const abort = (): void => void supervisor.stop();
  signal?.throwIfAborted();
  signal?.addEventListener('abort', abort, { once: true });
  await supervisor.start();
  signal?.removeEventListener('abort', abort);
  signal?.throwIfAborted();
  await rewrite();

  return {
    get run() {
      return describe();
    },
    loginLink: async () => {
      const [url] = dashboardUrls(ports);
      const operator = { subject: 'developer', account: '', roles: ['operator'] } as const;
      return url && (await makeLoginLink({ dataDir, keyFile: issuer.keyFile, url }, operator));
    },
    stop: undoAll,
    pids: () => supervisor.pids(),
    kill: (name, wanted) => supervisor.process(name).kill(wanted),
    waitHealthy: (name) => supervisor.process(name).waitReady(),
    stopProcess: (name) => supervisor.process(name).stop(),
    startProcess: (name) => supervisor.process(name).start(),
  };
}

const replicasOf = ({ replicas }: SystemOptions, name: ProgramName): number =>
  (typeof replicas === 'number' ? replicas : replicas?.[name]) ?? 1;

/** How many ports each part needs: servers that the caller has already need none. */
function countProcesses(
  options: SystemOptions,
  env: NodeJS.ProcessEnv,
  dataPlane: DataPlane,
): Record<PortName, number> {
  const server = (name: ServerName): number => (externalServer(env, name) ? 0 : 1);
  const replicas = (name: ServiceName): number => replicasOf(options, name);
  const agents = dataPlane.agents.length;
  const ops = options.dashboard ? replicasOf(options, opsName) : 0;
  return {
    provider: replicas('provider'),
    consumer: replicas('consumer'),
    broker: replicas('broker'),
    dns: replicas('dns'),
    'dns-query': replicas('dns'),
    'dns-vpc': replicas('dns'),
    'data-plane': agents,
    ops,
    'ops-http': ops,
    metrics: agents + ops + serviceNames.reduce((sum, name) => sum + replicas(name), 0),
    nats: server('nats'),
    postgres: server('postgres'),
    'event-store': server('event-store'),
  };
}

function describeAddresses(ports: PortPlan, issuer: Issuer, parts: ServerParts) {
  const dnsAddresses = addressesOf(ports, 'dns-query');
  return {
    ...parts.run,
    dns: { address: dnsAddresses[0] ?? '', addresses: dnsAddresses, suffix: dnsSuffix },
    grpc: {
      provider: addressesOf(ports, 'provider'),
      consumer: addressesOf(ports, 'consumer'),
      broker: addressesOf(ports, 'broker'),
      dns: addressesOf(ports, 'dns'),
      ops: addressesOf(ports, 'ops'),
    },
    dashboard: { urls: dashboardUrls(ports) },
    issuer: { keyFile: issuer.keyFile, issuer: issuerName, audience },
  };
}
