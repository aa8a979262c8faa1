import type { Sample } from './open-metrics.ts';

/** Counters of a process by a label, or another name. */
export type Counters = ReadonlyMap<string, number>;

/** The series of a counter that have something in common, together. */
export const countersBy = (samples: readonly Sample[], keyOf: (sample: Sample) => string | undefined): Counters => {
  const counters = new Map<string, number>();
  for (const sample of samples) {
    const key = keyOf(sample);
    if (key !== undefined && Number.isFinite(sample.value)) counters.set(key, (counters.get(key) ?? 0) + sample.value);
  }
  return counters;
};

/** By how much counters have risen. One that has fallen began anew, with its process. */
export const increases = (before: Counters, now: Counters): Counters =>
  new Map(
    [...now].map(([key, value]) => {
      const from = before.get(key) ?? 0;
      return [key, value < from ? value : value - from];
    }),
  );
