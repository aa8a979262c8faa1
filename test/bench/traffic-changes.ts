import type { Engine } from '../../services/data-plane/src/haproxy/engine.ts';
import type { Forward } from '../../services/data-plane/src/haproxy/forward.ts';
import { requestFrom } from '../../services/data-plane/src/testing/in-namespace.ts';
import { type Network, PORTS } from './traffic-network.ts';
import { forwardFor } from './traffic-paths.ts';
import { startProgram, within } from './traffic-program.ts';

export const CHANGE_ROUNDS = 7;
const SIZES = [1, 100, 1_000];

/** Milliseconds that one change took in each round, beside so many endpoints that stay. */
export type Changes = Readonly<{
  endpoints: number;
  /** Until a new endpoint accepts connections. */
  opened: readonly number[];
  /** Until an established flow of an endpoint that goes is cut. */
  cut: readonly number[];
  /** Until that is known: nothing is accepted any more, and no flow is left. */
  closed: readonly number[];
}>;

/** Opens one endpoint and closes it again, with an established flow, beside 1, 100 and 1,000 others. */
export const measureChanges = async (
  engine: Engine,
  network: Network,
  signal: AbortSignal,
): Promise<readonly Changes[]> => {
  const most = Math.max(...SIZES);
  const hosts = Array.from(
    { length: most + 1 },
    (_, index) => `10.0.${10 + Math.floor(index / 250)}.${1 + (index % 250)}`,
  );
  await network.addInterfaces(hosts);
  const forwards = hosts.map((host, index) => forwardFor(network, `ep-${index}`, host, PORTS.connections));
  const [changing, ...others] = forwards;
  const host = hosts[0];
  if (!changing || !host) throw new Error('there is nothing to change');

  const apply = async (wanted: readonly Forward[]): Promise<void> => {
    signal.throwIfAborted();
    const { refused } = await engine.apply(wanted);
    for (const { reason } of refused) throw new Error(reason);
  };
  const changes: Changes[] = [];
  for (const endpoints of SIZES) {
    process.stderr.write(`changes beside ${endpoints}\n`);
    const staying = others.slice(0, endpoints);
    await apply(staying);
    const [opened, cut, closed]: [number[], number[], number[]] = [[], [], []];
    for (let round = 0; round < CHANGE_ROUNDS; round++) {
      const opening = now();
      await apply([...staying, changing]);
      opened.push(now() - opening);
      const flow = await openFlow(network.client, host);
      try {
        const closing = now();
        await apply(staying);
        closed.push(now() - closing);
        cut.push((await flow.cutAt()) - closing);
      } finally {
        await flow.stop();
      }
      const answer = await requestFrom(network.client, host, PORTS.connections);
      if (answer !== 'ECONNREFUSED') throw new Error(`a closed endpoint is not refused: ${answer}`);
    }
    changes.push({ endpoints, opened, cut, closed });
  }
  return changes;
};

/** Milliseconds of the clock that all processes of the machine share. */
const now = (): number => Number(process.hrtime.bigint()) / 1e6;

const CLIENT = `
  const [host, port] = process.argv.slice(1);
  const socket = require('node:net').connect({ host, port }, () => socket.write('GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n'));
  socket.once('data', () => console.log('established'));
  socket.on('error', () => {});
  socket.once('close', () => console.log('cut at ' + Number(process.hrtime.bigint()) / 1e6));
`;

/** A flow that has been answered once and stays. */
const openFlow = async (namespace: string, host: string) => {
  const words = ['--eval', CLIENT, '--', host, String(PORTS.connections)];
  const { line, stop } = await startProgram(within(namespace, [process.execPath, ...words]));
  await line(/^established/);
  return { cutAt: async (): Promise<number> => Number((await line(/^cut at/)).slice('cut at '.length)), stop };
};
