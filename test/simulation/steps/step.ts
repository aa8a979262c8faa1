import type { Client, Who } from '../world/client.ts';
import type { Random } from '../world/random.ts';
import type { Txt } from '../world/txt.ts';

export type KnownService = Readonly<{
  serviceId: string;
  serviceName: string;
  account: string;
  serviceType: 'INTERFACE' | 'GATEWAY_LOAD_BALANCER' | 'REVERSE';
}>;
export type KnownNetwork = Readonly<{
  vpcId: string;
  account: string;
  regionId: string;
  securityGroupIds: readonly string[];
  routeTableIds: readonly string[];
  /** vSwitch by zone. */
  vswitches: Readonly<Record<string, string>>;
}>;
export type KnownEndpoint = Readonly<{
  endpointId: string;
  account: string;
  service: KnownService;
  network: KnownNetwork;
}>;

export type KnownGateway = Readonly<{ gatewayEndpointId: string; account: string }>;

/** What the clients have learned; a step finds here whom to act on. */
export type Known = {
  readonly services: KnownService[];
  readonly networks: KnownNetwork[];
  readonly endpoints: KnownEndpoint[];
  readonly gateways: KnownGateway[];
  /** Last sequence of each billing scope. */
  readonly sequences: Map<string, number>;
};

export const createKnown = (): Known => ({
  services: [],
  networks: [],
  endpoints: [],
  gateways: [],
  sequences: new Map(),
});

export type StepContext = Readonly<{
  client: Client;
  known: Known;
  random: Random;
  /** A request id that follows from the step: the same in every run. */
  requestId: () => string;
  /** Where providers prove their custom domains. */
  txt: Txt;
  /** Simulated, in epoch milliseconds. */
  now: () => number;
}>;

/** One thing that a client does. Does nothing where there is nothing to do it to. */
export type Step = (context: StepContext) => Promise<void>;

export const PROVIDERS = ['1000000000000001', '1000000000000002'] as const;
export const CONSUMERS = ['2000000000000001', '2000000000000002', '2000000000000003'] as const;

export const provider = (account: string): Who => ({ account, role: 'provider' });
export const consumer = (account: string): Who => ({ account, role: 'consumer' });
export const billing: Who = { account: '', role: 'billing' };
export const operator: Who = { account: '', role: 'operator' };

/** Where a network has a vSwitch. */
export const someZone = (random: Random, { vswitches }: KnownNetwork): string => random.pick(Object.keys(vswitches));

/** Zone affinity on, off, or nothing said of it. */
export const someAffinity = (random: Random): { zoneAffinity?: boolean } => {
  const own = random.fork('zone affinity');
  return own.chance(0.4) ? { zoneAffinity: own.chance(0.7) } : {};
};

/** One of them, rather one of the latest, where most happens; undefined when there is none yet. */
export const someOf = <T>(random: Random, items: readonly T[]): T | undefined => {
  if (items.length === 0) return undefined;
  return random.pick(random.chance(0.6) ? items.slice(-2) : items);
};

/** A step on a service, an endpoint or a network that somebody has learned of. */
export const onSome =
  <K extends 'services' | 'networks' | 'endpoints' | 'gateways'>(
    kind: K,
    act: (one: Known[K][number], context: StepContext) => Promise<unknown>,
  ): Step =>
  async (context) => {
    const one = someOf<Known[K][number]>(context.random, context.known[kind]);
    if (one) await act(one, context);
  };
