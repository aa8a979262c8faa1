import { sql } from 'kysely';
import type { Db } from './connect.ts';

/** Serialises changes of the schema: `if not exists` alone fails when two replicas start at once. */
export const changeSchema = (db: Db, change: (tx: Db) => Promise<void>): Promise<void> =>
  db.transaction().execute(async (tx) => {
    await sql`select pg_advisory_xact_lock(hashtextextended('privatelink', 0))`.execute(tx);
    await change(tx);
  });
