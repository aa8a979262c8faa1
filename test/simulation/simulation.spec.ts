import { expect, it, vi } from 'vitest';
import { planOf } from './plan.ts';
import { simulate } from './simulate.ts';

// A simulation computes all the time, on a machine that others may use as well.
vi.setConfig({ testTimeout: 240_000 });

const SEEDS = Array.from({ length: 10 }, (_, index) => `spec ${index}`);

it.each(SEEDS)('all is well after %s', async (seed) => {
  const { violations, history } = await simulate(planOf(seed));
  expect(violations).toEqual([]);
  expect(history.length).toBeGreaterThan(5);
});

it('is the same story for the same seed, to the last event and millisecond', async () => {
  const [first, other] = [await simulate(planOf('again')), await simulate(planOf('another'))];
  const again = await simulate(planOf('again'));
  expect(again).toEqual(first);
  expect(other.trace).not.toBe(first.trace);
});
