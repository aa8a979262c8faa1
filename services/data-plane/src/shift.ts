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
/** So many times as long as it took to look at what is placed, it is not looked at again; but not for longer than this. */
const PAUSE_FACTOR = 9;
const MAX_PAUSE_MS = 5_000;
const FIRST_RETRY_MS = 100;
const MAX_RETRY_MS = 10_000;

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

  const lookAtHealth = async (work: Work, over: AbortSignal): Promise<void> => {
    while (!over.aborted) {
      await clock.sleep(LOOK_MS, over);
      if (over.aborted) return;
      await work.lookAtHealth().catch((err: unknown) => log.warn({ err }, 'whether targets answer is not known'));
    }
  };

  /** As long as the tools are ours. */
  const loop = async (): Promise<void> => {
    const work = createWork(deps, zone, signal);
    const over = new AbortController();
    measureShift(deps, clock.now());
    const looking = lookAtHealth(work, AbortSignal.any([signal, over.signal]));
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
      lookAt = now() + Math.min(PAUSE_FACTOR * (now() - started), MAX_PAUSE_MS);
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
