import type { Db } from '@privatelink/shared/postgres/connect';
import type { MemoryPostgres } from '@privatelink/shared/testing/memory-postgres';
import type { Host } from './host.ts';
import type { Trouble } from './trouble.ts';

/** A host's pool of connections, some of which break before or after what was asked is done. */
export const databaseOf = (host: Host, postgres: MemoryPostgres, trouble: Trouble): Db => {
  const { db, abandon } = postgres.connect(async (atServer) => {
    if (trouble.strikes('databaseBroken')) throw connectionLost();
    const isReplyLost = trouble.strikes('databaseReplyLost');
    const answer = await host.ask(atServer);
    if (isReplyLost) throw connectionLost();
    return answer;
  });
  host.onEnd(abandon);
  return db;
};

const connectionLost = (): Error => Object.assign(new Error('Connection terminated unexpectedly'), { code: '08006' });
