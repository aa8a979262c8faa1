import { setTimeout as delay } from 'node:timers/promises';
import type { Child } from './child.ts';
import { describeExit, type Program, startProgram } from './program.ts';

/** How long a program may take to end in good order. */
const graceMs = 10_000;

/** Signals that a process survives. */
const harmless: ReadonlySet<NodeJS.Signals> = new Set(['SIGSTOP', 'SIGCONT']);

export type BackOff = {
  readonly firstMs: number;
  readonly longestMs: number;
  /** A program that has worked this long starts over with the first delay. */
  readonly forgivenAfterMs: number;
};

export const defaultBackOff: BackOff = { firstMs: 200, longestMs: 10_000, forgivenAfterMs: 60_000 };

export type Supervised = {
  readonly name: string;
  /** The process id, while there is a process that has been ready. */
  pid(): number | undefined;
  /** Starts the program and resolves when it is ready. A failure is the caller's: nothing is tried again. */
  start(): Promise<void>;
  /** Ends the program and keeps it ended. */
  stop(): Promise<void>;
  kill(signal: NodeJS.Signals): void;
  /** Resolves when the program is ready, be it now or after its next start. */
  waitReady(): Promise<void>;
};

export type SupervisedOptions = {
  readonly backOff: BackOff;
  /** A line the program printed. */
  readonly onLine: (text: string) => void;
  /** Something the supervisor has to say about the program. */
  readonly onNotice: (text: string) => void;
  /** The program became ready, or is gone. */
  readonly onChange: () => void;
};

/** Keeps one program running: what ends without being asked to is started again, after a growing delay. */
export function supervise(program: Program, options: SupervisedOptions): Supervised {
  const { backOff, onLine, onNotice, onChange } = options;
  let wanted = new AbortController();
  let child: Child | undefined;
  let ready = false;
  let starting: Promise<void> = Promise.resolve();
  let guarding: Promise<void> = Promise.resolve();
  const waiting = new Set<() => void>();

  async function launch(): Promise<void> {
    const started = await startProgram(program, (line) => onLine(line.text), wanted.signal);
    child = started;
    ready = true;
    for (const resolve of waiting) resolve();
    waiting.clear();
    onChange();
  }

  async function guard(signal: AbortSignal): Promise<void> {
    let delayMs = backOff.firstMs;
    while (child) {
      const readyAt = Date.now();
      const exit = await child.exited;
      child = undefined;
      ready = false;
      onChange();
      if (signal.aborted) return;
      if (Date.now() - readyAt >= backOff.forgivenAfterMs) delayMs = backOff.firstMs;
      onNotice(`${program.name} ended (${describeExit(exit)})`);
      while (!child && !signal.aborted) {
        onNotice(`${program.name} starts again in ${delayMs} ms`);
        await delay(delayMs, undefined, { signal }).catch(() => {});
        delayMs = Math.min(delayMs * 2, backOff.longestMs);
        if (!signal.aborted) await launch().catch((error: Error) => signal.aborted || onNotice(error.message));
      }
    }
  }

  return {
    name: program.name,
    pid: () => child?.pid,
    async start() {
      if (child) return;
      wanted = new AbortController();
      starting = launch();
      await starting;
      guarding = guard(wanted.signal);
    },
    async stop() {
      wanted.abort();
      await starting.catch(() => {});
      await child?.stop(graceMs);
      await guarding;
    },
    kill(signal) {
      // Whoever waits from here on means the next process, even while this one is still ending.
      if (!harmless.has(signal)) ready = false;
      child?.kill(signal);
    },
    waitReady: () => (ready ? Promise.resolve() : new Promise((resolve) => waiting.add(resolve))),
  };
}
