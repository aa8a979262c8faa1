import type { Condition } from '../postgres/condition.ts';
import { InvalidFilter } from './invalid-filter.ts';
import type { Filter, Operator, Restriction } from './syntax.ts';

/** What a list can be filtered by, and with `ordered` also sorted by; only what each of its callers may see. */
export type Field<C extends string> = Readonly<{
  column: C | 'key';
  /** `list` is filtered by what it contains, `tags` by keys and values. */
  type: 'text' | 'time' | 'number' | 'boolean' | 'list' | 'tags';
  /** All values that there are, where they are few. */
  values?: readonly string[];
  /** Never absent, so that a page can begin after it. */
  ordered?: boolean;
}>;

export type Fields<C extends string> = Readonly<Record<string, Field<C>>>;

const OPERATORS: Readonly<Record<Field<string>['type'], readonly Operator[]>> = {
  text: ['=', '!='],
  boolean: ['=', '!='],
  time: ['=', '!=', '<', '<=', '>', '>='],
  number: ['=', '!=', '<', '<=', '>', '>='],
  list: [':'],
  tags: [':', '=', '!='],
};

/** @throws InvalidFilter for what the list does not know */
export const compileFilter = <C extends string>(fields: Fields<C>, filter: Filter): Condition<C> => {
  switch (filter.is) {
    case 'and':
    case 'or':
      return { is: filter.is === 'and' ? 'all' : 'any', of: filter.of.map((part) => compileFilter(fields, part)) };
    case 'not':
      return { is: 'not', of: compileFilter(fields, filter.of) };
    case 'restriction':
      return compileRestriction(fields, filter);
  }
};

const compileRestriction = <C extends string>(fields: Fields<C>, restriction: Restriction): Condition<C> => {
  const { path, operator, value, at } = restriction;
  const [name = '', key, ...deeper] = path;
  const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
  if (!field) throw new InvalidFilter(at, `there is no field ${name}; there are ${Object.keys(fields).join(', ')}`);
  const allowed = OPERATORS[field.type];
  if (!allowed.includes(operator)) {
    throw new InvalidFilter(at, `${name} cannot be asked with ${operator}, only with ${allowed.join(' ')}`);
  }
  if (value?.includes('\0')) throw new InvalidFilter(at, 'a value must not contain NUL');
  if (field.type === 'tags') return compileTags(field, restriction, key, deeper.length > 0);
  if (key !== undefined) throw new InvalidFilter(at, `${name} has no parts`);
  if (value === null) throw new InvalidFilter(at, `* stands for any value of a tag only, as in tags.env:*`);
  const { column } = field;
  if (field.values && !field.values.includes(value)) {
    throw new InvalidFilter(at, `${value} is no value of ${name}; there are ${field.values.join(', ')}`);
  }
  if (field.type === 'list') return { is: 'containing', column: column as C, value };
  const to = readValue(field, name, value, at);
  if (operator === '!=') return { is: 'not', of: { is: 'compared', column, by: '=', to } };
  return { is: 'compared', column, by: operator as '=', to };
};

/** `tags:env`, `tags.env:*`: has it; `tags.env:prod`, `tags.env = prod`: has it with this value. */
const compileTags = <C extends string>(
  { column }: Field<C>,
  { operator, value, at }: Restriction,
  key: string | undefined,
  isDeeper: boolean,
): Condition<C> => {
  if (isDeeper) throw new InvalidFilter(at, 'a key with a dot is put in quotes: tags."a.b"');
  const containing = (entry: string): Condition<C> => ({ is: 'containing', column: column as C, value: entry });
  if (operator === ':' && key === undefined && value !== null) return containing(tagEntry(value));
  if (operator === ':' && key !== undefined && value === null) return containing(tagEntry(key));
  if (key === undefined) throw new InvalidFilter(at, 'a key is wanted: tags.env = prod, or tags:env');
  if (value === null) throw new InvalidFilter(at, '* goes with a colon: tags.env:*');
  const condition = containing(tagEntry(key, value));
  return operator === '!=' ? { is: 'not', of: condition } : condition;
};

/** How a tag stands in a column: once with its key alone, once with its value. */
const tagEntry = (...parts: readonly string[]): string => JSON.stringify(parts);

export const tagEntries = (tags: readonly Readonly<{ key: string; value: string }>[]): readonly string[] =>
  tags.flatMap(({ key, value }) => [tagEntry(key), tagEntry(key, value)]);

const TIME = /^(\d{4}-\d\d-\d\d)T\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;
const MAX = 2n ** 63n - 1n;

const readValue = (
  { type }: Field<string>,
  name: string,
  value: string,
  at: number,
): string | bigint | boolean | Date => {
  if (type === 'time') {
    const time = readTime(value);
    if (!time) throw new InvalidFilter(at, `${name} is a time as in "2026-01-02T03:04:05Z"`);
    return time;
  }
  if (type === 'number') {
    const number = /^-?\d{1,19}$/.test(value) ? BigInt(value) : null;
    if (number === null || number > MAX || number < -MAX) throw new InvalidFilter(at, `${name} is a whole number`);
    return number;
  }
  if (type === 'boolean') {
    if (value !== 'true' && value !== 'false') throw new InvalidFilter(at, `${name} is true or false`);
    return value === 'true';
  }
  return value;
};

const readTime = (value: string): Date | null => {
  const [, day] = TIME.exec(value) ?? [];
  // What is no day of its month, Date takes for one of the next.
  if (!day || !isDay(day)) return null;
  const time = new Date(value);
  const year = time.getUTCFullYear();
  // What PostgreSQL reads from ISO 8601.
  return year >= 1 && year <= 9999 ? time : null;
};

const isDay = (day: string): boolean => {
  const read = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(read.getTime()) && read.toISOString().startsWith(day);
};
