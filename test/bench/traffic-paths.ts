import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { waitUntil } from '@privatelink/embedded/wait-until';
import type { Engine } from '../../services/data-plane/src/haproxy/engine.ts';
import type { Forward } from '../../services/data-plane/src/haproxy/forward.ts';
import { requestFrom } from '../../services/data-plane/src/testing/in-namespace.ts';
import type { Load } from './traffic-load.ts';
import { type Network, PORTS, SERVER_DIRECTLY, SERVER_IN_VPC } from './traffic-network.ts';
import { type Program, type Started, startProgram, within } from './traffic-program.ts';

export const ROUNDS = 7;
export const SECONDS = 2;
const READY_WITHIN_MS = 20_000;

const ENDPOINT = '10.0.0.5';
const HAND_WRITTEN = '10.0.0.6';

/** Ways from the client to the server, by the address that the client dials. */
export type Paths = Readonly<{ direct: string; handWritten: string; endpoint: string }>;
export type PathName = keyof Paths;

/** What got through in each round. */
export type Samples = Readonly<Record<PathName, readonly number[]>>;
export type Costs = Readonly<Record<Load['kind'], Samples>>;

/** What an operator would write who knows the addresses. */
const handWrittenConfig = ({ consumerVpc, providerVpc }: Network): string => `
global
  maxconn 2000
defaults
  mode tcp
  timeout connect 5s
  timeout client 5m
  timeout server 5m
${Object.values(PORTS)
  .map(
    (port) => `listen port-${port}
  bind ${HAND_WRITTEN}:${port} namespace ${consumerVpc}
  server one ${SERVER_IN_VPC}:${port} namespace ${providerVpc}
`,
  )
  .join('')}`;

/** The cheapest HTTP server at hand. One thread, so that it is the same beside one HAProxy or none. */
const httpServerConfig = `
global
  nbthread 1
  maxconn 2000
frontend http
  mode http
  timeout client 5m
  bind 0.0.0.0:${PORTS.connections}
  http-request return status 200 content-type text/plain string ok
`;

export const forwardFor = (network: Network, connectionId: string, host: string, port: number): Forward => ({
  ...{ connectionId, port },
  binds: [{ host, port, namespace: network.consumerVpc }],
  targets: [{ ip: SERVER_IN_VPC, port }],
  targetNamespace: network.providerVpc,
  source: null,
  proxyProtocol: false,
  ingress: null,
});

type Means = Readonly<{
  binary: string;
  dir: string;
  engine: Engine;
  network: Network;
  loads: readonly Load[];
  /** Where everything goes that has to be ended. */
  made: AsyncDisposableStack;
  signal: AbortSignal;
}>;

/** Starts the servers and both HAProxies; resolves when a request goes each way. */
export const openPaths = async ({ binary, dir, engine, network, loads, made, signal }: Means): Promise<Paths> => {
  const servers: Started[] = [];
  const start = async (program: Program): Promise<Started> => {
    const server = await startProgram(program);
    made.defer(server.stop);
    servers.push(server);
    return server;
  };
  const haproxy = async (name: string, config: string): Promise<Program> => {
    const file = join(dir, `${name}.cfg`);
    await writeFile(file, config);
    return [binary, '-db', '-f', file];
  };
  for (const { listener } of loads) {
    if (listener) await (await start(within(network.server, listener))).line(/listening/i);
  }
  await start(within(network.server, await haproxy('http-server', httpServerConfig)));
  await network.addInterfaces([ENDPOINT, HAND_WRITTEN]);
  await start(await haproxy('hand-written', handWrittenConfig(network)));
  const forwards = Object.values(PORTS).map((port) => forwardFor(network, 'ep-bench', ENDPOINT, port));
  const { refused } = await engine.apply(forwards);
  for (const { reason } of refused) throw new Error(reason);
  const paths = { direct: SERVER_DIRECTLY, handWritten: HAND_WRITTEN, endpoint: ENDPOINT };
  for (const host of Object.values(paths)) {
    const isAnswered = async (): Promise<boolean> => {
      for (const { assertRuns } of servers) assertRuns();
      return (await requestFrom(network.client, host, PORTS.connections)) === 'ok';
    };
    await waitUntil(isAnswered, AbortSignal.any([signal, AbortSignal.timeout(READY_WITHIN_MS)]));
  }
  return paths;
};

/** Each round goes all ways, beginning with another one. */
export const measurePaths = async (
  paths: Paths,
  loads: readonly Load[],
  { client }: Network,
  signal: AbortSignal,
): Promise<Costs> => {
  const empty = () => ({ direct: [] as number[], handWritten: [] as number[], endpoint: [] as number[] });
  const costs = { throughput: empty(), connections: empty() };
  const names = ['direct', 'handWritten', 'endpoint'] as const;
  for (let round = 0; round <= ROUNDS; round++) {
    const isWarmUp = round === 0;
    process.stderr.write(isWarmUp ? 'warming up\n' : `round ${round} of ${ROUNDS}\n`);
    for (const { kind, measure } of loads) {
      for (let turn = 0; turn < names.length; turn++) {
        const name = names[(round + turn) % names.length] ?? 'direct';
        const rate = await measure(client, paths[name], isWarmUp ? 1 : SECONDS, signal);
        if (!isWarmUp) costs[kind][name].push(rate);
      }
    }
  }
  return costs;
};
