import type { Clock } from '../eventing/ports.ts';

export type FakeClock = Clock &
  Readonly<{
    /** Lets time pass, and everything happen that waits for it. */
    advance: (ms: number) => Promise<void>;
    /** How many sleep. */
    sleeping: () => number;
  }>;

/** Lets everything happen that waits for no time. */
export const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
};

/** Time that only passes when a test says so. */
export const createFakeClock = (start = 0): FakeClock => {
  let time = start;
  const sleepers = new Set<{ due: number; wake: () => void }>();
  return {
    now: () => new Date(time),
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) return resolve();
        const wake = () => {
          sleepers.delete(sleeper);
          signal?.removeEventListener('abort', wake);
          resolve();
        };
        const sleeper = { due: time + ms, wake };
        sleepers.add(sleeper);
        signal?.addEventListener('abort', wake);
      }),
    advance: async (ms) => {
      const end = time + ms;
      await settle();
      for (;;) {
        const next = [...sleepers].reduce((least, { due }) => Math.min(least, due), Number.POSITIVE_INFINITY);
        if (next > end) break;
        time = Math.max(time, next);
        for (const sleeper of [...sleepers]) if (sleeper.due <= time) sleeper.wake();
        await settle();
      }
      time = end;
    },
    sleeping: () => sleepers.size,
  };
};
