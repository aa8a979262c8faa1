import { sql } from 'kysely';
import type { AnyEvent, Recorded, StoredEvent } from '../eventing/message.ts';
import type { Db } from './connect.ts';
import { type Column, checkName, ensureTable, type RowTable, rowOf, upsertRows } from './row-table.ts';

export type ReadModelDefinition<E extends AnyEvent, R, C extends string = string> = Readonly<{
  name: string;
  /** Raised with every change of evolve, key or columns: the new version is a new table, filled from the first event. */
  version: number;
  /** Of the streams that are followed, e.g. `endpointService-`. */
  prefixes: readonly string[];
  /** Null: not ours, or a snapshot. It may look at what the streams say up to the event, and at nothing else. */
  decode: (stored: StoredEvent) => Recorded<E> | null | Promise<Recorded<E> | null>;
  key: (event: Recorded<E>) => string;
  initial: R;
  /** Null deletes the row. Pure: a rebuild calls it again. */
  evolve: (state: R, event: Recorded<E>) => R | null;
  columns: Readonly<Record<C, Column<R>>>;
}>;

export type ReadModel<E extends AnyEvent, R, C extends string = string> = ReadModelDefinition<E, R, C> & RowTable<R, C>;

/** A table that is projected from the service's own events, one row per key. */
export const defineReadModel = <E extends AnyEvent, R, C extends string = string>(
  definition: ReadModelDefinition<E, R, C>,
): ReadModel<E, R, C> => ({ ...definition, table: checkName(`${definition.name}__${definition.version}`) });

/** Creates the table unless it is there, so that it can be queried before anybody projects into it. */
export const ensureReadModel = <E extends AnyEvent, R, C extends string>(
  db: Db,
  model: ReadModel<E, R, C>,
  table = model.table,
): Promise<void> => ensureTable(db, table, model.columns);

type Held<R> = { state: R | null; position: bigint; revision: bigint; updatedAt: string };

/** What of events is of this model. */
export const readEvents = async <E extends AnyEvent, R, C extends string>(
  model: ReadModel<E, R, C>,
  events: readonly StoredEvent[],
): Promise<readonly Recorded<E>[]> => {
  const recorded: Recorded<E>[] = [];
  for (const event of events) {
    const read = await model.decode(event);
    if (read !== null) recorded.push(read);
  }
  return recorded;
};

/**
 * Applies events, in order, to a table within a transaction that also moves the checkpoint.
 *
 * A deleted row needs no tombstone: the checkpoint passed the deletion in the same commit, and whoever applies
 * starts after the checkpoint, so that no older event can bring the row back.
 */
export const applyEvents = async <E extends AnyEvent, R, C extends string>(
  tx: Db,
  model: ReadModel<E, R, C>,
  table: string,
  recorded: readonly Recorded<E>[],
): Promise<void> => {
  if (recorded.length === 0) return;
  const rows = await loadRows<R>(tx, table, new Set(recorded.map(model.key)));
  for (const event of recorded) {
    const key = model.key(event);
    const row = rows.get(key);
    const { position, revision, recordedAt } = event.meta;
    if (row && position <= row.position) continue;
    rows.set(key, {
      state: model.evolve(row?.state ?? model.initial, event),
      position,
      revision,
      updatedAt: recordedAt,
    });
  }
  const kept: object[] = [];
  const deleted: string[] = [];
  for (const [key, { state, position, revision, updatedAt }] of rows) {
    if (state === null) deleted.push(key);
    else kept.push(rowOf(model.columns, { key, state, position, revision, updatedAt }));
  }
  if (kept.length > 0) await upsertRows(tx, table, model.columns, kept);
  if (deleted.length > 0) await sql`delete from ${sql.id(table)} where key = any(${deleted}::text[])`.execute(tx);
};

const loadRows = async <R>(tx: Db, table: string, keys: ReadonlySet<string>): Promise<Map<string, Held<R>>> => {
  const { rows } = await sql<Held<R> & { key: string }>`
    select key, state, position, revision, to_json(updated_at) #>> '{}' as "updatedAt"
    from ${sql.id(table)} where key = any(${[...keys]}::text[])`.execute(tx);
  return new Map(rows.map((row) => [row.key, row]));
};
