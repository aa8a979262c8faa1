import {
  Server,
  ServerCredentials,
  type ServerOptions,
  type ServiceDefinition,
  setLogger,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { Logger } from 'pino';
import type { Address } from '../runtime/config.ts';
import { StartupError } from '../runtime/startup-error.ts';
import { accessOf } from './access.ts';
import { createHealth } from './health.ts';
import { createInterceptor, type Unlisted } from './interceptor.ts';
import { limitedDefinition, MAX_REQUEST_BYTES } from './limited-definition.ts';
import { createReflection } from './reflection.ts';
import type { Foresee } from './running-call.ts';
import { type ErrorCatalogue, errorFunnel } from './status.ts';
import type { TokenVerifier } from './tokens.ts';

export type GrpcServerOptions = Readonly<{
  /** Short name, the first part of the errors' domain: `provider`. */
  service: string;
  /** Port 0 takes a free one. */
  listen: Address;
  services: readonly Readonly<{ definition: ServiceDefinition; implementation: UntypedServiceImplementation }>[];
  catalogue: ErrorCatalogue;
  verifier: TokenVerifier;
  /** For dry runs; nothing when not said. */
  foresee?: Foresee | undefined;
  log: Logger;
  /** Reflection asks for a valid token of any role, unless `open`. */
  reflection?: Unlisted;
}>;

export type GrpcServer = Readonly<{
  port: number;
  /** What health says; true from the start. */
  setServing: (serving: boolean) => void;
  /** Not serving; streams end with UNAVAILABLE; running calls have `graceMs` to end, then they are cut off. */
  stop: (graceMs: number) => Promise<void>;
}>;

const serverOptions: ServerOptions = {
  // Our own limit answers with a reason; this one keeps what is far beyond it out of memory.
  'grpc.max_receive_message_length': 4 * MAX_REQUEST_BYTES,
  'grpc.max_send_message_length': 4 * MAX_REQUEST_BYTES,
  'grpc.max_concurrent_streams': 1_000,
  'grpc.keepalive_time_ms': 30_000,
  'grpc.keepalive_timeout_ms': 10_000,
};

/**
 * Serves with everything that every service needs: token, role and deadline before the handler, typed errors, one log
 * line per call, health and reflection. Health is open to everybody who reaches the port and tells nothing else.
 *
 * @throws StartupError when the address is taken
 */
export const startGrpcServer = async (options: GrpcServerOptions): Promise<GrpcServer> => {
  const { services, log, verifier, reflection = 'token' } = options;
  // grpc-js repeats as a line of its own what it also throws.
  setLogger({ error: (...args: unknown[]) => log.debug({ args }, 'grpc-js') });
  const methods = new Map(services.flatMap(({ definition }) => Object.values(definition).map((m) => [m.path, m])));
  for (const path of methods.keys()) {
    if (!accessOf(path.slice(1))) throw new Error(`${path} has no row in the access table`);
  }
  const interceptor = createInterceptor({
    methods,
    unlisted: (path) => (path.startsWith('/grpc.health.v1.') ? 'open' : reflection),
    verifier,
    foresee: options.foresee ?? (async () => undefined),
    funnel: errorFunnel(options.service, options.catalogue, log),
    log,
  });
  const server = new Server({ ...serverOptions, interceptors: [interceptor.intercept] });
  const names = [...new Set([...methods.keys()].map((path) => path.split('/')[1] ?? ''))];
  const health = createHealth(names);
  health.addToServer(server);
  for (const { definition, implementation } of services) {
    server.addService(limitedDefinition(definition, log), implementation);
  }
  for (const { definition, implementation } of createReflection(names)) server.addService(definition, implementation);
  const port = await bind(server, options.listen);
  health.setServing(true);

  return {
    port,
    setServing: health.setServing,
    stop: async (graceMs) => {
      health.setServing(false);
      const closed = Promise.withResolvers<void>();
      server.tryShutdown(() => closed.resolve());
      interceptor.endStreams();
      const grace = setTimeout(() => {
        log.warn({ graceMs }, 'calls are cut off');
        server.forceShutdown();
        closed.resolve();
      }, graceMs);
      await closed.promise;
      clearTimeout(grace);
    },
  };
};

const bind = async (server: Server, { host, port }: Address): Promise<number> => {
  const place = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  const bound = Promise.withResolvers<number>();
  server.bindAsync(place, ServerCredentials.createInsecure(), (error, found) => {
    if (error) bound.reject(new StartupError(`cannot listen on ${place}: ${why(error)}`, { cause: error }));
    else bound.resolve(found);
  });
  return bound.promise;
};

const why = ({ message }: Error): string =>
  message.includes('EADDRINUSE') ? 'the port is in use by another process' : message;
