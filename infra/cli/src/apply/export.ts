import { stringify } from 'yaml';
import type { Json } from '../field-option.ts';
import { survey } from './survey.ts';
import { type Fields, type Invoke, NAME_MARK, type Thing } from './things.ts';

/** What an account has, as documents that declare it: applied, they change nothing. */
export const exported = async (invoke: Invoke, account: string): Promise<string> => {
  const things = await survey(invoke, account, null);
  const names = namesFor(things);
  const header = { set: `export-${account}`, account };
  const documents = things.map(({ kind, id, fields }) => ({
    kind,
    name: names.get(id) ?? id,
    id,
    ...(withReferences(fields as Json, id, names) as Fields),
  }));
  return [header, ...documents].map((document) => stringify(document)).join('---\n');
};

/** The name that its set gave it, where that is the only one; else its id. */
const namesFor = (things: readonly Thing[]): ReadonlyMap<string, string> => {
  const given = things.map(({ marks }) => marks[NAME_MARK]);
  return new Map(
    things.map(({ id, marks }) => {
      const name = marks[NAME_MARK];
      const isUnique = name !== undefined && given.filter((each) => each === name).length === 1;
      return [id, isUnique ? name : id];
    }),
  );
};

const withReferences = (value: Json, self: string, names: ReadonlyMap<string, string>): Json => {
  if (Array.isArray(value)) return value.map((each: Json) => withReferences(each, self, names));
  if (value !== null && typeof value === 'object')
    return Object.fromEntries(
      Object.entries(value).map(([key, each]) => [key, withReferences(each as Json, self, names)]),
    );
  const name = typeof value === 'string' && value !== self ? names.get(value) : undefined;
  return name === undefined ? value : `ref:${name}`;
};
