import { sql } from 'kysely';
import type { WorkRows } from '../app/run-reactor.ts';
import type { Db } from './connect.ts';
import { LeaseLost } from './lease.ts';

/** Which checkpoint must be under which epoch for the rows to be changed. */
export type Fence = Readonly<{ checkpoint: string; epoch: bigint }>;

/**
 * What a reactor has to look at again, and when. Derived from the events, so it may be dropped and rebuilt. A change
 * that is still under way when the reactor has lost its lease must not undo what its successor writes down.
 */
export const workRows = (db: Db, reactor: string, { checkpoint, epoch }: Fence): WorkRows => {
  const ours = sql`select from checkpoint where name = ${checkpoint} and epoch = ${epoch} for share`;
  return {
    schedule: async (key, due, attempt) => {
      const { numAffectedRows } = await sql`
        with ours as (${ours})
        insert into work (reactor, key, due, attempt) select ${reactor}, ${key}, ${due}, ${attempt} from ours
        on conflict (reactor, key) do update set due = excluded.due, attempt = excluded.attempt`.execute(db);
      if (numAffectedRows !== 1n) throw new LeaseLost(`work rows of ${reactor} are not under epoch ${epoch}`);
    },
    due: (now, limit) =>
      db
        .selectFrom('work')
        .select(['key', 'attempt'])
        .where('reactor', '=', reactor)
        .where('due', '<=', now)
        .orderBy('due')
        .limit(limit)
        .execute(),
    remove: async (key) => {
      await sql`
        with ours as (${ours})
        delete from work using ours where reactor = ${reactor} and key = ${key}`.execute(db);
    },
  };
};
