import { isIPv6 } from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import type { Json } from '../field-option.ts';
import type { Call, Difference, Fields, Thing } from './things.ts';

/** What can be done about things of one kind. */
export type Kind = Readonly<{
  /** Fields that nothing changes afterwards. */
  immutable: readonly string[];
  /** Lists whose entries are compared one by one, each with what tells its entries apart. */
  keyed: Readonly<Record<string, (entry: Fields) => string>>;
  /** What of an entry may change while it is there: some of its fields, or all. */
  changeable: Readonly<Record<string, readonly string[] | 'all'>>;
  /** Fields that are said with a change, and that nothing shows afterwards. */
  unread?: readonly string[];
  /** The fields in the form in which they are compared. */
  canonical: (fields: Fields) => Fields;
  /** What makes it; the first call makes the thing itself, the others may refer to it as `ref:<name>`. */
  create: (name: string, fields: Fields, labels: Labels) => readonly Call[];
  change: (thing: Thing, differences: readonly Difference[], fields: Fields) => readonly Call[];
  /** What removes it; null for what is never removed. */
  remove: ((thing: Thing) => readonly Call[]) | null;
}>;

export type Labels = readonly Readonly<{ key: string; value: string }>[];

export const entriesOf = (value: Json | undefined): readonly Fields[] => (value ?? []) as unknown as readonly Fields[];

/** Those fields that are said, for a request. */
export const pick = (fields: Fields, ...names: readonly string[]): Fields =>
  Object.fromEntries(names.flatMap((name) => (fields[name] === undefined ? [] : [[name, fields[name] as Json]])));

/** `IPV4` of `ADDRESS_TYPE`, as the contract has it. */
export const full = (prefix: string, value: Json | undefined): Fields[string] | undefined =>
  value === undefined ? undefined : `${prefix}_${String(value)}`;

/** The contract's value by its short name; undefined when it is not said. */
export const short = (prefix: string, value: Json | undefined): string | undefined => {
  const text = String(value ?? '').replace(`${prefix}_`, '');
  return text === '' || text === 'UNSPECIFIED' ? undefined : text;
};

/** Without what is undefined, which JSON does not have. */
export const compact = (fields: Readonly<Record<string, Json | undefined>>): Fields =>
  Object.fromEntries(Object.entries(fields).filter((entry): entry is [string, Json] => entry[1] !== undefined));

/** A limit in Mbit/s as the contract says it; 0 is none. */
export const bandwidthFrom = (value: Json | undefined): Json | undefined => {
  if (value === undefined) return undefined;
  const { limit_mbps: limit = 0 } = value as Fields;
  const mode = limit === 0 ? 'SCALABILITY' : 'BANDWIDTH_LIMIT';
  return { traffic_control_mode: `TRAFFIC_CONTROL_MODE_${mode}`, limit_mbps: limit };
};

/** Labels as the contract has them. */
export const labelsFrom = (tags: Fields): Labels =>
  Object.entries(tags).map(([key, value]) => ({ key, value: String(value) }));

/** Labels instead of those that there are; ours stay. */
export const tagsRequest = (tags: Fields, marks: Thing['marks']): Json => ({
  tags: labelsFrom({ ...tags, ...marks }) as unknown as Json,
});

/** An IPv6 address or range as the services write it; anything else as it is. */
export const canonicalAddress = (text: Json | undefined): Json | undefined => {
  if (typeof text !== 'string') return text;
  const [address = '', length] = text.split('/');
  if (!isIPv6(address)) return text;
  const written = new URL(`http://[${address}]`).hostname.slice(1, -1);
  return length === undefined ? written : `${written}/${length}`;
};

/** Whether a value is as it is declared; what is left out of a message is not declared. */
export const isAsDeclared = (declared: Json | undefined, actual: Json | undefined): boolean => {
  if (declared !== null && typeof declared === 'object' && !Array.isArray(declared)) {
    if (actual === null || typeof actual !== 'object' || Array.isArray(actual)) return false;
    const there = actual as Fields;
    return Object.entries(declared).every(([name, value]) => isAsDeclared(value as Json, there[name]));
  }
  return isDeepStrictEqual(declared, actual);
};

/** What differs of the fields that are declared. Both are canonical. */
export const differencesOf = (
  kind: Pick<Kind, 'keyed' | 'unread'>,
  declared: Fields,
  actual: Fields,
): readonly Difference[] =>
  Object.entries(declared).flatMap(([field, after]): readonly Difference[] => {
    const keyOf = kind.keyed[field];
    const before = actual[field];
    if (kind.unread?.includes(field)) return [];
    if (keyOf) return entryDifferences(field, keyOf, entriesOf(after), entriesOf(before));
    const isSame =
      field === 'tags' || field === 'policy' ? isDeepStrictEqual(after, before) : isAsDeclared(after, before);
    return isSame ? [] : [{ field, after, ...(before !== undefined && { before }) }];
  });

const entryDifferences = (
  field: string,
  keyOf: (entry: Fields) => string,
  declared: readonly Fields[],
  actual: readonly Fields[],
): readonly Difference[] => {
  const there = new Map(actual.map((entry) => [keyOf(entry), entry]));
  const wanted = new Map(declared.map((entry) => [keyOf(entry), entry]));
  const removed = [...there].filter(([key]) => !wanted.has(key)).map(([key, before]) => ({ field, key, before }));
  const others = [...wanted].flatMap(([key, after]) => {
    const before = there.get(key);
    if (before === undefined) return [{ field, key, after }];
    return isAsDeclared(after, before) ? [] : [{ field, key, before, after }];
  });
  return [...others, ...removed];
};

/** Differences of one field, by what they do to its entries. */
export const entryChanges = (differences: readonly Difference[], name: string) => {
  const own = differences.filter(({ field }) => field === name);
  return {
    added: own.flatMap(({ before, after }) => (before === undefined && after !== undefined ? [after as Fields] : [])),
    changed: own.flatMap(({ before, after }) => (before !== undefined && after !== undefined ? [after as Fields] : [])),
    removed: own.flatMap(({ before, after }) =>
      before !== undefined && after === undefined ? [before as Fields] : [],
    ),
  };
};
