import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { PORTS } from './traffic-network.ts';
import { type Program, runProgram, within } from './traffic-program.ts';

/** A kind of traffic that is measured. */
export type Load = Readonly<{
  kind: keyof typeof PORTS;
  unit: string;
  /** How it is made, for the reader. */
  how: string;
  /** What has to listen for it in the server's namespace, unless the HTTP server does. */
  listener: Program | null;
  /** @returns how much of it got there from the namespace, in the unit */
  measure: (namespace: string, host: string, seconds: number, signal: AbortSignal) => Promise<number>;
}>;

const AT_A_TIME = 16;
const GIGA = 1e9;

const isInstalled = (program: string): boolean => spawnSync(program, ['-v']).error === undefined;

/** By iperf3 and wrk where they are installed. */
export const chooseLoads = (): readonly Load[] => [
  isInstalled('iperf3') ? iperf3 : throughputByNode,
  isInstalled('wrk') ? wrk : connectionsByNode,
];

const iperf3: Load = {
  kind: 'throughput',
  unit: 'Gbit/s',
  how: 'iperf3, one flow',
  listener: ['iperf3', '--server', '--forceflush', '--port', String(PORTS.throughput)],
  measure: async (namespace, host, seconds, signal) => {
    const words = ['--client', host, '--port', String(PORTS.throughput), '--time', String(seconds), '--json'];
    const { end } = JSON.parse(await runProgram(within(namespace, ['iperf3', ...words]), signal));
    return end.sum_received.bits_per_second / GIGA;
  },
};

const wrk: Load = {
  kind: 'connections',
  unit: 'per second',
  how: `wrk, ${AT_A_TIME} at a time, one HTTP request each`,
  listener: null,
  measure: async (namespace, host, seconds, signal) => {
    const words = ['--threads', '1', '--connections', String(AT_A_TIME), '--duration', `${seconds}s`];
    const url = `http://${host}:${PORTS.connections}/`;
    const program: Program = ['wrk', ...words, '--header', 'Connection: close', url];
    const said = await runProgram(within(namespace, program), signal);
    const rate = Number(/^Requests\/sec:\s+([\d.]+)/m.exec(said)?.[1]);
    if (/Socket errors|Non-2xx/.test(said) || !(rate > 0)) throw new Error(`not all requests were answered: ${said}`);
    return rate;
  },
};

const byNode = (...words: readonly string[]): Program => [
  process.execPath,
  fileURLToPath(new URL('traffic-generator.ts', import.meta.url)),
  ...words,
];

const throughputByNode: Load = {
  kind: 'throughput',
  unit: 'Gbit/s',
  how: 'Node, one flow: iperf3 is not installed, and Node limits what is measured (apt-get install iperf3)',
  listener: byNode('sink', String(PORTS.throughput)),
  measure: async (namespace, host, seconds, signal) => {
    const program = byNode('send', String(PORTS.throughput), host, String(seconds));
    return Number(await runProgram(within(namespace, program), signal)) / GIGA;
  },
};

const connectionsByNode: Load = {
  kind: 'connections',
  unit: 'per second',
  how: `Node, ${AT_A_TIME} at a time: wrk is not installed, and Node limits what is measured (apt-get install wrk)`,
  listener: null,
  measure: async (namespace, host, seconds, signal) => {
    const program = byNode('knock', String(PORTS.connections), host, String(seconds), String(AT_A_TIME));
    return Number(await runProgram(within(namespace, program), signal));
  },
};
