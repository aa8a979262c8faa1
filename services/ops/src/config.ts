import { address, addresses, type ConfigOf, env, serviceConfig } from '@privatelink/shared/runtime/config';
import { z } from 'zod';

const origin = z
  .string()
  .refine((text) => URL.canParse(text) && new URL(text).origin === text, 'must be an origin as in https://ops.example');

/** What the operators' service is told. It knows no event store: what it shows is what the others announce. */
export const opsConfig = {
  region: serviceConfig.region,
  zones: serviceConfig.zones,
  otherRegions: serviceConfig.otherRegions,
  postgres: serviceConfig.postgres,
  nats: serviceConfig.nats,
  jwksFile: serviceConfig.jwksFile,
  tokenFile: serviceConfig.tokenFile,
  tokenSecretFile: serviceConfig.tokenSecretFile,
  grpcListen: serviceConfig.grpcListen,
  addresses: serviceConfig.addresses,
  instance: serviceConfig.instance,
  logLevel: serviceConfig.logLevel,
  reflection: serviceConfig.reflection,
  metricsListen: serviceConfig.metricsListen,
  httpListen: env('PRIVATELINK_OPS_HTTP_LISTEN', address),
  /** Under which browsers reach it; where it listens, unless said otherwise. */
  origin: env('PRIVATELINK_OPS_ORIGIN', origin.optional()),
  /** The built pages; without them there is the API alone. */
  webDir: env('PRIVATELINK_OPS_WEB_DIR', z.string().optional()),
  /** Where one-time login links are left, one file each. */
  loginDir: env('PRIVATELINK_OPS_LOGIN_DIR', z.string().optional()),
  /** Where zone agents, and the replicas of DNS, give their metrics; what is not said is not shown. */
  agentMetrics: env('PRIVATELINK_OPS_AGENT_METRICS', addresses.optional()),
  dnsMetrics: env('PRIVATELINK_OPS_DNS_METRICS', addresses.optional()),
};

export type OpsConfig = ConfigOf<typeof opsConfig>;
