import type { Plan } from './plan.ts';
import type { TroubleKind } from './world/trouble.ts';

/** Whether a plan still fails in the same way. */
type Fails = (plan: Plan) => Promise<boolean>;

/** Leaves out of a failing plan what it fails without, as far as so many tries go. */
export const shrink = async (plan: Plan, fails: Fails, tries: number): Promise<Plan> => {
  let left = tries;
  const stillFails: Fails = async (smaller) => left-- > 0 && fails(smaller);
  let smallest = plan;
  smallest = await without(smallest, 'faults', stillFails);
  for (const kind of Object.keys(plan.rates) as TroubleKind[]) {
    if (smallest.rates[kind] === 0) continue;
    const smaller = { ...smallest, rates: { ...smallest.rates, [kind]: 0 } };
    if (await stillFails(smaller)) smallest = smaller;
  }
  smallest = await without(smallest, 'steps', stillFails);
  return without(smallest, 'faults', stillFails);
};

/** Leaves out ever smaller parts of a list. */
const without = async (plan: Plan, list: 'steps' | 'faults', stillFails: Fails): Promise<Plan> => {
  let smallest = plan;
  for (let size = smallest[list].length; size >= 1; size = Math.floor(size / 2)) {
    for (let from = 0; from < smallest[list].length; ) {
      const smaller = { ...smallest, [list]: smallest[list].toSpliced(from, size) } as Plan;
      if (await stillFails(smaller)) smallest = smaller;
      else from += size;
    }
  }
  return smallest;
};

/** What went wrong, without whom it happened to: another run of the same fault says the same. */
export const kindOf = (violation: string): string =>
  violation.replace(/\b[a-z]+-[0-9a-z]{20}\b|\d+/g, '#').slice(0, 120);
