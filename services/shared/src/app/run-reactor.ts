import type { Logger } from 'pino';
import type { StoredEvent } from '../eventing/message.ts';
import type { Clock, EventStore } from '../eventing/ports.ts';
import { reactors } from '../telemetry/metrics.ts';
import { inSpan, TRACEPARENT } from '../telemetry/trace.ts';
import { failpoint } from './failpoint.ts';
import { createProgress } from './progress.ts';
import { runSubscription } from './run-subscription.ts';

/** `againMs`: look once more after so many milliseconds, event or not. */
export type WorkResult = 'settled' | Readonly<{ againMs: number }>;

/**
 * Does what the streams say is still to be done. Level-triggered: an event only says where to look; `work` folds the
 * stream and does all that is outstanding, so that repeating it is harmless and missing nothing is enough.
 */
export type Reactor = Readonly<{
  name: string;
  prefixes: readonly string[];
  /** What to look at after this event; null: nothing. One worker per key at a time. */
  key: (event: StoredEvent) => string | null;
  /**
   * Throws on trouble: it is repeated with a back-off that blocks no other key.
   *
   * @param revision highest one of the events that woke it; null when it is looked at for another reason
   */
  work: (key: string, revision: bigint | null) => Promise<WorkResult>;
}>;

export type WorkRow = Readonly<{ key: string; attempt: number }>;

/** Durable memory of what is to be looked at later. */
export type WorkRows = Readonly<{
  schedule: (key: string, due: Date, attempt: number) => Promise<void>;
  due: (now: Date, limit: number) => Promise<readonly WorkRow[]>;
  remove: (key: string) => Promise<void>;
}>;

/** Position up to which every event has been looked at or has a work row. */
export type Checkpoint = Readonly<{
  load: () => Promise<bigint | null>;
  save: (position: bigint) => Promise<void>;
}>;

export type ReactorDeps = Readonly<{
  store: EventStore;
  clock: Clock;
  log: Logger;
  signal: AbortSignal;
  rows: WorkRows;
  checkpoint: Checkpoint;
}>;

const FIRST_BACKOFF_MS = 100;
const MAX_BACKOFF_MS = 30_000;
const POLL_ROWS_MS = 250;
const SAVE_CHECKPOINT_MS = 250;
const MAX_SAVE_FAILURES = 20;
const CONCURRENCY = 64;
const MAX_AHEAD = 4_096;
const STOP_PATIENCE_MS = 5_000;

type Task = {
  /** Failures so far. */
  attempt: number;
  /** An event has come since the work began. */
  isDirty: boolean;
  hasRow: boolean;
  revision: bigint | null;
  /** Of the last event that woke it; empty where that was not traced. */
  traceparent: string;
};

/** Runs until the signal aborts, and then until the work that it has begun has ended. */
export const runReactor = async (deps: ReactorDeps, reactor: Reactor): Promise<void> => {
  const { clock, log, rows, checkpoint } = deps;
  const stop = new AbortController();
  const signal = AbortSignal.any([deps.signal, stop.signal]);
  const tasks = new Map<string, Task>();
  const ready: string[] = [];
  const working = new Set<Promise<void>>();
  const progress = createProgress();
  let isLoaded = false;

  const look = (key: string, row: WorkRow | null, revision: bigint | null, traceparent = ''): void => {
    const task = tasks.get(key);
    if (task) {
      task.isDirty = true;
      task.revision = revision;
      task.traceparent = traceparent;
      return;
    }
    tasks.set(key, { attempt: row?.attempt ?? 0, isDirty: false, hasRow: row !== null, revision, traceparent });
    reactors.waiting.set({ reactor: reactor.name }, tasks.size);
    ready.push(key);
    begin();
  };

  const begin = (): void => {
    while (working.size < CONCURRENCY && !signal.aborted) {
      const key = ready.shift();
      const task = key === undefined ? undefined : tasks.get(key);
      if (key === undefined || !task) return;
      const done = perform(key, task).then((isDone) => {
        working.delete(done);
        if (!isDone) ready.push(key);
        begin();
      });
      working.add(done);
    }
  };

  /** False when the key is to be looked at again at once. After an abort, rows and progress are another life's. */
  const perform = async (key: string, task: Task): Promise<boolean> => {
    task.isDirty = false;
    const result = await attempt(key, task);
    if (signal.aborted) return false;
    if (task.isDirty) {
      // What has come since may be what the failed work waited for.
      task.attempt = 0;
      if (result !== 'failed') return false;
      task.isDirty = false;
    }
    try {
      await remember(key, task, result);
    } catch (err) {
      // Neither done nor written down: the checkpoint stays behind it.
      log.warn({ reactor: reactor.name, key, err }, 'work row not written');
      await clock.sleep(POLL_ROWS_MS, signal);
      return false;
    }
    if (task.isDirty || signal.aborted) return false;
    // In one turn with the question: an event that comes a turn later must find no task that is over.
    tasks.delete(key);
    reactors.waiting.set({ reactor: reactor.name }, tasks.size);
    progress.end(key);
    return true;
  };

  const attempt = async (key: string, task: Task): Promise<WorkResult | 'failed'> => {
    const measured = reactors.work.startTimer({ reactor: reactor.name });
    try {
      const span = { kind: 'consumer', parent: task.traceparent } as const;
      const result = await inSpan(reactor.name, span, () => reactor.work(key, task.revision));
      measured({ outcome: result === 'settled' ? result : 'later' });
      await failpoint(`${reactor.name}:after-effect`);
      return result;
    } catch (err) {
      measured({ outcome: 'failed' });
      if (!signal.aborted) {
        log.warn({ reactor: reactor.name, key, attempt: task.attempt, err }, 'work failed and will be repeated');
      }
      return 'failed';
    }
  };

  const remember = async (key: string, task: Task, result: WorkResult | 'failed'): Promise<void> => {
    if (result === 'settled') {
      if (task.hasRow) await rows.remove(key);
      task.hasRow = false;
      return;
    }
    const failed = result === 'failed';
    const waitMs = failed ? Math.min(FIRST_BACKOFF_MS * 2 ** task.attempt, MAX_BACKOFF_MS) : result.againMs;
    const failures = failed ? task.attempt + 1 : 0;
    await rows.schedule(key, new Date(clock.now().getTime() + waitMs), failures);
    task.attempt = failures;
    task.hasRow = true;
  };

  const pollRows = async (): Promise<void> => {
    for (; !signal.aborted; await clock.sleep(POLL_ROWS_MS, signal)) {
      // With the checkpoint the rows become ours.
      if (!isLoaded) continue;
      try {
        // Work under way may have begun before its row was due, so that it does not stand for it.
        for (const row of await rows.due(clock.now(), CONCURRENCY)) if (!tasks.has(row.key)) look(row.key, row, null);
      } catch (err) {
        log.warn({ reactor: reactor.name, err }, 'work rows not read');
      }
    }
  };

  const saveCheckpoints = async (): Promise<void> => {
    let saved: bigint | null = null;
    for (let failures = 0; !signal.aborted; await clock.sleep(SAVE_CHECKPOINT_MS, signal)) {
      const position = progress.position();
      if (position === null || position === saved) continue;
      await failpoint(`${reactor.name}:before-checkpoint`);
      try {
        await checkpoint.save(position);
        saved = position;
        failures = 0;
      } catch (err) {
        if (++failures === MAX_SAVE_FAILURES) throw err;
        log.warn({ reactor: reactor.name, err }, 'checkpoint not saved');
      }
    }
  };

  const following = runSubscription(
    { ...deps, signal },
    {
      name: reactor.name,
      prefixes: reactor.prefixes,
      resumeAfter: async () => {
        if (!isLoaded) progress.startAfter(await checkpoint.load());
        isLoaded = true;
        return progress.seen();
      },
      handle: async (messages) => {
        for (const message of messages) {
          if (message.kind === 'event') {
            const key = reactor.key(message.event);
            progress.see(message.event.position, key);
            if (key !== null) look(key, null, message.event.revision, message.event.metadata[TRACEPARENT]);
          } else if (message.kind === 'checkpoint') progress.see(message.position, null);
        }
        while (tasks.size > MAX_AHEAD && !signal.aborted) await clock.sleep(10, signal);
      },
      onFailure: 'retry',
    },
  );

  const loops = [following, pollRows(), saveCheckpoints()];
  try {
    await Promise.race(loops);
  } finally {
    stop.abort();
    await Promise.allSettled(loops);
    const ended = new AbortController();
    const windUp = Promise.all(working).then(() => ended.abort());
    await Promise.race([windUp, clock.sleep(STOP_PATIENCE_MS, ended.signal)]);
  }
};
