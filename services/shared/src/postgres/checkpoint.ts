import { sql } from 'kysely';
import type { Logger } from 'pino';
import type { EventStore } from '../eventing/ports.ts';
import { storeIdentity } from '../kurrent/store-identity.ts';
import type { Db } from './connect.ts';
import { LeaseLost } from './lease.ts';
import { orUnavailable } from './or-unavailable.ts';

/** Before the first event. */
export const NOWHERE = -1n;

export type Claim = Readonly<{
  db: Db;
  store: EventStore;
  log: Logger;
  name: string;
  epoch: bigint;
  /** Deletes what was derived from the events up to the checkpoint, in the transaction that resets it. */
  drop: (tx: Db) => Promise<void>;
}>;

/**
 * Makes the checkpoint ours: from now on only this epoch can move it. When it is of another store, or of a future
 * that this store has lost by a restore, what was derived is dropped and begins again at the first event.
 *
 * @throws LeaseLost when a later epoch has it
 */
export const claimCheckpoint = async ({ store, ...claim }: Claim): Promise<bigint> =>
  claimCheckpointIn({ id: await storeIdentity(store), tail: () => store.tail() }, claim);

/** What a checkpoint is a place in: after a restore, or made anew, it is another one, or ends before the place. */
export type Origin = Readonly<{ id: string; tail: () => Promise<bigint> }>;

/** As `claimCheckpoint`, of any origin. */
export const claimCheckpointIn = async (
  { id: storeId, tail: findTail }: Origin,
  { db, log, name, epoch, drop }: Omit<Claim, 'store'>,
): Promise<bigint> => {
  const held = await takeOver(db, name, epoch, storeId);
  const tail = await findTail();
  if (held.store_id === storeId && held.position <= tail) return held.position;
  log.warn(
    { checkpoint: name, position: String(held.position), tail: String(tail), from: held.store_id, store: storeId },
    'this is not what was followed before: beginning again at the first event',
  );
  await db.transaction().execute(async (tx) => {
    const { numUpdatedRows } = await tx
      .updateTable('checkpoint')
      .set({ position: NOWHERE, store_id: storeId })
      .where('name', '=', name)
      .where('epoch', '=', epoch)
      .executeTakeFirst();
    if (numUpdatedRows !== 1n) throw new LeaseLost(`checkpoint ${name} is not under epoch ${epoch}`);
    await drop(tx);
  });
  return NOWHERE;
};

const takeOver = async (db: Db, name: string, epoch: bigint, storeId: string) => {
  const row = await db
    .insertInto('checkpoint')
    .values({ name, position: NOWHERE, epoch, store_id: storeId })
    .onConflict((conflict) =>
      conflict.column('name').doUpdateSet({ epoch }).where(sql<boolean>`checkpoint.epoch <= ${epoch}`),
    )
    .returning(['position', 'store_id'])
    .executeTakeFirst();
  if (!row) throw new LeaseLost(`checkpoint ${name} belongs to a later epoch than ${epoch}`);
  return row;
};

/**
 * Moves the checkpoint from where its holder knows it. Comes first in a transaction: it locks the row, so that a
 * holder that has lost its lease neither writes beside the new one nor after it.
 *
 * @throws LeaseLost when it is not there or not ours any more
 */
export const moveCheckpoint = async (
  tx: Db,
  { name, from, to, epoch }: Readonly<{ name: string; from: bigint; to: bigint; epoch: bigint }>,
): Promise<void> => {
  const { numUpdatedRows } = await tx
    .updateTable('checkpoint')
    .set({ position: to })
    .where('name', '=', name)
    .where('position', '=', from)
    .where('epoch', '=', epoch)
    .executeTakeFirst();
  if (numUpdatedRows !== 1n) throw new LeaseLost(`checkpoint ${name} is not at ${from} under epoch ${epoch}`);
};

/** Position of a checkpoint; null before the first event and before anybody has claimed it. */
export const readCheckpoint = async (db: Db, name: string): Promise<bigint | null> => {
  const query = db.selectFrom('checkpoint').select('position').where('name', '=', name);
  const row = await orUnavailable(query.executeTakeFirst());
  return row && row.position !== NOWHERE ? row.position : null;
};
