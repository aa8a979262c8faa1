import { type RawBuilder, sql } from 'kysely';
import { changeSchema } from './change-schema.ts';
import { type Condition, conditionSql } from './condition.ts';
import type { Db } from './connect.ts';
import { orUnavailable } from './or-unavailable.ts';
import { type Ordering, orderSql } from './row-order.ts';

type ColumnTypes = {
  text: string;
  bigint: bigint;
  timestamptz: Date | string;
  boolean: boolean;
  'text[]': readonly string[];
};

/** A value taken out of the state, so that it can be filtered by. */
export type Column<R> = {
  [T in keyof ColumnTypes]: Readonly<{ type: T; of: (state: R) => ColumnTypes[T] | null; indexed?: boolean }>;
}[keyof ColumnTypes];

/** What a column is filtered by; an array column by what it contains. */
export type ColumnValue = Exclude<ColumnTypes[keyof ColumnTypes], readonly string[]> | null;

/** A table of JSON states by key, each with the position and revision of the event that changed it last. */
export type RowTable<R, C extends string = string> = Readonly<{
  table: string;
  columns: Readonly<Record<C, Column<R>>>;
}>;

export type Row<R> = Readonly<{ key: string; state: R; position: bigint; revision: bigint; updatedAt: Date }>;

export const checkName = (name: string): string => {
  // Room for the suffix of a rebuild below PostgreSQL's 63 bytes.
  if (!/^[a-z][a-zA-Z0-9_]{0,49}$/.test(name)) throw new Error(`not a table name: ${name}`);
  return name;
};

const definitions = <R>(columns: Readonly<Record<string, Column<R>>>, own: readonly string[]): RawBuilder<unknown> =>
  sql.join(
    [
      // Bytes, not the locale, order keys, so that pages follow the same order everywhere.
      sql`key text collate "C"`,
      sql`state jsonb`,
      sql`position bigint`,
      sql`revision bigint`,
      sql`updated_at timestamptz`,
      ...own.map((name) => sql`${sql.id(name)} text`),
      ...Object.entries(columns).map(([name, { type }]) => sql`${sql.id(name)} ${sql.raw(type)}`),
    ],
    sql`, `,
  );

/** Creates a table and its indexes unless it is there. `own` are further text columns. */
export const ensureTable = <R>(
  db: Db,
  table: string,
  columns: Readonly<Record<string, Column<R>>>,
  own: readonly string[] = [],
): Promise<void> =>
  changeSchema(db, async (tx) => {
    const found = await sql<{ there: boolean }>`
      select exists (select from pg_tables where schemaname = current_schema() and tablename = ${table}) as there`.execute(
      tx,
    );
    if (found.rows[0]?.there) return;
    // Room on each page for the next state of its rows: an update that finds it leaves the indexes alone.
    await sql`create table ${sql.id(table)} (${definitions(columns, own)}, primary key (key))
      with (fillfactor = 60)`.execute(tx);
    for (const [name, { indexed, type }] of Object.entries(columns)) {
      if (!indexed) continue;
      const on = type === 'text[]' ? sql`using gin (${sql.id(name)})` : sql`(${sql.id(name)}, key)`;
      await sql`create index on ${sql.id(table)} ${on}`.execute(tx);
    }
  });

const toJson = (value: ColumnValue | readonly string[]): string | boolean | readonly string[] | null => {
  if (typeof value === 'bigint') return String(value);
  return value instanceof Date ? value.toISOString() : value;
};

const byPosition = sql`held.position < excluded.position`;

/** Inserts rows, each given as JSON, or replaces the held ones where they are newer. Returns how many it changed. */
export const upsertRows = async <R>(
  tx: Db,
  table: string,
  columns: Readonly<Record<string, Column<R>>>,
  rows: readonly object[],
  own: readonly string[] = [],
  newer: RawBuilder<unknown> = byPosition,
): Promise<number> => {
  const names = [...Object.keys(columns), ...own, 'key', 'state', 'position', 'revision', 'updated_at'].map((name) =>
    sql.id(name),
  );
  const list = sql.join(names, sql`, `);
  const set = sql.join(
    names.map((name) => sql`${name} = excluded.${name}`),
    sql`, `,
  );
  const { numAffectedRows } = await sql`
    insert into ${sql.id(table)} as held (${list})
    select ${list} from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as given (${definitions(columns, own)})
    on conflict (key) do update set ${set} where ${newer}`.execute(tx);
  return Number(numAffectedRows ?? 0n);
};

/** A list is a set: keys of a state that was read from the table come in another order than those of a fresh one. */
const inOrder = <T>(value: T | readonly string[]): T | readonly string[] =>
  Array.isArray(value) ? value.toSorted() : value;

/** The JSON of a row. */
export const rowOf = <R>(
  columns: Readonly<Record<string, Column<R>>>,
  { key, state, position, revision, updatedAt }: Omit<Row<R>, 'updatedAt'> & { updatedAt: string },
): object => ({
  ...Object.fromEntries(Object.entries(columns).map(([name, { of }]) => [name, toJson(inOrder(of(state)))])),
  key,
  state,
  position: String(position),
  revision: String(revision),
  updated_at: updatedAt,
});

export type Where<C extends string> = Readonly<Partial<Record<C, ColumnValue | readonly ColumnValue[]>>>;

export type RowQuery<C extends string> = Readonly<{
  /** Every column must equal, or contain, its value or one of its values; null means absent. */
  where?: Where<C>;
  /** What must hold besides. */
  also?: Condition<C> | undefined;
  /** This row alone, or these. */
  key?: string | readonly string[];
  /** Last key of the page before, where rows are in the order of their keys. */
  after?: string;
  /** That of their keys, unless given. */
  order?: readonly Ordering<C>[];
  limit: number;
}>;

const conditions = <R, C extends string>(
  { table, columns }: RowTable<R, C>,
  where: Where<C> | undefined,
): RawBuilder<unknown>[] =>
  Object.entries<ColumnValue | readonly ColumnValue[] | undefined>(where ?? {}).flatMap(([name, wanted]) => {
    if (wanted === undefined) return [];
    const column = columns[name as C];
    if (!column) throw new Error(`${table} has no column ${name}`);
    const values = Array.isArray(wanted) ? wanted : [wanted];
    const given = values.filter((value) => value !== null).map(toJson);
    if (column.type === 'text[]') return [sql`${sql.id(name)} && ${given}::text[]`];
    const anyOf = sql`${sql.id(name)} = any(${given}::${sql.raw(column.type)}[])`;
    return [values.includes(null) ? sql`(${anyOf} or ${sql.id(name)} is null)` : anyOf];
  });

const whereAll = (filters: readonly RawBuilder<unknown>[]): RawBuilder<unknown> =>
  filters.length > 0 ? sql`where ${sql.join(filters, sql` and `)}` : sql``;

const BY_KEY: readonly Ordering<never>[] = [{ column: 'key', descending: false }];

/** A page of rows. */
export const queryRows = async <R, C extends string>(
  db: Db,
  model: RowTable<R, C>,
  { where, also, key, after, order = BY_KEY, limit }: RowQuery<C>,
): Promise<readonly Row<R>[]> => {
  const filters = conditions(model, where);
  if (also) filters.push(conditionSql(model.columns, also));
  if (typeof key === 'string') filters.push(sql`key = ${key}`);
  else if (key !== undefined) filters.push(sql`key = any(${[...key]}::text[])`);
  if (after !== undefined) filters.push(sql`key > ${after}`);
  const query = sql<Row<R>>`
    select key, state, position, revision, updated_at as "updatedAt" from ${sql.id(model.table)}
    ${whereAll(filters)} order by ${orderSql(model.columns, order)} limit ${limit}`;
  return (await orUnavailable(query.execute(db))).rows;
};

export const countRows = async <R, C extends string>(
  db: Db,
  model: RowTable<R, C>,
  where: Where<C>,
): Promise<number> => {
  const query = sql<{ count: bigint }>`
    select count(*) as count from ${sql.id(model.table)} ${whereAll(conditions(model, where))}`;
  const { rows } = await orUnavailable(query.execute(db));
  return Number(rows[0]?.count ?? 0n);
};

/** How many rows there are of which something holds; where there are more than the limit, the limit. */
export const countUpTo = async <R, C extends string>(
  db: Db,
  { table, columns }: RowTable<R, C>,
  condition: Condition<C>,
  limit: number,
): Promise<number> => {
  const query = sql<{ count: bigint }>`
    select count(*) as count from (
      select from ${sql.id(table)} where ${conditionSql(columns, condition)} limit ${limit}) as found`;
  const { rows } = await orUnavailable(query.execute(db));
  return Number(rows[0]?.count ?? 0n);
};
