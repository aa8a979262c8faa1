import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** How to run one program. */
export type Command = {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** The signal that makes the program end in good order. */
  readonly stopSignal: 'SIGTERM' | 'SIGINT';
};

export type Exit = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

export type OutputLine = { readonly source: 'stdout' | 'stderr'; readonly text: string };

export type Child = {
  readonly pid: number;
  readonly exited: Promise<Exit>;
  kill(signal: NodeJS.Signals): void;
  /** Asks the program to end, and ends it by force when the grace is over. */
  stop(graceMs: number): Promise<Exit>;
};

/**
 * Starts a program in a session of its own, so that ctrl-C reaches only the supervisor, which stops the parts in order.
 * A watcher beside it ties the program to this process: when this process is killed, the program ends as well, be it
 * stuck or not. Its stdin is a pipe from here too, for programs that would rather notice by themselves.
 */
export async function spawnChild(command: Command, onLine: (line: OutputLine) => void): Promise<Child> {
  const child = spawn(command.command, command.args, { env: command.env, detached: true, stdio: 'pipe' });
  // A pipe whose reader is gone is reported by the exit, not here.
  child.stdin.on('error', () => {});
  const closed = once(child, 'close');
  closed.catch(() => {});
  await once(child, 'spawn');
  const pid = child.pid;
  if (pid === undefined) throw new Error(`${command.name} has no process id`);
  readLines(child, onLine);
  const untie = tieToThisProcess(pid, command.stopSignal);
  const exited = closed.then(([code, signal]): Exit => {
    untie();
    return { code, signal };
  });
  const kill = (signal: NodeJS.Signals): void => void child.kill(signal);
  return {
    pid,
    exited,
    kill,
    async stop(graceMs) {
      kill(command.stopSignal);
      const force = setTimeout(() => kill('SIGKILL'), graceMs);
      try {
        return await exited;
      } finally {
        clearTimeout(force);
      }
    },
  };
}

function readLines(child: ChildProcessWithoutNullStreams, onLine: (line: OutputLine) => void): void {
  for (const source of ['stdout', 'stderr'] as const) {
    createInterface({ input: child[source] }).on('line', (text) => onLine({ source, text }));
  }
}

/** The shell waits on a pipe that only this process holds open, then ends the program it was told to watch. */
const watcherScript = `
read -r _
kill -s "$2" "$1" 2>/dev/null || exit 0
for _ in 1 2 3 4 5 6 7 8 9 10; do sleep 0.5; kill -0 "$1" 2>/dev/null || exit 0; done
kill -s KILL "$1" 2>/dev/null
`;

function tieToThisProcess(pid: number, signal: 'SIGTERM' | 'SIGINT'): () => void {
  const watcher = spawn('/bin/sh', ['-c', watcherScript, 'sh', String(pid), signal.slice(3)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  return () => void watcher.kill('SIGKILL');
}
