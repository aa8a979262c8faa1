import type { Answer } from '../call.ts';
import type { Json } from '../field-option.ts';

export const kindNames = [
  'Vpc',
  'VSwitch',
  'SecurityGroup',
  'RouteTable',
  'EndpointService',
  'Endpoint',
  'Acceptance',
] as const;
export type KindName = (typeof kindNames)[number];

/** What a thing is, in the words of a file: the contract's fields, with the short names of enumerations. */
export type Fields = Readonly<Record<string, Json>>;

/** What a file declares. Its fields may hold `ref:<name>`, for the id of another one. */
export type Declared = Readonly<{
  kind: KindName;
  name: string;
  /** As the file names it. */
  account: string;
  /** Of a thing that is there already, whoever made it; empty otherwise. */
  id: string;
  fields: Fields;
}>;

export type DeclaredSet = Readonly<{ set: string; accounts: readonly string[]; declared: readonly Declared[] }>;

/** What there is. */
export type Thing = Readonly<{
  kind: KindName;
  account: string;
  id: string;
  /** Those labels of it that are ours. */
  marks: Readonly<Record<string, string>>;
  /** Of its stream. */
  revision: string;
  fields: Fields;
}>;

/** An RPC by its name; its request may still hold references. */
export type Call = Readonly<{ rpc: string; request: Fields }>;

/** Calls an RPC for an account of the file. */
export type Invoke = (account: string, call: Call) => Promise<Answer>;

export type Difference = Readonly<{
  field: string;
  /** Of an entry of a list. */
  key?: string;
  before?: Json;
  after?: Json;
}>;

export const SET_MARK = 'privatelink/set';
export const NAME_MARK = 'privatelink/name';

const REFERENCE = 'ref:';

export const referenced = (value: Json): string | null =>
  typeof value === 'string' && value.startsWith(REFERENCE) ? value.slice(REFERENCE.length) : null;

/** Names that a value refers to, however deep. */
export const referencesIn = (value: Json): readonly string[] => {
  if (Array.isArray(value)) return value.flatMap((each) => referencesIn(each as Json));
  if (value !== null && typeof value === 'object') return Object.values(value).flatMap(referencesIn);
  const name = referenced(value);
  return name === null ? [] : [name];
};

/** The value with ids for those references that are known. */
export const resolve = <T extends Json>(value: T, ids: ReadonlyMap<string, string>): T => {
  if (Array.isArray(value)) return value.map((each: Json) => resolve(each, ids)) as unknown as T;
  if (value !== null && typeof value === 'object')
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, resolve(each as Json, ids)])) as T;
  const name = referenced(value);
  return (name === null ? value : (ids.get(name) ?? value)) as T;
};

/** Ids that a value mentions, however deep. */
export const mentions = (value: Json, id: string): boolean => {
  if (Array.isArray(value)) return value.some((each: Json) => mentions(each, id));
  if (value !== null && typeof value === 'object') return Object.values(value).some((each) => mentions(each, id));
  return value === id;
};
