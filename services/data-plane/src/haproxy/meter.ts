import { randomUUID } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Counters, NoAnswer, readCounters, readInfo, readProcesses } from './cli.ts';
import { type HeldCli, holdCli } from './held-cli.ts';
import type { Master } from './master.ts';
import { WORKER_SOCKET } from './render.ts';

/** A worker, which has begun to count at zero. */
export type Run = Readonly<{
  id: string;
  /** The worker has ended: this is what it counted at last, as far as it was read. */
  isOver: boolean;
  /** By connection id; those with nothing to count are not there. */
  counters: ReadonlyMap<string, Counters>;
}>;

/** What HAProxy counts in its directory, whoever reads it. */
export type Meter = Readonly<{
  /** Of the directory, for good. */
  id: () => Promise<string>;
  /** What all workers have counted by now; null: that is not known of each of them. */
  look: () => Promise<readonly Run[] | null>;
  /** Of those that are over: they are not told again. */
  forget: (runIds: ReadonlySet<string>) => void;
  /** A worker that is about to be replaced does not end before all that it has counted was read. */
  hold: (worker: number) => Promise<void>;
}>;

const COMMANDS = ['show info', 'show stat -1 3 -1'] as const;
const ID = /^[0-9a-f-]{36}$/;

type Known = Run & Readonly<{ pid: number }>;

export const createMeter = (dir: string, { cli }: Pick<Master, 'cli'>): Meter => {
  const idFile = join(dir, 'meter');
  const known = new Map<string, Known>();
  const held = new Map<number, HeldCli>();
  let looking: Promise<unknown> = Promise.resolve();

  const ask = async (pid: number): Promise<string | null> => {
    try {
      const hold = held.get(pid);
      if (!hold) return await cli(...COMMANDS.map((command) => `@!${pid} ${command}`));
      let answers = '';
      for (const command of COMMANDS) answers += await hold.ask(command);
      return answers;
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
      held.delete(pid);
      return null;
    }
  };

  const release = (pid: number): void => {
    held.get(pid)?.close();
    held.delete(pid);
  };

  /** False when it is not known which run the worker is. */
  const read = async (pid: number): Promise<boolean> => {
    const answer = await ask(pid);
    const info = answer === null ? null : readInfo(answer);
    if (answer === null || info?.pid !== pid) return [...known.values()].some((run) => run.pid === pid && !run.isOver);
    const id = `${info.startedAt}-${pid}`;
    const counters = readCounters(answer);
    known.set(id, { id, pid, isOver: false, counters });
    // It accepts nothing more, and this was all of it.
    if (info.stopping && [...counters.values()].every(({ openFlows }) => openFlows === 0n)) release(pid);
    return true;
  };

  const lookOnce = async (): Promise<readonly Run[] | null> => {
    const processes = await cli('show proc').then(readProcesses, unlessSilent);
    if (!processes?.worker) return null;
    const pids = [processes.worker, ...processes.former];
    let isComplete = true;
    for (const pid of pids) isComplete = (await read(pid)) && isComplete;
    for (const run of known.values()) {
      if (pids.includes(run.pid)) continue;
      known.set(run.id, { ...run, isOver: true });
      release(run.pid);
    }
    return isComplete ? [...known.values()] : null;
  };

  return {
    id: async () => {
      const found = await readFile(idFile, 'utf8').catch(() => '');
      if (ID.test(found)) return found;
      const id = randomUUID();
      await writeFile(`${idFile}.next`, id, { mode: 0o600 });
      await rename(`${idFile}.next`, idFile);
      return id;
    },
    // One after the other: a worker that has come since somebody asked which there are is not over.
    look: () => {
      const look = looking.then(lookOnce, lookOnce);
      looking = look;
      return look;
    },
    forget: (runIds) => {
      for (const id of runIds) known.delete(id);
    },
    hold: async (worker) => {
      if (held.has(worker)) return;
      const hold = holdCli(join(dir, WORKER_SOCKET));
      const info = await hold.ask('show info').then(readInfo, unlessSilent);
      if (info?.pid === worker) held.set(worker, hold);
      else hold.close();
    },
  };
};

const unlessSilent = (error: unknown): null => {
  if (error instanceof NoAnswer) return null;
  throw error;
};
