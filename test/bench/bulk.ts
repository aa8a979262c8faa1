import { readdir, readFile } from 'node:fs/promises';
import { cpus, loadavg } from 'node:os';
import type { RunFile } from '@privatelink/embedded/run-file';
import { Payer } from '@privatelink/proto/common/v1/common';
import { openEventLog } from '../support/event-log.ts';
import { createEndpoints } from '../support/many-endpoints.ts';
import { publishService, reportPayment } from '../support/scenario.ts';
import { apiFor, startWorld } from '../support/world.ts';
import { BenchError } from './bench-error.ts';
import { followCounts } from './bulk-counts.ts';
import { round } from './statistics.ts';

const CONSUMER = '2000000000000002';
const ZONE = 'cn-hangzhou-h';
const CONNECTIONS = 10_000;
const PATIENCE_MS = 60_000;
const LOOK_EVERY_MS = 500;
/** As Linux has it wherever Node runs. */
const TICKS_PER_SECOND = 100;
const DOWN = ['HoldPlaced', 'DisconnectingStarted', 'ConnectionDisconnected'];
const UP = ['HoldLifted', 'ConnectingStarted', 'ConnectionEstablished'];

/**
 * All connections of one service go down because its bill is overdue, and come back when it is paid, counted from the
 * store: each exactly once.
 */
export const bulk = async (connections = CONNECTIONS): Promise<object> => {
  const load = loadavg().map((value) => round(value, 1));
  const world = await startWorld({ env: { PRIVATELINK_QUOTA_ENDPOINTS_PER_SERVICE: String(connections) } });
  const { run } = world.system;
  const provider = await apiFor(run, { account: '1000000000000001', roles: ['provider'], timeoutMs: PATIENCE_MS });
  const consumer = await apiFor(run, { account: CONSUMER, roles: ['consumer'], timeoutMs: PATIENCE_MS });
  const billing = await apiFor(run, { account: '', roles: ['billing'] });
  const counts = followCounts(run);
  const memory = watchMemory(run);
  try {
    const options = { autoAccept: true, payer: Payer.ENDPOINT_SERVICE, zones: [ZONE], users: [CONSUMER] };
    const log = openEventLog(run);
    const service = await publishService(provider, log, options).finally(log.close);
    const started = performance.now();
    await createEndpoints(consumer, [service], { count: connections, zone: ZONE });
    await counts.reached('ConnectionEstablished', connections);
    const createdMs = performance.now() - started;
    const created = counts.take(['ConnectionEstablished'], connections);

    const cycle = async (what: 'overdue' | 'settled', types: readonly string[]) => {
      const before = await processorSeconds(run);
      const begun = performance.now();
      await reportPayment(billing, what, service.serviceId);
      await counts.reached(types.at(-1) ?? '', connections);
      const seconds = (performance.now() - begun) / 1_000;
      const { wrong, events } = counts.take(types, connections);
      const perSecond = {
        statusChanges: Math.round((2 * connections) / seconds),
        events: Math.round(events / seconds),
      };
      const after = await processorSeconds(run);
      const each = Object.entries(after).map(([name, at]) => [name, at - (before[name] ?? 0)] as const);
      const perConnection = each.map(([name, used]) => [name, round((1_000 * used) / connections)] as const);
      return {
        ...{ seconds: round(seconds), perSecond, lostOrDoubled: wrong },
        processorSeconds: round(each.reduce((sum, [, used]) => sum + used, 0)),
        processorMsPerConnection: Object.fromEntries(perConnection),
      };
    };
    const overdue = await cycle('overdue', DOWN);
    const settled = await cycle('settled', UP);
    const lostOrDoubled = created.wrong + overdue.lostOrDoubled + settled.lostOrDoubled;
    const result = {
      machine: { processors: cpus().length, loadBefore: load },
      connections,
      created: { seconds: round(createdMs / 1_000), perSecond: round(connections / (createdMs / 1_000), 1) },
      ...{ overdue, settled, mostMemoryMiB: memory.most() },
    };
    if (lostOrDoubled > 0) throw new BenchError(`lost or doubled: ${JSON.stringify(result, null, 2)}`, 1);
    return result;
  } finally {
    memory.stop();
    await counts.close();
    for (const api of [provider, consumer, billing]) api.close();
    await world.stop();
  }
};

/**
 * Seconds of processor time that each of the system's processes has had, with its children (PostgreSQL works in those),
 * as Linux counts it; nothing elsewhere.
 */
const processorSeconds = async ({ processes }: RunFile): Promise<Readonly<Record<string, number>>> => {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  const all = await Promise.all(
    pids.map(async (pid) => {
      const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      // Its own, and that of its children that have ended.
      const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
      const seconds = ticks / TICKS_PER_SECOND;
      return { pid: Number(pid), parent: Number(fields[1] ?? 0), seconds };
    }),
  );
  const ofTree = (pid: number): number =>
    all.reduce((sum, one) => {
      const own = one.pid === pid ? one.seconds : 0;
      return sum + own + (one.parent === pid ? ofTree(one.pid) : 0);
    }, 0);
  return Object.fromEntries(processes.map(({ name, pid }) => [name, ofTree(pid)]));
};

/** Resident memory of each process of the system, as Linux says it; nothing elsewhere. */
const watchMemory = ({ processes }: RunFile) => {
  const most = new Map<string, number>();
  const look = async (): Promise<void> => {
    for (const { name, pid } of processes) {
      const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
      const kib = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0);
      most.set(name, Math.max(most.get(name) ?? 0, Math.round(kib / 1_024)));
    }
  };
  const timer = setInterval(() => void look(), LOOK_EVERY_MS);
  return { most: () => Object.fromEntries(most), stop: () => clearInterval(timer) };
};
