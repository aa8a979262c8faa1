import { sql } from 'kysely';
import { Unavailable } from '../app/errors.ts';
import type { AnyEvent, StoredEvent } from '../eventing/message.ts';
import { claimCheckpoint, NOWHERE, readCheckpoint } from './checkpoint.ts';
import type { Db } from './connect.ts';
import { holdSeizedLease, LeaseLost } from './lease.ts';
import { type LeasedSubscriptionDeps, positionOf } from './leased-subscription.ts';
import { applyEvents, ensureReadModel, type ReadModel, readEvents } from './read-model.ts';
import { leaseOf } from './run-read-model.ts';

export type RebuildReport = Readonly<{
  position: bigint;
  rows: number;
  /** How many rows were missing, too many or other than the events say. */
  differences: number;
  /** Keys of such rows, at most a hundred. */
  differing: readonly string[];
}>;

/** @param target where the new table has to come to */
export type OnProgress = (position: bigint, target: bigint) => void;

const BATCH = 1_000;
const REPORTED = 100;

/**
 * Projects a read model anew beside the live table, compares both at one position, and swaps them.
 *
 * The long part runs beside the live projection. Then the live lease is seized, which stops the live projection at its
 * last commit; the new table catches up to exactly there; comparison and swap are one transaction that keeps the
 * checkpoint's row locked. Whoever projected before goes on afterwards. A later rebuild of the same read model takes over.
 *
 * @throws LeaseLost when a lease was seized from us in turn: nothing was changed
 * @throws Unavailable when it was interrupted, or the table is of another store: nothing was changed
 */
export const rebuildReadModel = async <E extends AnyEvent, R, C extends string>(
  deps: LeasedSubscriptionDeps,
  model: ReadModel<E, R, C>,
  onProgress: OnProgress = () => undefined,
): Promise<RebuildReport> => {
  const found = { report: null as RebuildReport | null, isTakenOver: false };
  const name = `rebuild.${model.table}`;
  await holdSeizedLease({ ...deps, name }, async ({ epoch, signal }) => {
    try {
      found.report = await rebuild({ ...deps, signal }, model, `${model.table}_rebuild_${epoch}`, onProgress);
    } catch (error) {
      // Whoever takes over drops our table under our feet.
      found.isTakenOver = error instanceof LeaseLost || (await isTakenOver(deps.db, name, epoch));
      throw found.isTakenOver ? new LeaseLost(`${name} was taken over`, { cause: error }) : error;
    }
  });
  if (found.report) return found.report;
  if (found.isTakenOver) throw new LeaseLost(`the rebuild of ${model.table} was taken over before it was done`);
  throw new Unavailable('REBUILD_INTERRUPTED', `the rebuild of ${model.table} was interrupted before it was done`);
};

const rebuild = async <E extends AnyEvent, R, C extends string>(
  deps: LeasedSubscriptionDeps,
  model: ReadModel<E, R, C>,
  fresh: string,
  onProgress: OnProgress,
): Promise<RebuildReport | null> => {
  const { db } = deps;
  await ensureReadModel(db, model);
  await dropLeftBehind(db, model.table);
  await ensureReadModel(db, model, fresh);
  try {
    // No further than the live table surely is when it is stopped.
    const begun = (await readCheckpoint(db, model.table)) ?? NOWHERE;
    await project(deps, model, fresh, NOWHERE, begun, onProgress);
    const found = { report: null as RebuildReport | null, lost: null as LeaseLost | null };
    await holdSeizedLease({ ...deps, name: leaseOf(model) }, async ({ epoch, signal }) => {
      const drop = () =>
        Promise.reject(
          new Unavailable('READ_MODEL_OF_ANOTHER_STORE', `${model.table} is of another event store, and is built anew`),
        );
      try {
        const position = await claimCheckpoint({ ...deps, name: model.table, epoch, drop });
        await project({ ...deps, signal }, model, fresh, begun, position, onProgress);
        found.report = await swap(db, model.table, fresh, position, epoch);
      } catch (error) {
        if (error instanceof LeaseLost) found.lost = error;
        throw error;
      }
    });
    if (found.lost) throw found.lost;
    return found.report;
  } finally {
    await sql`drop table if exists ${sql.id(fresh)}`.execute(db);
  }
};

const isTakenOver = async (db: Db, lease: string, epoch: bigint): Promise<boolean> => {
  const row = await db.selectFrom('lease').select('epoch').where('name', '=', lease).executeTakeFirst();
  return row?.epoch !== epoch;
};

/** Of earlier rebuilds that ended without a word. */
const dropLeftBehind = async (db: Db, table: string): Promise<void> => {
  const left = await sql<{ name: string }>`
    select tablename as name from pg_tables
    where schemaname = current_schema() and starts_with(tablename, ${`${table}_rebuild_`})`.execute(db);
  for (const { name } of left.rows) await sql`drop table if exists ${sql.id(name)}`.execute(db);
};

/** Applies the events after one position up to and including another. */
const project = async <E extends AnyEvent, R, C extends string>(
  { db, store, signal }: LeasedSubscriptionDeps,
  model: ReadModel<E, R, C>,
  table: string,
  after: bigint,
  upTo: bigint,
  onProgress: OnProgress,
): Promise<void> => {
  if (after >= upTo) return;
  let batch: StoredEvent[] = [];
  const apply = async () => {
    const events = batch;
    batch = [];
    const recorded = await readEvents(model, events);
    await db.transaction().execute((tx) => applyEvents(tx, model, table, recorded));
    const last = events.at(-1);
    if (last) onProgress(last.position, upTo);
  };
  for await (const message of store.subscribe({
    prefixes: model.prefixes,
    after: after === NOWHERE ? null : after,
    signal,
  })) {
    const position = positionOf(message);
    if (message.kind === 'event' && message.event.position <= upTo) batch.push(message.event);
    if (position === null || position >= upTo) break;
    if (batch.length >= BATCH) await apply();
  }
  await apply();
  signal.throwIfAborted();
};

const swap = (db: Db, live: string, fresh: string, position: bigint, epoch: bigint): Promise<RebuildReport> =>
  db.transaction().execute(async (tx) => {
    const held = await tx
      .selectFrom('checkpoint')
      .select('name')
      .where('name', '=', live)
      .where('position', '=', position)
      .where('epoch', '=', epoch)
      .forUpdate()
      .executeTakeFirst();
    if (!held) throw new LeaseLost(`checkpoint ${live} is not at ${position} under epoch ${epoch}`);
    const differing = await sql<{ key: string; total: bigint }>`
      select coalesce(live.key, fresh.key) as key, count(*) over () as total from ${sql.id(live)} as live
      full join ${sql.id(fresh)} as fresh on live.key = fresh.key
      where to_jsonb(live) is distinct from to_jsonb(fresh) order by 1 limit ${REPORTED}`.execute(tx);
    const count = await sql<{ rows: bigint }>`select count(*) as rows from ${sql.id(fresh)}`.execute(tx);
    await sql`drop table ${sql.id(live)}`.execute(tx);
    await sql`alter table ${sql.id(fresh)} rename to ${sql.id(live)}`.execute(tx);
    return {
      position,
      rows: Number(count.rows[0]?.rows),
      differences: Number(differing.rows[0]?.total ?? 0),
      differing: differing.rows.map((row) => row.key),
    };
  });
