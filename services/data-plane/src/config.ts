import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join, resolve } from 'node:path';
import { type ConfigOf, env, place, serviceConfig } from '@privatelink/shared/runtime/config';
import { z } from 'zod';
import { parseLoopbackRange } from './modes/loopback.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** The sockets in it have names that a system keeps in little more than 100 bytes. */
const MAX_DIRECTORY_BYTES = 88;

const loopbackRange = z.string().transform((text, context) => {
  const range = parseLoopbackRange(text);
  if (range) return range;
  context.addIssue('must be a range in 127.0.0.0/8 of at most 29 bits');
  return z.NEVER;
});

/** What a zone agent is told. */
export const agentConfig = {
  instance: serviceConfig.instance,
  logLevel: serviceConfig.logLevel,
  tokenFile: serviceConfig.tokenFile,
  jwksFile: serviceConfig.jwksFile,
  grpcListen: serviceConfig.grpcListen,
  metricsListen: serviceConfig.metricsListen,
  traces: serviceConfig.traces,
  addresses: { broker: serviceConfig.addresses.broker },
  reflection: serviceConfig.reflection,
  zone: env('PRIVATELINK_ZONE', place),
  mode: env('PRIVATELINK_FORWARDING', z.enum(['loopback', 'namespaces']).default('loopback'), (mode, environment) =>
    mode === 'namespaces' ? whyNoNamespaces(environment) : undefined,
  ),
  haproxy: env('PRIVATELINK_HAPROXY', z.string().default('haproxy'), (binary, environment) =>
    isProgram(binary, environment) ? undefined : `${binary} is not a program on PATH`,
  ),
  directory: env(
    'PRIVATELINK_AGENT_DIR',
    z
      .string()
      .transform((path) => resolve(path))
      .refine(
        (path) => Buffer.byteLength(path) <= MAX_DIRECTORY_BYTES,
        `must have at most ${MAX_DIRECTORY_BYTES} bytes`,
      ),
  ),
  loopbackRange: env('PRIVATELINK_LOOPBACK_CIDR', z.string().default('127.64.0.0/10').pipe(loopbackRange)),
  onStop: env('PRIVATELINK_HAPROXY_ON_STOP', z.enum(['keep', 'stop']).default('keep')),
};

export type AgentConfig = ConfigOf<typeof agentConfig>;

const whyNoNamespaces = (environment: Environment): string | undefined => {
  if (process.platform !== 'linux') return 'cannot be namespaces: only Linux has them';
  if (process.getuid?.() !== 0) return 'cannot be namespaces: only root may enter them';
  return isProgram('ip', environment) ? undefined : 'cannot be namespaces: ip (iproute2) is not a program on PATH';
};

const isProgram = (name: string, environment: Environment): boolean => {
  const places = name.includes('/') || isAbsolute(name) ? [''] : (environment['PATH'] ?? '').split(delimiter);
  return places.some((directory) => isExecutable(join(directory, name)));
};

const isExecutable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
};
