import { sql } from 'kysely';
import type { Logger } from 'pino';
import type { Clock } from '../eventing/ports.ts';
import type { Db } from './connect.ts';

/** Somebody else holds the lease by now: what was refused must not be repeated under the old epoch. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
}

export type Lease = Readonly<{
  /** Rises with every acquisition; what fences a holder that has not noticed its loss. */
  epoch: bigint;
  /** Aborts when the lease is lost or its holder shall stop. */
  signal: AbortSignal;
}>;

export type LeaseOptions = Readonly<{
  db: Db;
  name: string;
  /** Unique per process. */
  holder: string;
  clock: Clock;
  log: Logger;
  signal: AbortSignal;
}>;

const RENEW_EVERY_MS = 1000;
const LOST_AFTER_MS = 4000;
const expiry = sql<Date>`clock_timestamp() + make_interval(secs => ${LOST_AFTER_MS / 1000})`;

/**
 * Runs `work` whenever this process holds the lease, until the signal aborts. A lease saves work; it does not keep
 * anything right by itself: whatever `work` writes is guarded by the epoch or by the target's own sequence.
 *
 * Work that returns or throws `LeaseLost` gives the lease away; any other error releases it and is thrown on.
 */
export const holdLease = async (options: LeaseOptions, work: (lease: Lease) => Promise<void>): Promise<void> => {
  const { name, clock, log, signal } = options;
  while (!signal.aborted) {
    const askedAt = clock.now().getTime();
    const epoch = await acquire(options).catch((err: unknown) => {
      log.warn({ lease: name, err }, 'lease cannot be asked for');
      return null;
    });
    if (epoch !== null) {
      log.info({ lease: name, epoch: String(epoch) }, 'lease acquired');
      // Work that waits for an abort would wait for ever for one that came meanwhile.
      if (signal.aborted) return giveBack(options, epoch);
      await holdOnce(options, epoch, askedAt, work);
    }
    // Also after a held one, so that another replica gets its turn.
    await clock.sleep(RENEW_EVERY_MS, signal);
  }
};

/** Takes the lease from whoever holds it and runs `work` once. The other is fenced by the epoch, and then notices. */
export const holdSeizedLease = async (options: LeaseOptions, work: (lease: Lease) => Promise<void>): Promise<void> => {
  const askedAt = options.clock.now().getTime();
  await holdOnce(options, await seizeLease(options), askedAt, work);
};

const holdOnce = async (
  options: LeaseOptions,
  epoch: bigint,
  acquiredAt: number,
  work: (lease: Lease) => Promise<void>,
): Promise<void> => {
  const { name, log } = options;
  const life = new AbortController();
  const signal = AbortSignal.any([options.signal, life.signal]);
  const renewing = renewUntilLost(options, epoch, acquiredAt, life);
  try {
    await work({ epoch, signal });
  } catch (error) {
    if (!(error instanceof LeaseLost) && !signal.aborted) throw error;
    if (!options.signal.aborted) log.warn({ lease: name, epoch: String(epoch), err: error }, 'lease given up');
  } finally {
    life.abort();
    await renewing;
    await giveBack(options, epoch);
  }
};

const giveBack = (options: LeaseOptions, epoch: bigint): Promise<void> =>
  release(options, epoch).catch((err: unknown) =>
    options.log.warn({ lease: options.name, err }, 'lease left to expire'),
  );

/** Renews also while the work winds up after a stop, so that nobody takes over before it has ended. */
const renewUntilLost = async (
  options: LeaseOptions,
  epoch: bigint,
  acquiredAt: number,
  life: AbortController,
): Promise<void> => {
  const { name, clock, log } = options;
  let validUntil = acquiredAt + LOST_AFTER_MS;
  while (!life.signal.aborted) {
    await clock.sleep(RENEW_EVERY_MS, life.signal);
    if (life.signal.aborted) return;
    const sentAt = clock.now().getTime();
    const answered = new AbortController();
    const outcome = await Promise.race([
      renew(options, epoch).catch(() => 'failed' as const),
      clock
        .sleep(Math.max(0, validUntil - sentAt), AbortSignal.any([life.signal, answered.signal]))
        .then(() => 'failed' as const),
    ]);
    answered.abort();
    if (outcome === 'renewed') validUntil = sentAt + LOST_AFTER_MS;
    else if (!life.signal.aborted && (outcome === 'taken' || clock.now().getTime() >= validUntil)) {
      log.warn({ lease: name, epoch: String(epoch) }, 'lease lost');
      life.abort();
    }
  }
};

const acquire = async ({ db, name, holder }: LeaseOptions): Promise<bigint | null> => {
  const row = await db
    .insertInto('lease')
    .values({ name, holder, epoch: 1n, expires_at: expiry })
    .onConflict((conflict) =>
      conflict
        .column('name')
        .doUpdateSet({ holder, epoch: sql`lease.epoch + 1`, expires_at: expiry })
        .where(sql<boolean>`lease.expires_at <= clock_timestamp()`),
    )
    .returning('epoch')
    .executeTakeFirst();
  return row?.epoch ?? null;
};

export const seizeLease = async ({
  db,
  name,
  holder,
}: Pick<LeaseOptions, 'db' | 'name' | 'holder'>): Promise<bigint> => {
  const row = await db
    .insertInto('lease')
    .values({ name, holder, epoch: 1n, expires_at: expiry })
    .onConflict((conflict) =>
      conflict.column('name').doUpdateSet({ holder, epoch: sql`lease.epoch + 1`, expires_at: expiry }),
    )
    .returning('epoch')
    .executeTakeFirstOrThrow();
  return row.epoch;
};

const renew = async ({ db, name }: LeaseOptions, epoch: bigint): Promise<'renewed' | 'taken'> => {
  const { numUpdatedRows } = await db
    .updateTable('lease')
    .set({ expires_at: expiry })
    .where('name', '=', name)
    .where('epoch', '=', epoch)
    .executeTakeFirst();
  return numUpdatedRows === 1n ? 'renewed' : 'taken';
};

/** Expires the row at once; it stays, so that epochs go on rising. */
const release = async ({ db, name }: LeaseOptions, epoch: bigint): Promise<void> => {
  await db
    .updateTable('lease')
    .set({ expires_at: sql<Date>`clock_timestamp()` })
    .where('name', '=', name)
    .where('epoch', '=', epoch)
    .execute();
};
