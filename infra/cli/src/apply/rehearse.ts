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
  const effects = new Map<Step, Effects>();
  for (const step of plan.steps) effects.set(step, await effectsOf(set.set, step, plan, ids, invoke));
  return { plan, ids, effects };
};

/**
 * What was made a moment ago may not be in the lists yet: a dry run of what made it says its id, and records nothing
 * because that was done before.
 */
const addUnlisted = async (set: DeclaredSet, things: Thing[], invoke: Invoke): Promise<void> => {
  const read = reader(invoke);
  const tried = new Set<string>();
  for (let found = true; found; ) {
    found = false;
    const { ids, things: matched } = match(set, things);
    for (const { kind, name, account, id, fields } of set.declared) {
      const isResolved = referencesIn(fields).every((each) => ids.has(each));
      if (matched.has(name) || tried.has(name) || kind === 'Acceptance' || id !== '' || !isResolved) continue;
      tried.add(name);
      const [step] = planOf({ ...set, declared: set.declared.filter((each) => each.name === name) }, [], false).steps;
      const [first] = step?.calls ?? [];
      if (!step || !first) continue;
      const request = resolve(first.request, ids);
      for (let time = 0; ; time++) {
        const again = {
          ...request,
          request_id: requestIdOf(set.set, step, { ...first, request }, String(time)),
          dry_run: true,
        };
        const answer = await invoke(account, { ...first, request: again }).catch(() => null);
        if (answer === null || eventsOf(answer).length > 0) break;
        const thing = await read.one(kind, account, idIn(answer), String(request['vpc_id'] ?? ''));
        if (!thing) continue;
        things.push(thing);
        found = true;
        break;
      }
    }
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
