import { eventStoreServer } from './event-store-server.ts';
import { natsServer } from './nats.ts';
import type { PortPlan } from './ports.ts';
import { postgresServer } from './postgres.ts';
import type { Program } from './program.ts';
import type { RunFile } from './run-file.ts';
import type { Servers } from './service-environment.ts';

/** The variables that name servers one already has, by the part they stand for. */
const externalVariables = {
  'event-store': 'PRIVATELINK_EVENT_STORE',
  nats: 'PRIVATELINK_NATS',
  postgres: 'PRIVATELINK_POSTGRES',
} as const;

export type ServerName = keyof typeof externalVariables;

/** A server beside the services: the program that runs it when it is embedded, and where it is. */
type Part<Run> = { readonly program?: Program; readonly url: string; readonly run: Run };

/** All servers beside the services. */
export type ServerParts = {
  readonly programs: readonly Program[];
  readonly servers: Servers;
  readonly run: Pick<RunFile, 'eventStore' | 'nats' | 'postgres'>;
};

/** The address of a server that the caller has already, if so. */
export const externalServer = (env: NodeJS.ProcessEnv, name: ServerName): string | undefined =>
  env[externalVariables[name]] || undefined;

/** Prepares the embedded servers, except those that the environment names. */
export async function openServers(dataDir: string, ports: PortPlan, env: NodeJS.ProcessEnv): Promise<ServerParts> {
  const place = (name: ServerName) => ({ dataDir, port: ports[name][0] ?? 0 });
  const given = (name: ServerName): Part<{ url: string }> | undefined => {
    const url = externalServer(env, name);
    return url === undefined ? undefined : { url, run: { url } };
  };
  const eventStore = given('event-store') ?? part(eventStoreServer(place('event-store')));
  const nats = given('nats') ?? (await natsPart(place('nats')));
  const postgres = given('postgres') ?? part(await postgresServer(place('postgres')));
  return {
    programs: [eventStore, nats, postgres].flatMap(({ program }) => program ?? []),
    servers: { eventStore: eventStore.url, nats: nats.url, postgres: postgres.url },
    run: { eventStore: eventStore.run, nats: nats.run, postgres: postgres.run },
  };
}

const part = ({ program, url }: { program: Program; url: string }): Part<{ url: string }> => ({
  program,
  url,
  run: { url },
});

/** The services get their credentials in the address; the run file names those for others. */
async function natsPart(place: { dataDir: string; port: number }): Promise<Part<RunFile['nats']>> {
  const { program, url, credentials } = await natsServer(place);
  const { service, subscriber, billing } = credentials;
  return {
    program,
    url: url.replace('://', `://${service?.user}:${service?.password}@`),
    run: { url, ...(subscriber && { subscriber }), ...(billing && { billing }) },
  };
}
