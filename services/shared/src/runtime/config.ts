import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { z } from 'zod';
import type { Region } from '../app/regions.ts';
import { logLevels } from './log.ts';
import { StartupError } from './startup-error.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** One value of the configuration: the variable that it is read from, and its form. */
export type Field<T> = Readonly<{
  variable: string;
  form: z.ZodType<T, string | undefined>;
  /** What stands against this value in this environment. A method, so that fields of any type are `Field<unknown>`. */
  objection(value: T, environment: Environment): string | undefined;
}>;

export type Fields = Readonly<{ [name: string]: Field<unknown> | Fields }>;

export type ConfigOf<F extends Fields> = {
  readonly [K in keyof F]: F[K] extends Field<infer T> ? T : F[K] extends Fields ? ConfigOf<F[K]> : never;
};

export const env = <T>(
  variable: string,
  form: z.ZodType<T, string | undefined>,
  objection: Field<T>['objection'] = () => undefined,
): Field<T> => ({ variable, form, objection });

const EX_CONFIG = 78;

/**
 * Reads all fields. Where VARIABLE is absent and VARIABLE_FILE is given, the value is that file's text.
 *
 * @throws StartupError with exit code 78 that names every problem
 */
export const loadConfig = <F extends Fields>(fields: F, environment: Environment): ConfigOf<F> => {
  const problems: string[] = [];
  const config = readFields(fields, environment, problems);
  if (problems.length > 0) {
    throw new StartupError(`configuration: ${problems.join('; ')}`, { exitCode: EX_CONFIG });
  }
  return config as ConfigOf<F>;
};

const readFields = (fields: Fields, environment: Environment, problems: string[]): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(fields).map(([name, field]) => [
      name,
      isField(field) ? readField(field, environment, problems) : readFields(field, environment, problems),
    ]),
  );

const isField = (field: Field<unknown> | Fields): field is Field<unknown> => typeof field['variable'] === 'string';

const readField = (field: Field<unknown>, environment: Environment, problems: string[]): unknown => {
  const { variable, form } = field;
  const found = findValue(variable, environment);
  if ('problem' in found) {
    problems.push(found.problem);
    return undefined;
  }
  const parsed = form.safeParse(found.value);
  if (!parsed.success) {
    const why =
      found.value === undefined ? 'is required' : parsed.error.issues.map(({ message }) => message).join(', ');
    problems.push(`${variable} ${why}`);
    return undefined;
  }
  const objected = field.objection(parsed.data, environment);
  if (objected) problems.push(`${variable} ${objected}`);
  return parsed.data;
};

type Found = Readonly<{ value: string | undefined }> | Readonly<{ problem: string }>;

/** An empty variable counts as absent. */
const findValue = (variable: string, environment: Environment): Found => {
  const value = environment[variable] || undefined;
  const path = environment[`${variable}_FILE`] || undefined;
  if (path === undefined) return { value };
  if (value !== undefined) return { problem: `${variable} and ${variable}_FILE exclude each other` };
  try {
    return { value: readFileSync(path, 'utf8').trim() || undefined };
  } catch (error) {
    return { problem: `${variable}_FILE cannot be read: ${error instanceof Error ? error.message : error}` };
  }
};

export type Address = Readonly<{ host: string; port: number }>;

const ADDRESS = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]]+)):(\d{1,5})$/;

export const address = z.string().transform((text, context): Address => {
  const [, ipv6, host, port] = ADDRESS.exec(text) ?? [];
  const name = ipv6 ?? host;
  if (name === undefined || Number(port) > 65_535) {
    context.addIssue('must be host:port');
    return z.NEVER;
  }
  return { host: name, port: Number(port) };
});

/** Comma separated, at least one. */
export const list = z
  .string()
  .transform((text) => text.split(',').map((part) => part.trim()))
  .refine((parts) => parts.every((part) => part !== ''), 'must not have empty parts');

/** `host:port`, comma separated. */
export const addresses = list.refine((parts) => parts.every((part) => ADDRESS.test(part)), 'must be host:port, ...');

const resolvers = addresses.refine(
  (parts) => parts.every((part) => isIP(ADDRESS.exec(part)?.slice(1).find(Boolean) ?? '') !== 0),
  'must be ip:port, ...',
);

const text = z.string();
export const place = z
  .string()
  .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'must be lower case letters, digits and single dashes');
const isPlace = (text: string): boolean => place.safeParse(text).success;

/** `<region>=<zone>,<zone>;<region>=...` */
const regions = z.string().transform((text, context): readonly Region[] => {
  const parts = text.split(';').map((part) => part.trim().split('='));
  const found = parts.map(([regionId = '', zones = '']): Region => ({ regionId, zoneIds: zones.split(/\s*,\s*/) }));
  const isSound = parts.every(({ length }) => length === 2) && idsOf(found).every(isPlace);
  if (!isSound) context.addIssue('must be region=zone,zone;...');
  return found;
});

const idsOf = (found: readonly Region[]): readonly string[] =>
  found.flatMap(({ regionId, zoneIds }) => [regionId, ...zoneIds]);

const domain = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/, 'must be a domain name in lower case');

const count = (most: number, least = 1) => z.coerce.number<string>().int().min(least).max(most).optional();

/** Each VPC with name servers has so many ports in a row: for clients in any zone, and for those in each zone. */
export const portsPerVpc = 16;

/** What every service is told. A service spreads it into its own fields. */
export const serviceConfig = {
  region: env('PRIVATELINK_REGION', place),
  zones: env('PRIVATELINK_ZONES', list.refine((zones) => zones.every(isPlace), 'must be zone ids').readonly()),
  /** Regions besides, in which VPCs may be and from which a service may take endpoints. */
  otherRegions: env('PRIVATELINK_OTHER_REGIONS', regions.default([]), (found, environment) => {
    const own = [environment['PRIVATELINK_REGION'], ...(environment['PRIVATELINK_ZONES'] ?? '').split(',')];
    const ids = [...new Set(own.map((id) => id?.trim())), ...idsOf(found)];
    return new Set(ids).size < ids.length ? 'must name each region and zone once' : undefined;
  }),
  eventStore: env('PRIVATELINK_EVENT_STORE', text),
  postgres: env('PRIVATELINK_POSTGRES', text),
  nats: env('PRIVATELINK_NATS', text),
  jwksFile: env('PRIVATELINK_JWKS_FILE', text),
  tokenFile: env('PRIVATELINK_TOKEN_FILE', text),
  tokenSecretFile: env('PRIVATELINK_TOKEN_SECRET_FILE', text),
  grpcListen: env('PRIVATELINK_GRPC_LISTEN', address),
  /** Where metrics are given, to whoever asks; nowhere unless said. */
  metricsListen: env('PRIVATELINK_METRICS_LISTEN', address.optional()),
  /** A collector of traces, by OpenTelemetry's own variables; without it nothing is traced. */
  traces: {
    endpoint: env(
      'OTEL_EXPORTER_OTLP_ENDPOINT',
      z.url({ protocol: /^https?$/, error: 'must be an http(s) URL' }).optional(),
    ),
    ratio: env('OTEL_TRACES_SAMPLER_ARG', z.coerce.number<string>().min(0).max(1).default(1)),
  },
  addresses: {
    provider: env('PRIVATELINK_PROVIDER', addresses),
    consumer: env('PRIVATELINK_CONSUMER', addresses),
    broker: env('PRIVATELINK_BROKER', addresses),
    dns: env('PRIVATELINK_DNS', addresses),
  },
  /** How traffic is forwarded: by zone agents in one of their modes, or not at all. */
  forwarding: env('PRIVATELINK_FORWARDING', z.enum(['loopback', 'namespaces', 'none']).default('loopback')),
  dnsListen: env('PRIVATELINK_DNS_LISTEN', address.optional()),
  /** First address at which VPCs are answered by their own names; without it none is. */
  dnsVpcListen: env('PRIVATELINK_DNS_VPC_LISTEN', address.optional()),
  /** How many VPCs at once, of all accounts and of one. */
  dnsVpcs: env('PRIVATELINK_DNS_VPCS', count(4_000).default(100)),
  dnsVpcsPerAccount: env('PRIVATELINK_DNS_VPCS_PER_ACCOUNT', count(4_000).default(20)),
  dnsSuffix: env('PRIVATELINK_DNS_SUFFIX', domain.default('privatelink.internal')),
  /** Resolvers that are asked for the proof of a custom domain; this machine's own where none is named. */
  txtResolvers: env('PRIVATELINK_TXT_RESOLVERS', resolvers.optional()),
  serviceNamePrefix: env('PRIVATELINK_SERVICE_NAME_PREFIX', domain.default('com.privatelink')),
  instance: env('PRIVATELINK_INSTANCE', text),
  logLevel: env('PRIVATELINK_LOG_LEVEL', z.enum(logLevels).default('info')),
  /** Whether gRPC reflection asks for a token. */
  reflection: env('PRIVATELINK_REFLECTION', z.enum(['token', 'open']).default('token')),
  /** How often a proven custom domain is looked at again. */
  recheckDomainsMs: env(
    'PRIVATELINK_RECHECK_DOMAINS_MS',
    z.coerce.number<string>().int().positive().max(2_000_000_000).default(86_400_000),
  ),
  /** How old a claim for an endpoint that was not created must be before it is given back. */
  settleAfterMs: env('PRIVATELINK_SETTLE_AFTER_MS', z.coerce.number<string>().int().positive().default(60_000)),
  /** Where they differ from what the services go by. */
  quotas: {
    services: env('PRIVATELINK_QUOTA_SERVICES', count(10_000)),
    endpointsPerService: env('PRIVATELINK_QUOTA_ENDPOINTS_PER_SERVICE', count(100_000)),
    resourcesPerService: env('PRIVATELINK_QUOTA_RESOURCES_PER_SERVICE', count(1_000)),
    resourcesPerZone: env('PRIVATELINK_QUOTA_RESOURCES_PER_ZONE', count(1_000)),
    resourcesAtCreation: env('PRIVATELINK_QUOTA_RESOURCES_AT_CREATION', count(100)),
    serviceUsers: env('PRIVATELINK_QUOTA_SERVICE_USERS', count(10_000)),
    crossRegionMbps: env('PRIVATELINK_QUOTA_CROSS_REGION_MBPS', count(50_000, 100)),
    endpointsPerVpc: env('PRIVATELINK_QUOTA_ENDPOINTS_PER_VPC', count(10_000)),
    zonesPerEndpoint: env('PRIVATELINK_QUOTA_ZONES_PER_ENDPOINT', count(10)),
    securityGroupsPerEndpoint: env('PRIVATELINK_QUOTA_SECURITY_GROUPS_PER_ENDPOINT', count(10)),
  },
  failpoints: env('PRIVATELINK_FAILPOINTS', text.optional(), (value, environment) =>
    value !== undefined && environment['PRIVATELINK_TEST_RUN'] !== '1' ? 'is for test runs only' : undefined,
  ),
};

export type ServiceConfig = ConfigOf<typeof serviceConfig>;

/** These, but for those that the configuration says. */
export const withGiven = <T extends Readonly<Record<string, number>>>(
  known: T,
  given: Readonly<Record<keyof T, number | undefined>>,
): T =>
  Object.fromEntries(Object.entries(known).map(([name, value]) => [name, given[name] ?? value])) as Record<
    keyof T,
    number
  > as T;
