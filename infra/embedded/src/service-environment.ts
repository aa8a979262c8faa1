import { loopback } from './free-port.ts';
import type { Issuer } from './keys.ts';
import { type PortPlan, vpcsPerReplica } from './ports.ts';
import { type ProgramName, type ServiceName, serviceNames } from './service-names.ts';

/** The domain below which endpoints get their names. */
export const dnsSuffix = 'privatelink.internal';

/** Where the servers are that all services share. */
export type Servers = { readonly eventStore: string; readonly nats: string; readonly postgres: string };

/** The addresses of all replicas of a service, of the zone agents or of the DNS servers. */
export const addressesOf = (ports: PortPlan, name: ProgramName | 'dns-query' | 'metrics'): string[] =>
  ports[name].map((port) => `${loopback}:${port}`);

/** What a process is told of itself. */
export const ownEnvironment = (options: {
  readonly program: ProgramName;
  readonly instance: string;
  readonly port: number | undefined;
  readonly metricsPort: number | undefined;
  readonly issuer: Issuer;
}): Record<string, string> => ({
  PRIVATELINK_JWKS_FILE: options.issuer.jwksFile,
  PRIVATELINK_TOKEN_FILE: options.issuer.tokenFileOf(options.program),
  PRIVATELINK_GRPC_LISTEN: `${loopback}:${options.port}`,
  PRIVATELINK_METRICS_LISTEN: `${loopback}:${options.metricsPort}`,
  PRIVATELINK_INSTANCE: options.instance,
  PRIVATELINK_PARENT_PIPE: '1',
});

/** Where the services are. */
export const peersEnvironment = (ports: PortPlan): Record<string, string> =>
  Object.fromEntries(
    serviceNames.map((name) => [`PRIVATELINK_${name.toUpperCase()}`, addressesOf(ports, name).join(',')]),
  );

/** The environment of one replica of a service; it overrides what the caller's environment says of a process. */
export function serviceEnvironment(options: {
  readonly service: ServiceName;
  readonly index: number;
  readonly ports: PortPlan;
  readonly metricsPort: number | undefined;
  readonly servers: Servers;
  readonly issuer: Issuer;
}): Record<string, string> {
  const { service, index, ports, metricsPort, servers, issuer } = options;
  return {
    PRIVATELINK_EVENT_STORE: servers.eventStore,
    PRIVATELINK_NATS: servers.nats,
    PRIVATELINK_POSTGRES: servers.postgres,
    PRIVATELINK_TOKEN_SECRET_FILE: issuer.tokenSecretFile,
    ...peersEnvironment(ports),
    ...ownEnvironment({
      program: service,
      instance: `${service}-${index + 1}`,
      port: ports[service][index],
      metricsPort,
      issuer,
    }),
    ...(service === 'dns' && {
      PRIVATELINK_DNS_LISTEN: `${loopback}:${ports['dns-query'][index]}`,
      PRIVATELINK_DNS_VPC_LISTEN: `${loopback}:${ports['dns-vpc'][index]}`,
      PRIVATELINK_DNS_VPCS: `${vpcsPerReplica}`,
    }),
    PRIVATELINK_DNS_SUFFIX: dnsSuffix,
  };
}

/**
 * For each of our processes. Its heap is bounded, and so collected before the machine's memory is full of what is no longer
 * needed; the young generation is large, since most of what an event makes is needed for a moment.
 */
export const nodeOptions = '--max-old-space-size=768 --max-semi-space-size=32';

/** What a caller may set for all services at once. */
export const sharedDefaults = {
  NODE_OPTIONS: nodeOptions,
  PRIVATELINK_REGION: 'cn-hangzhou',
  PRIVATELINK_ZONES: 'cn-hangzhou-g,cn-hangzhou-h,cn-hangzhou-i',
  PRIVATELINK_OTHER_REGIONS: 'cn-shanghai=cn-shanghai-a,cn-shanghai-b',
  PRIVATELINK_FORWARDING: 'loopback',
  PRIVATELINK_LOG_LEVEL: 'info',
} as const;
