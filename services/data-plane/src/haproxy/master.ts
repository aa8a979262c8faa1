import { spawn } from 'node:child_process';
import { open, readFile, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '@privatelink/shared/eventing/ports';
import { type Cli, createCli, NoAnswer, type Processes, readInfo, readProcesses } from './cli.ts';
import { awaitStopping } from './closing.ts';
import { type HaproxyProgram, haproxyEnvironment } from './probe.ts';
import { findProcesses, isRunning, killAll } from './processes.ts';
import { MASTER_SOCKET, WORKER_SOCKET } from './render.ts';

export type Running = Processes & Readonly<{ worker: number }>;

/** HAProxy in master-worker mode in its directory, which outlives us and whom we may find there. */
export type Master = Readonly<{
  cli: Cli;
  worker: Cli;
  /** The HAProxy that runs in the directory and has a worker; null: there is none, or it does not answer. */
  find: (timeoutMs?: number) => Promise<Running | null>;
  /** Starts one with the configuration. */
  start: () => Promise<Running>;
  /** Replaces the worker by one with the configuration. Resolves when only the new one accepts connections. */
  reload: (before: Running) => Promise<Running>;
  /** Ends it, and what a dead or dumb one left. */
  stop: () => Promise<void>;
}>;

const POLL_MS = 5;
const ANSWER_TIMEOUT_MS = 5_000;
const RELOAD_TIMEOUT_MS = 20_000;
/** HAProxy logs a few lines for each forward of a replaced worker. */
const MAX_LOG_BYTES = 4_000_000;

export const createMaster = (program: HaproxyProgram, configFile: string, clock: Clock): Master => {
  const { binary, dir } = program;
  const logFile = join(dir, 'haproxy.log');
  // Relative paths: HAProxy runs in the directory, and a socket's path must be short.
  const args = ['-W', '-S', `unix@${MASTER_SOCKET},mode,600,level,admin`, '-p', 'haproxy.pid', '-f', configFile];
  const cli = createCli(join(dir, MASTER_SOCKET));
  const worker = createCli(join(dir, WORKER_SOCKET));

  const logTail = async (): Promise<string> => {
    const lines = (await readFile(logFile, 'utf8')).trimEnd().split('\n');
    return lines
      .filter((line) => line.includes('ALERT'))
      .slice(-5)
      .join(' | ');
  };

  const rotateLog = async (): Promise<void> => {
    if ((await stat(logFile)).size > MAX_LOG_BYTES) await truncate(logFile);
  };

  const query = async (): Promise<Processes | null> => {
    try {
      return readProcesses(await cli('show proc'));
    } catch (error) {
      if (error instanceof NoAnswer) return null;
      throw error;
    }
  };

  /** A process that is about to execute HAProxy anew may have no arguments to be found by for a moment. */
  const isThere = async (): Promise<boolean> => {
    for (let look = 0; look < 2; look++) {
      if (look > 0) await clock.sleep(POLL_MS);
      if ((await findProcesses(args)).some(({ leadsGroup }) => leadsGroup)) return true;
    }
    return false;
  };

  /** The master that answered last. */
  let answered: number | null = null;

  const find = async (timeoutMs = ANSWER_TIMEOUT_MS): Promise<Running | null> => {
    const deadline = clock.now().getTime() + timeoutMs;
    for (;;) {
      const processes = await query();
      if (processes?.worker) {
        answered = processes.master;
        return { ...processes, worker: processes.worker };
      }
      // A master that reloads does not answer for a moment. The workers of a dead one go on for a moment.
      if (answered === null || !isRunning(answered)) {
        answered = null;
        if (!(await isThere())) return null;
      }
      if (clock.now().getTime() > deadline) return null;
      await clock.sleep(POLL_MS);
    }
  };

  const awaitWorker = async (pid: number, deadline: number): Promise<void> => {
    for (;;) {
      try {
        if (readInfo(await worker('show info'))?.pid === pid) return;
      } catch (error) {
        if (!(error instanceof NoAnswer)) throw error;
      }
      if (clock.now().getTime() > deadline) throw new Error(`HAProxy's worker ${pid} does not answer`);
      await clock.sleep(POLL_MS);
    }
  };

  return {
    cli,
    worker,
    find,
    start: async () => {
      const log = await open(logFile, 'a', 0o600);
      try {
        await rotateLog();
        const child = spawn(binary, args, {
          cwd: dir,
          env: haproxyEnvironment(),
          detached: true,
          stdio: ['ignore', log.fd, log.fd],
        });
        // Whoever waits no longer is not told: HAProxy outlives its start.
        const ended = Promise.withResolvers<string>();
        child.once('error', ended.reject);
        child.once('exit', (code, signal) => ended.resolve(`HAProxy ended (${signal ?? code})`));
        ended.promise.catch(() => {});
        child.unref();
        const running = await Promise.race([ended.promise, find()]);
        if (running === null || typeof running === 'string') {
          throw new Error(`${running ?? 'HAProxy does not start'}: ${await logTail()}`);
        }
        await awaitWorker(running.worker, clock.now().getTime() + ANSWER_TIMEOUT_MS);
        return running;
      } finally {
        await log.close();
      }
    },
    reload: async (before) => {
      await rotateLog();
      const deadline = clock.now().getTime() + RELOAD_TIMEOUT_MS;
      // The answer of a reload is that the master closes the connection.
      await cli('reload').catch((error: unknown) => {
        if (!(error instanceof NoAnswer)) throw error;
      });
      for (;;) {
        const running = await find();
        if (!running) throw new Error(`HAProxy ended while it reloaded: ${await logTail()}`);
        if (running.reloads > before.reloads) {
          if (running.failed || running.worker === before.worker) {
            throw new Error(`HAProxy does not take its configuration: ${await logTail()}`);
          }
          await awaitStopping(cli, before.worker, clock);
          await awaitWorker(running.worker, deadline);
          return running;
        }
        if (clock.now().getTime() > deadline) throw new Error('HAProxy does not reload');
        await clock.sleep(POLL_MS);
      }
    },
    stop: () => killAll(args, clock),
  };
};
