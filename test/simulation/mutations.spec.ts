import { expect, it, vi } from 'vitest';
import { MUTATIONS } from './mutations.ts';
import { type Plan, planOf } from './plan.ts';
import { simulate } from './simulate.ts';
import { OPENING, type StepName } from './steps/registry.ts';
import { createRandom } from './world/random.ts';

// A simulation computes all the time, on a machine that others may use as well.
vi.setConfig({ testTimeout: 600_000 });

const MAX_SEEDS = 24;

/** Where much comes late, in a story of few kinds of steps: what other steps there are does not change it. */
const hurried = (seed: string, among: readonly StepName[]): Plan => {
  const plan = planOf(seed);
  const random = createRandom(`among ${seed}`);
  const steps = plan.steps.map((one, index) => (index < OPENING.length ? one : { ...one, step: random.pick(among) }));
  return {
    ...{ ...plan, steps, forwarding: 'agents' },
    rates: { ...plan.rates, requestDuplicated: 0.9, proxySlow: 0.5 },
  };
};

/** Who finds nothing wrong may just not have looked. */
it.each(Object.entries(MUTATIONS))('finds that %s', async (_, { mutation, among }) => {
  for (let index = 0; index < MAX_SEEDS; index++) {
    const { violations } = await simulate(hurried(`mutation ${index}`, among), { mutation });
    if (violations.length > 0) return;
  }
  expect.fail(`nothing is found wrong with ${MAX_SEEDS} seeds`);
});
