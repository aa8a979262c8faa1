import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../../infra/embedded/src/event-store/main.ts', import.meta.url));

export type Exit = { readonly code: number | null; readonly signal: NodeJS.Signals | null; readonly stderr: string };

export type StoreProcess = {
  readonly url: string;
  readonly port: number;
  /** Sends a signal and waits for the end. */
  stop(signal: NodeJS.Signals): Promise<Exit>;
};

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

async function waitForExit(child: ChildProcess, stderr: string[]): Promise<Exit> {
  if (!hasEnded(child)) await once(child, 'close');
  return { code: child.exitCode, signal: child.signalCode, stderr: stderr.join('') };
}

function launch(args: readonly string[], wrapper: readonly string[] = []) {
  const [command = '', ...rest] = [...wrapper, process.execPath, main, ...args];
  // A process group of its own, so that a wrapper and what it runs get the same signal.
  const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  const stderr: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (text: string) => stderr.push(text));
  return { child, stderr };
}

/** Runs the store as its own process where it is expected to refuse to start. */
export async function runToExit(args: readonly string[]): Promise<Exit> {
  const { child, stderr } = launch(args);
  child.stdout.resume();
  return waitForExit(child, stderr);
}

/** Starts the store as its own process on a free port and waits until it listens. */
export async function startProcess(dataDir: string, wrapper: readonly string[] = []): Promise<StoreProcess> {
  const { child, stderr } = launch(['--data-dir', dataDir, '--port', '0'], wrapper);
  const lines = createInterface({ input: child.stdout });
  const first = await Promise.race([once(lines, 'line'), once(child, 'close').then(() => undefined)]);
  if (first === undefined) throw new Error(`the store did not start: ${stderr.join('')}`);
  const { port } = JSON.parse(String(first[0])) as { ready: true; port: number };
  return {
    url: `kurrentdb://127.0.0.1:${port}?tls=false`,
    port,
    async stop(signal) {
      if (child.pid !== undefined && !hasEnded(child)) process.kill(-child.pid, signal);
      return waitForExit(child, stderr);
    },
  };
}
