import type { Json } from '../field-option.ts';
import { Unplannable } from './failures.ts';
import { differencesOf, isAsDeclared, labelsFrom } from './kind.ts';
import { kinds } from './kinds.ts';
import {
  type Call,
  type Declared,
  type DeclaredSet,
  type Difference,
  type Fields,
  mentions,
  NAME_MARK,
  referencesIn,
  resolve,
  SET_MARK,
  type Thing,
} from './things.ts';

export type Step = Readonly<{
  action: 'create' | 'update' | 'delete';
  kind: Declared['kind'];
  name: string;
  account: string;
  /** Empty of what is to be created. */
  id: string;
  /** Of the thing as it was looked at; empty of what is to be created. */
  revision: string;
  differences: readonly Difference[];
  calls: readonly Call[];
  /** Names of things whose steps come first. */
  after: readonly string[];
}>;

export type Plan = Readonly<{ steps: readonly Step[]; unchanged: number; orphans: readonly Thing[] }>;

/** Which thing is which. */
export type Match = Readonly<{
  things: ReadonlyMap<string, Thing>;
  /** Id by name, of what there is. */
  ids: ReadonlyMap<string, string>;
  /** What the set made and does not declare. */
  orphans: readonly Thing[];
}>;

/** Of several with one name, which only two users at once can make, the one with the lowest id is meant. */
export const match = ({ set, declared }: DeclaredSet, all: readonly Thing[]): Match => {
  const sorted = all.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const found = new Map<string, Thing>();
  for (const each of declared) {
    const thing = sorted.find(
      ({ kind, account, id, marks }) =>
        kind === each.kind &&
        account === each.account &&
        (each.id === '' ? marks[SET_MARK] === set && marks[NAME_MARK] === each.name : id === each.id),
    );
    if (thing) found.set(each.name, thing);
  }
  const ids = new Map([...found].map(([name, { id }]) => [name, id]));
  for (const each of declared.filter(({ kind }) => kind === 'Acceptance')) {
    const connection = resolve(each.fields['connection_id'] ?? '', ids);
    const thing = sorted.find(
      ({ kind, account, id }) => kind === 'Acceptance' && account === each.account && id === connection,
    );
    if (thing) found.set(each.name, thing);
  }
  const kept = new Set([...found.values()].map(keyOf));
  const orphans = sorted.filter((thing) => thing.marks[SET_MARK] === set && !kept.has(keyOf(thing)));
  return { things: found, ids, orphans };
};

const keyOf = ({ kind, account, id }: Thing): string => `${kind} ${account} ${id}`;

/**
 * What is to be done, so that there is what is declared. A field that is left out is as it is.
 *
 * @throws Unplannable
 */
export const planOf = (set: DeclaredSet, things: readonly Thing[], prune: boolean): Plan => {
  const matched = match(set, things);
  const problems = missing(set, matched);
  const steps = set.declared.flatMap((each) => {
    const thing = matched.things.get(each.name);
    const fields = kinds[each.kind].canonical(resolve(each.fields, matched.ids));
    if (!thing) return [creation(set.set, each, fields)];
    const differences = differencesOf(kinds[each.kind], fields, kinds[each.kind].canonical(thing.fields));
    problems.push(...unchangeable(each, differences));
    return differences.length === 0 ? [] : [update(each, thing, differences, fields)];
  });
  if (problems.length > 0) throw new Unplannable(problems);
  const deletions = prune ? matched.orphans.flatMap((thing) => deletion(thing, matched.orphans)) : [];
  return {
    steps: [...inOrder(steps), ...inOrder(deletions)],
    unchanged: set.declared.length - steps.length,
    orphans: matched.orphans,
  };
};

const missing = ({ declared }: DeclaredSet, { things }: Match): string[] =>
  declared
    .filter(({ id, name }) => id !== '' && !things.has(name))
    .map(({ kind, name, id, account }) => `${kind} ${name}: account ${account} has no ${id}`);

const creation = (set: string, each: Declared, fields: Fields): Step => {
  const labels = labelsFrom({ ...(fields['tags'] as Fields | undefined), [SET_MARK]: set, [NAME_MARK]: each.name });
  return {
    ...{ action: 'create', kind: each.kind, name: each.name, account: each.account, id: '', revision: '' },
    differences: Object.entries(each.fields).map(([field, after]) => ({ field, after })),
    calls: kinds[each.kind].create(each.name, fields, labels),
    after: referencesIn(each.fields),
  };
};

const update = (each: Declared, thing: Thing, differences: readonly Difference[], fields: Fields): Step => ({
  ...{ action: 'update', kind: each.kind, name: each.name, account: each.account },
  ...{ id: thing.id, revision: thing.revision, differences },
  calls: kinds[each.kind].change(thing, differences, fields),
  after: referencesIn(each.fields),
});

const deletion = (thing: Thing, orphans: readonly Thing[]): readonly Step[] => {
  const { kind, account, id, revision, fields, marks } = thing;
  const { remove } = kinds[kind];
  if (!remove) return [];
  const users = orphans.filter((other) => other !== thing && mentions(other.fields as Json, id));
  return [
    {
      ...{ action: 'delete', kind, account, id, revision, name: marks[NAME_MARK] ?? id },
      differences: Object.entries(fields).map(([field, before]) => ({ field, before })),
      calls: remove(thing),
      after: users.map((user) => user.marks[NAME_MARK] ?? user.id),
    },
  ];
};

/** What no call changes, with what can be done instead. */
const unchangeable = ({ kind, name }: Declared, differences: readonly Difference[]): readonly string[] =>
  differences.flatMap(({ field, key, before, after }) => {
    const { immutable, keyed, changeable } = kinds[kind];
    const instead = 'give it another name, and --prune takes the old one away';
    if (immutable.includes(field)) {
      const values = `it is ${JSON.stringify(before ?? null)}, and is to be ${JSON.stringify(after ?? null)}`;
      return [`${kind} ${name}: ${field} cannot be changed: ${values}; ${instead}`];
    }
    if (!keyed[field] || before === undefined || after === undefined) return [];
    const allowed = changeable[field] ?? [];
    const changed = Object.entries(after as Fields).filter(
      ([part, value]) => !isAsDeclared(value, (before as Fields)[part]),
    );
    return changed
      .filter(([part]) => allowed !== 'all' && !allowed.includes(part))
      .map(
        ([part]) => `${kind} ${name}: ${field}[${key}].${part} cannot be changed; give the new one a key of its own`,
      );
  });

/** Each after those that it follows. */
const inOrder = (steps: readonly Step[]): readonly Step[] => {
  const left = [...steps];
  const ordered: Step[] = [];
  while (left.length > 0) {
    const at = left.findIndex(({ name, after }) =>
      left.every((other) => other.name === name || !after.includes(other.name)),
    );
    // There is always one: kinds refer to each other in one direction.
    ordered.push(...left.splice(Math.max(at, 0), 1));
  }
  return ordered;
};

/** The steps that may go now: none of those that they follow is left. */
export const ready = (left: readonly Step[]): readonly Step[] =>
  left.filter(({ name, after }) => left.every((other) => other.name === name || !after.includes(other.name)));
