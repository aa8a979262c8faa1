import type { AgentDeps } from './agent.ts';
import type { ZoneState } from './desired/zone-state.ts';
import { measureNoShift, measureShift } from './measure.ts';
import { createWork, type Work } from './work.ts';

/** The time in which an agent has been told what is desired, and works. */
export type Shift = Readonly<{
  /** `isUrgent`: something is to be closed. */
  changed: (change: Readonly<{ isUrgent: boolean }>) => void;
  /** Resolves when nothing is touched any more. */
  end: () => Promise<void>;
}>;

const DEBOUNCE_MS = 15;
const LOOK_MS = 500;
const TRAFFIC_MS = 2_000;
/** So many times as long as a look took, it is not looked again; but not for longer than this. */
const PAUSE_FACTOR = 9;
const MAX_PAUSE_MS = 5_000;
const FIRST_RETRY_MS = 100;
const MAX_RETRY_MS = 10_000;

const pauseAfter = (tookMs: number): number => Math.min(PAUSE_FACTOR * tookMs, MAX_PAUSE_MS);

export const startShift = (deps: AgentDeps, zone: ZoneState): Shift => {
  const { clock, lock, log } = deps;
  const now = (): number => clock.now().getTime();
  const ending = new AbortController();
  const { signal } = ending;
  let isChanged = true;
  let waking = new AbortController();
  let hurry = new AbortController();

  const rest = async (ms: number): Promise<void> => {
    if (isChanged || signal.aborted) return;
    waking = new AbortController();
    await clock.sleep(ms, waking.signal);
  };

  /** Again and again, beside the rounds; `pauseMs` after one that took so long. */
  const watch = async (
    look: () => Promise<void>,
    pauseMs: (tookMs: number) => number,
    over: AbortSignal,
  ): Promise<void> => {
    let tookMs = 0;
    for (;;) {
      await clock.sleep(pauseMs(tookMs), over);
      if (over.aborted) return;
      const started = now();
      await look();
      tookMs = now() - started;
    }
  };

  const watchHealth = (work: Work, over: AbortSignal): Promise<void> => {
    const unknown = (err: unknown) => log.warn({ err }, 'whether targets answer is not known');
    return watch(
      () => work.lookAtHealth().catch(unknown),
      () => LOOK_MS,
      over,
    );
  };

  const watchTraffic = (work: Work, over: AbortSignal): Promise<void> =>
    watch(work.lookAtTraffic, (tookMs) => Math.max(TRAFFIC_MS, pauseAfter(tookMs)), over);

  /** As long as the tools are ours. */
  const loop = async (): Promise<void> => {
    const work = createWork(deps, zone, signal);
    const over = new AbortController();
    measureShift(deps, clock.now());
    const until = AbortSignal.any([signal, over.signal]);
    const looking = Promise.all([watchHealth(work, until), watchTraffic(work, until)]);
    try {
      await rounds(work);
    } finally {
      over.abort();
      await looking;
      measureNoShift(deps);
    }
  };

  /** One round at a time: whatever is desired by then is done together. */
  const rounds = async (work: Work): Promise<void> => {
    let failures = 0;
    let retryAt = Number.POSITIVE_INFINITY;
    let lookAt = 0;

    const look = async (): Promise<boolean> => {
      const started = now();
      const isBroken = await work.isUndone(waking.signal);
      lookAt = now() + pauseAfter(now() - started);
      return isBroken;
    };

    while (!signal.aborted) {
      await rest(Math.max(0, Math.min(LOOK_MS, retryAt - now())));
      if (isChanged) {
        failures = 0;
        await clock.sleep(DEBOUNCE_MS, signal);
      } else if (now() < retryAt) {
        const isBroken = !(await work.isAlive()) || (now() >= lookAt && (await look()));
        if (!isBroken) continue;
      }
      if (signal.aborted) return;
      isChanged = false;
      hurry = new AbortController();
      failures = (await work.round(hurry.signal)) ? 0 : failures + 1;
      const backoffMs = Math.min(FIRST_RETRY_MS * 2 ** (failures - 1), MAX_RETRY_MS);
      retryAt = failures === 0 ? Number.POSITIVE_INFINITY : now() + backoffMs;
    }
  };

  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      try {
        const release = await lock({ wait: true, signal });
        if (release) await loop().finally(release);
      } catch (err) {
        log.error({ err }, 'the agent cannot work; it tries again');
        await clock.sleep(MAX_RETRY_MS, signal);
      }
    }
  };
  const running = run();

  return {
    changed: ({ isUrgent }) => {
      isChanged = true;
      waking.abort();
      if (isUrgent) hurry.abort();
    },
    end: async () => {
      ending.abort();
      waking.abort();
      hurry.abort();
      await running;
    },
  };
};
