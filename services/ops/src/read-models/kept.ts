import type { Timestamp } from '@privatelink/proto/google/protobuf/timestamp';
import type { Column } from '@privatelink/shared/postgres/row-table';

/** A message of the contract in protobuf's JSON, with what is empty. */
export type JsonOf<T> = T extends Timestamp | bigint
  ? string
  : T extends readonly (infer Item)[]
    ? readonly JsonOf<Item>[]
    : T extends object
      ? { readonly [Key in keyof T]: JsonOf<T[Key]> }
      : T;

/** A resource as its owner announced it last: lists show it as it is. */
export type Kept<Resource> = Readonly<{
  /** It does not exist any more; what it was last wards off older words. */
  gone: boolean;
  resource: Resource;
}>;

type Text<R> = Readonly<Partial<Record<keyof R, unknown>>>;

const textOf = (resource: object, field: string): string => String((resource as Record<string, unknown>)[field] ?? '');

/** A column that holds a field of the resource as it is. */
export const text = <R extends Text<R>>(field: keyof R & string, indexed = false): Column<Kept<R>> => ({
  type: 'text',
  of: ({ resource }) => textOf(resource, field),
  indexed,
});

/** A column that holds an enum by its short name, as lists are filtered by it. */
export const named = <R extends Text<R>>(field: keyof R & string, prefix: string): Column<Kept<R>> => ({
  type: 'text',
  of: ({ resource }) => shortName(textOf(resource, field), prefix),
});

export const time = <R extends Text<R>>(field: keyof R & string): Column<Kept<R>> => ({
  type: 'timestamptz',
  of: ({ resource }) => textOf(resource, field) || null,
});

export const shortName = (name: string, prefix: string): string =>
  name.startsWith(prefix) ? name.slice(prefix.length) : name;

export const gone = { type: 'boolean', of: (state: Kept<unknown>) => state.gone } as const;
