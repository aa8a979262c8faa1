import { expect, it, vi } from 'vitest';
import { MUTATIONS } from './mutations.ts';
import { type Plan, planOf } from './plan.ts';
import { simulate } from './simulate.ts';

// A simulation computes all the time, on a machine that others may use as well.
vi.setConfig({ testTimeout: 240_000 });

const MAX_SEEDS = 24;

/** Where much comes late. */
const hurried = (seed: string): Plan => {
  const plan = planOf(seed);
  return { ...plan, forwarding: 'agents', rates: { ...plan.rates, requestDuplicated: 0.5, proxySlow: 0.5 } };
};

/** Who finds nothing wrong may just not have looked. */
it.each(Object.entries(MUTATIONS))('finds that %s', async (_, mutation) => {
  for (let index = 0; index < MAX_SEEDS; index++) {
    const { violations } = await simulate(hurried(`mutation ${index}`), { mutation });
    if (violations.length > 0) return;
  }
  expect.fail(`nothing is found wrong with ${MAX_SEEDS} seeds`);
});
