import { expect, it } from 'vitest';
import { type Plan, planOf } from './plan.ts';
import { kindOf, shrink } from './shrink.ts';

const plan: Plan = planOf('shrink');
const [first, , , fourth] = plan.steps;

/** Fails while both of these steps are in it, and requests are dropped. */
const fails = async ({ steps, rates }: Plan): Promise<boolean> =>
  rates.requestDropped > 0 && [first, fourth].every((needed) => steps.some((step) => step === needed));

it('leaves only what a plan fails with', async () => {
  const rates = { ...plan.rates, requestDropped: 0.5, publishLost: 0.5 };
  const smallest = await shrink({ ...plan, rates }, fails, 1_000);
  expect(smallest.steps).toEqual([first, fourth]);
  expect(smallest.faults).toEqual([]);
  expect(Object.entries(smallest.rates).filter(([, rate]) => rate > 0)).toEqual([['requestDropped', 0.5]]);
});

it('gives the plan back when there are no tries', async () => {
  expect(await shrink(plan, async () => true, 0)).toBe(plan);
});

it('knows the same fault again though it happens to somebody else', () => {
  const [one, other] = ['ep-0123456789abcdefghij', 'ep-9876543210zyxwvutsrq'].map((id) => `${id} is CONNECTED at 3`);
  expect(kindOf(one ?? '')).toBe(kindOf(other ?? ''));
});
