import { type Child, type Command, type Exit, type OutputLine, spawnChild } from './child.ts';
import { messageOf, tellsOfError } from './log-line.ts';
import { StartError } from './start-error.ts';

/** One part of the system: how to start it and how to know that it works. */
export type Program = {
  readonly name: string;
  /** What it prints is of interest only when something is wrong. */
  readonly quiet: boolean;
  /** Puts in place what the program needs, and says how to run it. Called before every start. */
  prepare(): Promise<Command>;
  /** Resolves when the started program does its work; the signal is aborted when it exits or takes too long. */
  ready(signal: AbortSignal): Promise<void>;
};

/** Long enough for a laptop that is busy with something else. */
const readyWithinMs = 60_000;

/**
 * Starts a program and waits until it is ready; one that does not get there is stopped and reported in one line.
 * When `stopped` is aborted meanwhile, the program is stopped and the start fails with the signal's reason.
 */
export async function startProgram(
  program: Program,
  onLine: (line: OutputLine) => void,
  stopped: AbortSignal = new AbortController().signal,
): Promise<Child> {
  let lastWords = '';
  let lastError = '';
  const child = await spawnChild(await program.prepare(), (line) => {
    lastWords = messageOf(line.text) || lastWords;
    if (tellsOfError(line.text)) lastError = lastWords;
    onLine(line);
  }).catch((error: Error) => {
    throw new StartError(`${program.name} could not be started: ${error.message}`);
  });
  const exited = new AbortController();
  void child.exited.then(() => exited.abort());
  const givenUp = AbortSignal.any([exited.signal, stopped, AbortSignal.timeout(readyWithinMs)]);
  try {
    await program.ready(givenUp);
    givenUp.throwIfAborted();
    return child;
  } catch (error) {
    const ownFailure = !givenUp.aborted;
    const ended = await child.stop(1000);
    stopped.throwIfAborted();
    if (ownFailure) throw error;
    const reason = lastError || lastWords || 'no output';
    throw new StartError(`${program.name} did not become ready (${describeExit(ended)}): ${reason}`);
  }
}

export const describeExit = ({ code, signal }: Exit): string => (signal ? `killed by ${signal}` : `exit code ${code}`);

/** A program started on its own, without a supervisor. */
export type Standalone = { readonly pid: number; stop(): Promise<void> };

/** Starts one program by itself; its output is kept quiet. */
export async function startStandalone(program: Program): Promise<Standalone> {
  const child = await startProgram(program, () => {});
  return {
    pid: child.pid,
    stop: async () => void (await child.stop(10_000)),
  };
}
