import { execFile } from 'node:child_process';
import type { Clock } from '@privatelink/shared/eventing/ports';

export type Process = Readonly<{ pid: number; leadsGroup: boolean }>;

/** What runs and was started with exactly these last arguments; `ps` says it on Linux and macOS alike. */
export const findProcesses = async (lastArguments: readonly string[]): Promise<readonly Process[]> => {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  execFile('ps', ['-axww', '-o', 'pid=,pgid=,args='], { maxBuffer: 64 * 1024 * 1024 }, (error, stdout) =>
    error ? reject(error) : resolve(stdout),
  );
  const end = ` ${lastArguments.join(' ')}`;
  return (await promise).split('\n').flatMap((line) => {
    if (!line.trimEnd().endsWith(end)) return [];
    const [pid, group] = line.trim().split(/\s+/, 2).map(Number);
    return pid === undefined ? [] : [{ pid, leadsGroup: pid === group }];
  });
};

/** False when there is no such process. */
const signalProcess = (pid: number, signal: NodeJS.Signals | 0): boolean => {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
};

export const isRunning = (pid: number): boolean => signalProcess(pid, 0);

export const send = (pid: number, signal: NodeJS.Signals): void => {
  signalProcess(pid, signal);
};

const END_TIMEOUT_MS = 5_000;
const POLL_MS = 5;

/** Ends them all, and waits until none is left. */
export const killAll = async (lastArguments: readonly string[], clock: Clock): Promise<void> => {
  const deadline = clock.now().getTime() + END_TIMEOUT_MS;
  for (;;) {
    const processes = await findProcesses(lastArguments);
    if (processes.length === 0) return;
    if (clock.now().getTime() > deadline) {
      throw new Error(`Processes do not end: ${processes.map(({ pid }) => pid).join(', ')}`);
    }
    for (const { pid } of processes) send(pid, 'SIGKILL');
    await clock.sleep(POLL_MS);
  }
};
