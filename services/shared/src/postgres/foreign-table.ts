import { sql } from 'kysely';
import type { Clock } from '../eventing/ports.ts';
import type { Db } from './connect.ts';
import { orUnavailable } from './or-unavailable.ts';
import {
  type Column,
  checkName,
  ensureTable,
  queryRows,
  type Row,
  type RowTable,
  rowOf,
  upsertRows,
} from './row-table.ts';
import { waitUntilReached } from './wait-until-reached.ts';

/** What this service knows of another one's resources: shown and filtered by, never decided on. */
export type ForeignTable<R, C extends string = string> = RowTable<R, C>;

export type ForeignRow<R> = Readonly<{
  key: string;
  /** Stream of the source service, and the revision and position that this state is as of. */
  sourceStream: string;
  revision: bigint;
  position: bigint;
  state: R;
  recordedAt: string;
}>;

export const defineForeignTable = <R, C extends string = string>(
  definition: Readonly<{ source: string; noun: string; columns: Readonly<Record<C, Column<R>>> }>,
): ForeignTable<R, C> => ({
  table: checkName(`foreign_${definition.source}_${definition.noun}`),
  columns: definition.columns,
});

export const ensureForeignTable = <R, C extends string>(
  db: Db,
  { table, columns }: ForeignTable<R, C>,
): Promise<void> => ensureTable(db, table, columns, ['source_stream']);

/** A later revision of the same stream, or of another stream of the source that has the key by now. */
const newer = sql`case when held.source_stream = excluded.source_stream
  then held.revision < excluded.revision else held.position < excluded.position end`;

const isNewer = <R>(a: ForeignRow<R>, b: ForeignRow<R>): boolean =>
  a.sourceStream === b.sourceStream ? a.revision > b.revision : a.position > b.position;

/**
 * Keeps states unless what is held is as new; says how many it changed. Whoever deletes keeps a last state: it wards off
 * older ones.
 */
export const putForeign = async <R, C extends string>(
  db: Db,
  { table, columns }: ForeignTable<R, C>,
  rows: readonly ForeignRow<R>[],
): Promise<number> => {
  const newest = new Map<string, ForeignRow<R>>();
  for (const row of rows) {
    const other = newest.get(row.key);
    if (!other || isNewer(row, other)) newest.set(row.key, row);
  }
  const json = [...newest.values()].map(({ sourceStream, recordedAt, ...row }) => {
    return { ...rowOf(columns, { ...row, updatedAt: recordedAt }), source_stream: sourceStream };
  });
  return json.length > 0 ? upsertRows(db, table, columns, json, ['source_stream'], newer) : 0;
};

export const getForeign = async <R, C extends string>(
  db: Db,
  table: ForeignTable<R, C>,
  key: string,
): Promise<Row<R> | null> => {
  const [row] = await queryRows(db, table, { key, limit: 1 });
  return row ?? null;
};

/** Those of these keys that there are. */
export const getAllForeign = <R, C extends string>(
  db: Db,
  table: ForeignTable<R, C>,
  keys: readonly string[],
): Promise<readonly Row<R>[]> => queryRows(db, table, { key: keys, limit: keys.length });

/** Notes how far the source's announcements have been handled; heartbeats bring only this. */
export const advanceForeign = async (db: Db, source: string, position: bigint): Promise<void> => {
  await db
    .insertInto('foreign_position')
    .values({ source, position })
    .onConflict((conflict) =>
      conflict
        .column('source')
        .doUpdateSet({ position })
        .where(sql<boolean>`foreign_position.position < excluded.position`),
    )
    .execute();
};

/** Highest position of the source that was handled; null before the first. */
export const foreignPosition = async (db: Db, source: string): Promise<bigint | null> => {
  const query = db.selectFrom('foreign_position').select('position').where('source', '=', source);
  const row = await orUnavailable(query.executeTakeFirst());
  return row?.position ?? null;
};

/**
 * Waits until what is known of a source includes everything up to a position of its store.
 *
 * @param deadline epoch milliseconds
 * @throws Unavailable READ_MODEL_BEHIND when it does not get there in time
 */
export const waitForForeign = ({
  db,
  source,
  ...wanted
}: Readonly<{ db: Db; source: string; position: bigint; deadline: number; clock: Clock }>): Promise<void> =>
  waitUntilReached({ ...wanted, name: `what is known of ${source}`, reached: () => foreignPosition(db, source) });
