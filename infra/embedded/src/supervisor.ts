import type { Logs } from './logs.ts';
import type { Program } from './program.ts';
import { StartError } from './start-error.ts';
import { type BackOff, defaultBackOff, type Supervised, supervise } from './supervised.ts';

/** Programs that may start side by side; a later stage needs the earlier ones. */
export type Stage = readonly Program[];

export type Supervisor = {
  /** Starts all stages in order; when one program fails, everything is stopped again. */
  start(): Promise<void>;
  /** Stops all programs, the last one first. */
  stop(): Promise<void>;
  process(name: string): Supervised;
  /** The running processes by name. */
  pids(): Record<string, number>;
};

export type SupervisorOptions = {
  readonly logs: Logs;
  readonly backOff?: BackOff;
  /** The set of running processes has changed. */
  readonly onChange: () => void;
};

/** The name under which the supervisor itself writes to the log. */
const ownName = 'supervisor';

/** Runs a system of programs. */
export function createSupervisor(stages: readonly Stage[], options: SupervisorOptions): Supervisor {
  const { logs, backOff = defaultBackOff, onChange } = options;
  const supervised = stages.map((stage) =>
    stage.map((program) =>
      supervise(program, {
        backOff,
        onLine: (text) => logs.write(program.name, text, { quiet: program.quiet }),
        onNotice: (text) => logs.write(ownName, text),
        onChange,
      }),
    ),
  );
  const all = supervised.flat();
  const byName = new Map(all.map((process) => [process.name, process]));

  let stopped = false;

  async function stop(): Promise<void> {
    stopped = true;
    for (const process of all.toReversed()) await process.stop();
  }

  async function startStage(stage: readonly Supervised[]): Promise<void> {
    const starts = stage.map((process) => process.start());
    try {
      await Promise.all(starts);
    } catch (error) {
      await stop();
      await Promise.allSettled(starts);
      throw error;
    }
  }

  return {
    stop,
    async start() {
      for (const stage of supervised) {
        if (stopped) throw new StartError('stopped before the start was complete');
        await startStage(stage);
      }
    },
    process(name) {
      const found = byName.get(name);
      if (!found) throw new StartError(`there is no process ${name}: ${[...byName.keys()].join(', ')}`);
      return found;
    },
    pids() {
      const running = all.map((process) => [process.name, process.pid()] as const);
      return Object.fromEntries(running.filter((entry): entry is [string, number] => entry[1] !== undefined));
    },
  };
}
