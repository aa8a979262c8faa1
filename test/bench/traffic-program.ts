import { type Child, type OutputLine, spawnChild } from '@privatelink/embedded/child';

export type Program = readonly [command: string, ...args: string[]];

/** The program in a network namespace. */
export const within = (namespace: string, program: Program): Program => ['ip', 'netns', 'exec', namespace, ...program];

const spawnProgram = ([command, ...args]: Program, onLine: (line: OutputLine) => void): Promise<Child> =>
  spawnChild({ name: command, command, args, env: process.env, stopSignal: 'SIGTERM' }, onLine);

/** Runs a program until it ends. @returns what it says */
export const runProgram = async (program: Program, signal: AbortSignal): Promise<string> => {
  signal.throwIfAborted();
  const lines: OutputLine[] = [];
  const child = await spawnProgram(program, (line) => lines.push(line));
  const end = (): void => child.kill('SIGKILL');
  signal.addEventListener('abort', end);
  if (signal.aborted) end();
  const { code } = await child.exited;
  signal.removeEventListener('abort', end);
  signal.throwIfAborted();
  if (code !== 0) throw new Error(`${program.join(' ')} (${code}): ${lines.map(({ text }) => text).join('\n')}`);
  return lines.flatMap(({ source, text }) => (source === 'stdout' ? [text] : [])).join('\n');
};

export type Started = Readonly<{
  /** Resolves with the first line that matches, also if it is there already; fails when the program ends before. */
  line: (pattern: RegExp) => Promise<string>;
  /** @throws with what it said, when it has ended */
  assertRuns: () => void;
  stop: () => Promise<void>;
}>;

const STOP_GRACE_MS = 1_000;

export const startProgram = async (program: Program): Promise<Started> => {
  const lines: string[] = [];
  let news = Promise.withResolvers<void>();
  const tell = (): void => {
    news.resolve();
    news = Promise.withResolvers();
  };
  let hasEnded = false;
  const child = await spawnProgram(program, ({ text }) => {
    lines.push(text);
    tell();
  });
  void child.exited.then(() => {
    hasEnded = true;
    tell();
  });
  const assertRuns = (): void => {
    if (hasEnded) throw new Error(`${program.join(' ')} ended: ${lines.join('\n')}`);
  };
  return {
    line: async (pattern) => {
      for (;;) {
        const found = lines.find((line) => pattern.test(line));
        if (found !== undefined) return found;
        assertRuns();
        await news.promise;
      }
    },
    assertRuns,
    stop: async () => {
      await child.stop(STOP_GRACE_MS);
    },
  };
};
