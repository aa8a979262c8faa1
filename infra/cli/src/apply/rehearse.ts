import type { Answer } from '../call.ts';
import { failureOf } from '../failure.ts';
import type { Json } from '../field-option.ts';
import { idIn } from './answers.ts';
import { match, type Plan, planOf, type Step } from './plan.ts';
import { requestIdOf } from './request-id.ts';
import { reader, survey, surveyConnections } from './survey.ts';
import { type DeclaredSet, type Fields, type Invoke, referencesIn, resolve, type Thing } from './things.ts';

/** What a step would do beside what it says, by dry runs; or why it is refused. */
export type Effects = Readonly<{ touched: readonly string[]; refusal: string }>;
export type Prospect = Readonly<{ plan: Plan; ids: ReadonlyMap<string, string>; effects: ReadonlyMap<Step, Effects> }>;

/** What there is, what is to be done about it, and what that would do. */
export const prospectOf = async (set: DeclaredSet, invoke: Invoke, prune: boolean): Promise<Prospect> => {
  const read = reader(invoke);
  const own = (account: string) => set.declared.filter((each) => each.account === account);
  const surveys = await Promise.all(set.accounts.map((account) => survey(invoke, account, set.set, own(account))));
  const things: Thing[] = surveys.flat();
  await addUnlisted(set, things, invoke);
  things.push(...(await surveyConnections(read, set, match(set, things).ids)));
  const plan = planOf(set, things, prune);
  const { ids } = match(set, things);
  const effects = await Promise.all(
    plan.steps.map(async (step) => [step, await effectsOf(set.set, step, plan, ids, invoke)] as const),
  );
  return { plan, ids, effects: new Map(effects) };
};

/** What was made a moment ago may not be in the lists yet. What refers to it is looked for after it. */
const addUnlisted = async (set: DeclaredSet, things: Thing[], invoke: Invoke): Promise<void> => {
  const tried = new Set<string>();
  for (let added = true; added; ) {
    added = false;
    const { ids, things: matched } = match(set, things);
    for (const each of set.declared) {
      const isKnown = matched.has(each.name) || each.id !== '' || each.kind === 'Acceptance';
      if (isKnown || tried.has(each.name) || !referencesIn(each.fields).every((name) => ids.has(name))) continue;
      tried.add(each.name);
      const [step] = planOf({ ...set, declared: [each] }, [], false).steps;
      const thing = step && (await madeBefore(set.set, step, ids, invoke));
      if (!thing) continue;
      things.push(thing);
      added = true;
    }
  }
};

/**
 * A dry run of what makes a thing says its id, and records nothing where that was done before. One that is gone by now
 * was made by another request the next time.
 */
const madeBefore = async (
  set: string,
  step: Step,
  ids: ReadonlyMap<string, string>,
  invoke: Invoke,
): Promise<Thing | null> => {
  const read = reader(invoke);
  const [first] = step.calls;
  if (!first) return null;
  const { rpc } = first;
  const request = resolve(first.request, ids);
  for (let time = 0; ; time++) {
    const id = requestIdOf(set, step, { rpc, request }, String(time));
    // What is refused was not made either.
    const answer = await invoke(step.account, { rpc, request: { ...request, request_id: id, dry_run: true } }).catch(
      () => null,
    );
    if (answer === null || eventsOf(answer).length > 0) return null;
    const thing = await read.one(step.kind, step.account, idIn(answer), String(request['vpc_id'] ?? ''));
    if (thing) return thing;
  }
};

const eventsOf = (answer: Answer): readonly Json[] =>
  ((answer['preview'] as Fields | undefined)?.['events'] ?? []) as readonly Json[];

/** What its calls would do as things are, up to the first that is refused; of a creation, only what makes it. */
const effectsOf = async (
  set: string,
  step: Step,
  { steps }: Plan,
  ids: ReadonlyMap<string, string>,
  invoke: Invoke,
): Promise<Effects> => {
  const touched = new Set<string>();
  // What other steps do first may be what a call needs: then its refusal says nothing.
  const isFirst = step.action !== 'delete' && !steps.some(({ name }) => step.after.includes(name));
  for (const [index, { rpc, request }] of (step.action === 'create' ? step.calls.slice(0, 1) : step.calls).entries()) {
    const resolved = resolve(request, ids);
    if (referencesIn(resolved).length > 0) break;
    const id = requestIdOf(set, step, { rpc, request: resolved }, step.revision || '0');
    try {
      const answer = await invoke(step.account, { rpc, request: { ...resolved, request_id: id, dry_run: true } });
      const { connection_ids: connections = [] } = (answer['preview'] ?? {}) as Fields;
      for (const connection of connections as readonly string[]) touched.add(connection);
    } catch (error) {
      const refusal = isFirst && index === 0 ? (failureOf(error).line.split('\n')[0] ?? '') : '';
      return { touched: [...touched], refusal };
    }
  }
  return { touched: [...touched], refusal: '' };
};
