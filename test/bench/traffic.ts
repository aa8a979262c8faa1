import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@privatelink/shared/runtime/clock';
import { createLog } from '@privatelink/shared/runtime/log';
import { createEngine } from '../../services/data-plane/src/haproxy/engine.ts';
import { hasNamespaces } from '../../services/data-plane/src/testing/network-namespaces.ts';
import { BenchError } from './bench-error.ts';
import { measureChanges } from './traffic-changes.ts';
import { chooseLoads } from './traffic-load.ts';
import { makeNetwork, removeNetwork } from './traffic-network.ts';
import { measurePaths, openPaths } from './traffic-paths.ts';
import { describeMachine, report } from './traffic-report.ts';

/**
 * What traffic through an endpoint costs, beside traffic that goes directly and traffic through a HAProxy configuration
 * written by hand; and how long HAProxy takes to do one change.
 */
export const traffic = async (): Promise<string> => {
  const binary = process.env['PRIVATELINK_HAPROXY'] || 'haproxy';
  const [missing] = missingParts(binary);
  if (missing) throw new BenchError(`traffic needs ${missing}`, 2);
  const interrupted = new AbortController();
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  const interrupt = (signal: NodeJS.Signals): void =>
    interrupted.abort(new BenchError(`interrupted by ${signal}`, 128 + constants.signals[signal]));
  for (const signal of signals) process.on(signal, interrupt);
  try {
    return await measure(binary, interrupted.signal);
  } finally {
    for (const signal of signals) process.off(signal, interrupt);
  }
};

const missingParts = (binary: string): readonly string[] => {
  if (!hasNamespaces) return ['root on Linux: it makes network namespaces'];
  const lacks = (program: string, flag: string): boolean => spawnSync(program, [flag]).status !== 0;
  return [...(lacks('ip', '-V') ? ['ip (iproute2)'] : []), ...(lacks(binary, '-v') ? ['HAProxy'] : [])];
};

const measure = async (binary: string, signal: AbortSignal): Promise<string> => {
  const machine = describeMachine(binary);
  await using made = new AsyncDisposableStack();
  const dir = await mkdtemp(join(tmpdir(), 'privatelink-bench-'));
  made.defer(() => rm(dir, { recursive: true, force: true }));
  made.defer(() => insist(removeNetwork));
  const log = createLog({ service: 'bench', instance: 'bench', level: 'warn' }, process.stderr);
  const engine = createEngine({ binary, dir: join(dir, 'engine'), log, clock: systemClock });
  made.defer(() => insist(engine.stop));
  const loads = chooseLoads();
  try {
    const network = await makeNetwork();
    const paths = await openPaths({ binary, dir, engine, network, loads, made, signal });
    const costs = await measurePaths(paths, loads, network, signal);
    const changes = await measureChanges(engine, network, signal);
    return report({ machine, loads, costs, changes });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
};

/** Ctrl-C also reaches the small programs by which something is taken down. */
const insist = async (work: () => Promise<void>, attempts = 3): Promise<void> => {
  try {
    await work();
  } catch (error) {
    if (attempts === 1) throw error;
    await insist(work, attempts - 1);
  }
};
