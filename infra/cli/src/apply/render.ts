import { isDeepStrictEqual } from 'node:util';
import { stringify } from 'yaml';
import type { Json } from '../field-option.ts';
import type { Plan, Step } from './plan.ts';
import type { Effects, Prospect } from './rehearse.ts';
import type { Difference, Fields } from './things.ts';

const SIGNS = { create: '+', update: '~', delete: '-' } as const;
const SHOWN_CONNECTIONS = 5;

/** What is going to be done, for people. */
export const planLines = ({ plan, effects }: Prospect, prune: boolean): readonly string[] => {
  const orphans = prune ? [] : plan.orphans;
  return [
    ...plan.steps.flatMap((step) => stepLines(step, effects.get(step))),
    ...(orphans.length > 0
      ? [`Not declared any more, kept without --prune: ${orphans.map(({ kind, id }) => `${kind} ${id}`).join(', ')}`]
      : []),
    summary(plan),
  ];
};

const summary = ({ steps, unchanged }: Plan): string => {
  if (steps.length === 0) return `No change: all ${unchanged} are as declared.`;
  const count = (action: Step['action']) => steps.filter((step) => step.action === action).length;
  return `${count('create')} to create, ${count('update')} to change, ${count('delete')} to delete, ${unchanged} as declared.`;
};

const stepLines = (step: Step, effects: Effects | undefined): readonly string[] => {
  const { action, kind, name, account, id, differences } = step;
  const head = `${SIGNS[action]} ${kind} ${name} of ${account}${id === '' ? '' : ` (${id})`}`;
  const shown =
    action === 'create' ? creationLines(differences) : action === 'update' ? differences.flatMap(differenceLines) : [];
  const { touched = [], refusal = '' } = effects ?? {};
  const more = touched.length > SHOWN_CONNECTIONS ? ' ...' : '';
  return [
    head,
    ...shown.map((line) => `    ${line}`),
    ...(action !== 'create' && touched.length > 0
      ? [`    touches ${touched.length} connections: ${touched.slice(0, SHOWN_CONNECTIONS).join(' ')}${more}`]
      : []),
    ...(refusal === '' ? [] : [`    would be refused now: ${refusal}`]),
  ];
};

/** As it would be declared. */
const creationLines = (differences: readonly Difference[]): readonly string[] => {
  const said = differences.filter(({ after }) => !isEmpty(after)).map(({ field, after }) => [field, after]);
  return said.length === 0 ? [] : stringify(Object.fromEntries(said), { lineWidth: 76 }).trimEnd().split('\n');
};

const differenceLines = ({ field, key, before, after }: Difference): readonly string[] => {
  const name = key === undefined ? field : `${field}[${key}]`;
  if (key !== undefined && after === undefined) return [`- ${name}`];
  if (key !== undefined && before === undefined) return [`+ ${name}: ${textOf(after)}`];
  if (!isMapping(before) || !isMapping(after)) return [`${name}: ${textOf(before)} -> ${textOf(after)}`];
  return Object.entries(after)
    .filter(([part, value]) => !isDeepStrictEqual(value, before[part]))
    .map(([part, value]) => `${name}.${part}: ${textOf(before[part])} -> ${textOf(value as Json)}`);
};

const isMapping = (value: Json | undefined): value is Fields =>
  value !== null && typeof value === 'object' && !Array.isArray(value);

const isEmpty = (value: Json | undefined): boolean =>
  value === undefined || value === null || (typeof value === 'object' && Object.keys(value).length === 0);

/** As YAML would have it on one line. */
const textOf = (value: Json | undefined): string => {
  if (value === undefined || value === null) return '(none)';
  if (Array.isArray(value)) return `[${value.map((each) => textOf(each as Json)).join(', ')}]`;
  if (isMapping(value)) {
    const parts = Object.entries(value).filter(([, each]) => !isEmpty(each));
    return `{ ${parts.map(([key, each]) => `${key}: ${textOf(each)}`).join(', ')} }`;
  }
  return value === '' ? '""' : String(value);
};

/** For programs. */
export const planJson = ({ plan, effects }: Prospect): Fields => ({
  steps: plan.steps.map((step) => {
    const { touched = [], refusal = '' } = effects.get(step) ?? {};
    const { action, kind, name, account, id, differences } = step;
    return { action, kind, name, account, id, differences, connection_ids: touched, refusal };
  }) as unknown as Json,
  unchanged: plan.unchanged,
  undeclared: plan.orphans.map(({ kind, account, id }) => ({ kind, account, id })),
});
