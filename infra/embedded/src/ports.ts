import { portsPerVpc } from '@privatelink/shared/runtime/config';
import { findFreePort, isTcpPortFree, isUdpPortFree } from './free-port.ts';
import { StartError } from './start-error.ts';

/**
 * Where each part listens unless told otherwise; the second replica of a service or agent takes 10 more, and so on.
 * Metrics have one port after another, for each process of a service or agent.
 */
export const defaultPorts = {
  provider: 7401,
  consumer: 7402,
  broker: 7403,
  dns: 7404,
  'data-plane': 7405,
  metrics: 7301,
  ops: 7407,
  'ops-http': 7480,
  'dns-query': 7453,
  'dns-vpc': 7500,
  nats: 7422,
  postgres: 7432,
  'event-store': 7416,
} as const;

export type PortName = keyof typeof defaultPorts;
export type PortChoice = 'default' | 'free' | Partial<Record<PortName, number>>;

/** Only the names that are used: `provider: [7401, 7411]` for two replicas. */
export type PortPlan = Readonly<Record<PortName, readonly number[]>>;

const replicaStep = 10;
const metricsStep = 1;
/** How many VPCs a replica of the DNS service has name servers for; `dns-vpc` is the first of their ports. */
export const vpcsPerReplica = 100;
const vpcReplicaStep = vpcsPerReplica * portsPerVpc;

export const portNames = Object.keys(defaultPorts) as readonly PortName[];

/** The variable that moves a part to another port. */
export const portVariable = (name: PortName): string => `PRIVATELINK_PORT_${name.toUpperCase().replace('-', '_')}`;

/** The ports the environment asks for. */
export function portsFromEnvironment(env: NodeJS.ProcessEnv): Partial<Record<PortName, number>> {
  const wanted = portNames.flatMap((name) => {
    const variable = portVariable(name);
    const text = env[variable];
    if (text === undefined || text === '') return [];
    const port = Number(text);
    if (!Number.isInteger(port) || port < 0 || port > 65535) {
      throw new StartError(`${variable} must be a port number (0 for any free one), not "${text}"`);
    }
    return [[name, port] as const];
  });
  return Object.fromEntries(wanted);
}

/** Decides all ports, and refuses when one that was asked for is taken: nothing has been started yet. */
export async function planPorts(choice: PortChoice, counts: Readonly<Record<PortName, number>>): Promise<PortPlan> {
  const plan = { ...counts } as unknown as Record<PortName, number[]>;
  for (const name of portNames) plan[name] = await planPart(name, basePort(choice, name), counts[name]);
  refuseDoubles(plan);
  return plan;
}

const basePort = (choice: PortChoice, name: PortName): number => {
  if (choice === 'free') return 0;
  return (choice === 'default' ? undefined : choice[name]) ?? defaultPorts[name];
};

async function planPart(name: PortName, base: number, count: number): Promise<number[]> {
  const ports: number[] = [];
  for (let index = 0; index < count; index++) {
    const port = base === 0 ? await freePortFor(name) : base + index * stepOf(name);
    if (base !== 0 && !(await isFree(name, port))) {
      throw new StartError(`port ${port} for ${name} is in use: stop what listens there, or set ${portVariable(name)}`);
    }
    ports.push(port);
  }
  return ports;
}

const stepOf = (name: PortName): number => {
  if (name === 'metrics') return metricsStep;
  return name === 'dns-vpc' ? vpcReplicaStep : replicaStep;
};

/** VPCs come later: each then takes ports that are free. */
const freePortFor = async (name: PortName): Promise<number> => (name === 'dns-vpc' ? 0 : await findFreePort());

const isFree = async (name: PortName, port: number): Promise<boolean> =>
  (await isTcpPortFree(port)) && (!name.startsWith('dns-') || (await isUdpPortFree(port)));

function refuseDoubles(plan: PortPlan): void {
  const takenBy = new Map<number, PortName>();
  for (const name of portNames) {
    for (const first of plan[name].filter((planned) => planned !== 0)) {
      for (let port = first; port < first + (name === 'dns-vpc' ? vpcReplicaStep : 1); port++) {
        const other = takenBy.get(port);
        if (other) throw new StartError(`port ${port} is meant for ${other} and ${name}: set ${portVariable(name)}`);
        takenBy.set(port, name);
      }
    }
  }
}
