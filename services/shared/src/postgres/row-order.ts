import { type RawBuilder, sql } from 'kysely';
import { type Condition, comparableOf, comparableSql } from './condition.ts';
import type { Column, ColumnValue } from './row-table.ts';

/** One of the columns that rows are in order of; it is never absent. */
export type Ordering<C extends string = string> = Readonly<{ column: C | 'key'; descending: boolean }>;

type Columns<R, C extends string> = Readonly<Record<C, Column<R>>>;
type Placed<R> = Readonly<{ key: string; state: R }>;

/**
 * An order in which no two rows are equal: those that otherwise are follow their keys, in the same direction, so that
 * one index of a column and the key serves both.
 */
export const totalOrder = <C extends string>(order: readonly Ordering<C>[]): readonly Ordering<C>[] =>
  order.some(({ column }) => column === 'key')
    ? order
    : [...order, { column: 'key', descending: order.at(-1)?.descending ?? false }];

export const orderSql = <R, C extends string>(
  columns: Columns<R, C>,
  order: readonly Ordering<C>[],
): RawBuilder<unknown> =>
  sql.join(
    order.map(
      ({ column, descending }) => sql`${comparableSql(columns, column)} ${sql.raw(descending ? 'desc' : 'asc')}`,
    ),
  );

/** The same order for what is in no table. */
export const inOrder =
  <R, C extends string>(columns: Columns<R, C>, order: readonly Ordering<C>[]) =>
  (one: Placed<R>, other: Placed<R>): number => {
    for (const { column, descending } of order) {
      const [a, b] = [comparableOf(columns, column, one), comparableOf(columns, column, other)];
      if (a === null || b === null) throw new Error(`${column} is absent in an order`);
      if (a !== b) return a < b === descending ? 1 : -1;
    }
    return 0;
  };

/** Where a row stands in a total order, as text. */
export const placeOf = <R, C extends string>(
  columns: Columns<R, C>,
  order: readonly Ordering<C>[],
  { key, state }: Placed<R>,
): string => {
  const values = order.map(({ column }) => {
    const value = column === 'key' ? key : (columns[column].of(state) as ColumnValue);
    if (typeof value === 'bigint') return String(value);
    return value instanceof Date ? value.toISOString() : value;
  });
  return JSON.stringify(values);
};

/** The rows that come after a place. */
export const afterPlace = <R, C extends string>(
  columns: Columns<R, C>,
  order: readonly Ordering<C>[],
  place: string,
): Condition<C> => {
  const values = (JSON.parse(place) as readonly (string | boolean)[]).map((value, index) => {
    const column = order[index]?.column ?? 'key';
    return column !== 'key' && columns[column].type === 'bigint' ? BigInt(value) : value;
  });
  if (values.length !== order.length) throw new Error(`a place of another order: ${place}`);
  const beyond = (descending: boolean): '<' | '>' => (descending ? '<' : '>');
  const [{ descending: isDescending } = { descending: false }] = order;
  if (order.every(({ descending }) => descending === isDescending)) {
    return { is: 'beyond', columns: order.map(({ column }) => column), by: beyond(isDescending), to: values };
  }
  const compared = (index: number, by: '=' | '<' | '>'): Condition<C> => {
    const [ordering, to] = [order[index], values[index]];
    return { is: 'compared', column: ordering?.column ?? 'key', by, to: to ?? '' };
  };
  return {
    is: 'any',
    of: order.map(({ descending }, index) => ({
      is: 'all',
      of: [...order.slice(0, index).map((_, before) => compared(before, '=')), compared(index, beyond(descending))],
    })),
  };
};
