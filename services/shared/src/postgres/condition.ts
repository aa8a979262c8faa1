import { type RawBuilder, sql } from 'kysely';
import type { Column, ColumnValue } from './row-table.ts';

type Comparison = '=' | '<' | '<=' | '>' | '>=';

/**
 * What rows are selected by: columns, and their `key`. Nothing compares with an absent value: then it does not hold,
 * and its opposite does.
 */
export type Condition<C extends string = string> =
  | Readonly<{ is: 'compared'; column: C | 'key'; by: Comparison; to: NonNullable<ColumnValue> }>
  /** In the order of these columns, which are never absent, after or before these values. */
  | Readonly<{ is: 'beyond'; columns: readonly (C | 'key')[]; by: '<' | '>'; to: readonly NonNullable<ColumnValue>[] }>
  | Readonly<{ is: 'absent'; column: C }>
  /** Of a column with several values. */
  | Readonly<{ is: 'containing'; column: C; value: string }>
  | Readonly<{ is: 'all' | 'any'; of: readonly Condition<C>[] }>
  | Readonly<{ is: 'not'; of: Condition<C> }>;

type Columns<R, C extends string> = Readonly<Record<C, Column<R>>>;

const typeOf = <R, C extends string>(columns: Columns<R, C>, column: C | 'key'): Column<R>['type'] =>
  column === 'key' ? 'text' : columns[column].type;

/** A column as it is compared and ordered by: texts by their bytes, as keys are. */
export const comparableSql = <R, C extends string>(columns: Columns<R, C>, column: C | 'key'): RawBuilder<unknown> =>
  column !== 'key' && typeOf(columns, column) === 'text' ? sql`${sql.id(column)} collate "C"` : sql`${sql.id(column)}`;

/** A value as a parameter of a column's type. */
export const parameterSql = <R, C extends string>(
  columns: Columns<R, C>,
  column: C | 'key',
  value: ColumnValue,
): RawBuilder<unknown> => {
  const given = value instanceof Date ? value.toISOString() : value;
  return sql`${given}::${sql.raw(typeOf(columns, column))}`;
};

/**
 * Into SQL; values only ever as parameters. What is absent makes a condition unknown, which selects no row. It is plain,
 * so that indexes serve it.
 */
export const conditionSql = <R, C extends string>(
  columns: Columns<R, C>,
  condition: Condition<C>,
): RawBuilder<unknown> => {
  switch (condition.is) {
    case 'compared': {
      const { column, by, to } = condition;
      const [left, right] = [comparableSql(columns, column), parameterSql(columns, column, to)];
      return sql`${left} ${sql.raw(by)} ${right}`;
    }
    case 'beyond': {
      const { columns: ordered, by, to } = condition;
      const left = ordered.map((column) => comparableSql(columns, column));
      const right = to.map((value, index) => parameterSql(columns, ordered[index] ?? 'key', value));
      return sql`(${sql.join(left)}) ${sql.raw(by)} (${sql.join(right)})`;
    }
    case 'absent':
      return sql`${sql.id(condition.column)} is null`;
    case 'containing':
      return sql`${sql.id(condition.column)} && ${[condition.value]}::text[]`;
    case 'not':
      return sql`(not coalesce(${conditionSql(columns, condition.of)}, false))`;
    default: {
      const parts = condition.of.map((part) => conditionSql(columns, part));
      if (parts.length === 0) return sql.lit(condition.is === 'all');
      return sql`(${sql.join(parts, condition.is === 'all' ? sql` and ` : sql` or `)})`;
    }
  }
};

const readColumn = <R, C extends string>(columns: Columns<R, C>, column: C | 'key', key: string, state: R) =>
  column === 'key' ? key : columns[column].of(state);

/** A value of a column or the key, to be compared with others of it; null where it is absent. */
export const comparableOf = <R, C extends string>(
  columns: Columns<R, C>,
  column: C | 'key',
  { key, state }: Readonly<{ key: string; state: R }>,
): string | bigint | number | null => {
  const value = readColumn(columns, column, key, state) as ColumnValue;
  return value === null ? null : comparable(value, typeOf(columns, column));
};

/** As a value of its type is compared, in JavaScript as in SQL. */
const comparable = (value: Exclude<ColumnValue, null>, type: Column<never>['type']): string | bigint | number => {
  if (type === 'timestamptz') return value instanceof Date ? value.getTime() : Date.parse(String(value));
  return typeof value === 'boolean' ? Number(value) : (value as string | bigint);
};

/** Whether a state fulfils it that is in no table. */
export const fulfils = <R, C extends string>(
  columns: Columns<R, C>,
  condition: Condition<C>,
  row: Readonly<{ key: string; state: R }>,
): boolean => {
  const read = (column: C | 'key') => readColumn(columns, column, row.key, row.state);
  switch (condition.is) {
    case 'compared': {
      const { column, by } = condition;
      const a = comparableOf(columns, column, row);
      if (a === null) return false;
      const b = comparable(condition.to, typeOf(columns, column));
      if (by === '=') return a === b;
      return (by.endsWith('=') && a === b) || (by.startsWith('<') ? a < b : a > b);
    }
    case 'beyond': {
      for (const [index, column] of condition.columns.entries()) {
        const [a, to] = [comparableOf(columns, column, row), condition.to[index]];
        if (a === null || to === undefined) return false;
        const b = comparable(to, typeOf(columns, column));
        if (a !== b) return condition.by === '<' ? a < b : a > b;
      }
      return false;
    }
    case 'absent':
      return read(condition.column) === null;
    case 'containing':
      return (read(condition.column) as readonly string[] | null)?.includes(condition.value) ?? false;
    case 'not':
      return !fulfils(columns, condition.of, row);
    case 'all':
      return condition.of.every((part) => fulfils(columns, part, row));
    default:
      return condition.of.some((part) => fulfils(columns, part, row));
  }
};
