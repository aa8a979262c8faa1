/** The value below which the share `p` (0..1) of the samples lies. */
export const percentile = (samples: readonly number[], p: number): number => {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))] ?? Number.NaN;
};

export const round = (value: number, digits = 2): number => Number(value.toFixed(digits));

export type Figures = Readonly<{ p50: number; p99: number; max: number }>;

export const figures = (samples: readonly number[]): Figures => ({
  p50: round(percentile(samples, 0.5), 1),
  p99: round(percentile(samples, 0.99), 1),
  max: round(Math.max(...samples), 1),
});

export const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const started = performance.now();
  await work();
  return performance.now() - started;
};
