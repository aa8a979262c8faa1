import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { portNames, portVariable } from '../ports.ts';
import { waitUntil } from '../wait-until.ts';

/** A directory for one test. */
export const newDataDir = (): Promise<string> => mkdtemp(join(tmpdir(), 'privatelink-'));

export const removeDataDir = (directory: string): Promise<void> => rm(directory, { recursive: true, force: true });

/** Servers that are never called: the supervisor only hands their addresses on. What is left to start is NATS. */
export const otherServers = {
  PRIVATELINK_EVENT_STORE: 'kurrentdb://127.0.0.1:1?tls=false',
  PRIVATELINK_POSTGRES: 'postgres://postgres:secret@127.0.0.1:2/privatelink',
};

/** The whole command on free ports, with stand-ins for the services. */
export type RunningCommand = {
  readonly process: ChildProcess;
  readonly output: { stdout: string; stderr: string };
  readonly exited: Promise<number | null>;
};

export function runCommand(dataDir: string, env: Record<string, string> = {}, args: string[] = []): RunningCommand {
  const main = fileURLToPath(new URL('./fixture-main.ts', import.meta.url));
  const freePorts = Object.fromEntries(portNames.map((name) => [portVariable(name), '0']));
  const child = spawn(process.execPath, [main, '--data-dir', dataDir, ...args], {
    env: { ...process.env, ...otherServers, ...freePorts, PRIVATELINK_FORWARDING: 'none', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => {
    output.stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    output.stderr += chunk;
  });
  return { process: child, output, exited: once(child, 'close').then(([code]) => code) };
}

/** Waits for something to become true; the test's own time limit applies when it never does. */
export const until = (answer: () => boolean | Promise<boolean>): Promise<void> =>
  waitUntil(async () => answer(), AbortSignal.timeout(25_000), 20);

/** Whether a process exists; a zombie that nobody has collected does not count. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
