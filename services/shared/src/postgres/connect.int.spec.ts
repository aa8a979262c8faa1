import { sql } from 'kysely';
import { Client } from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type PostgresServer, startPostgres } from '../testing/servers.ts';
import { connectPostgres } from './connect.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server?.stop());

test('a connection that breaks between two statements fails what uses it, and nothing else', async () => {
  const lost = Promise.withResolvers<void>();
  const log = pino({ level: 'warn' }, { write: () => lost.resolve() });
  const { db, close } = await connectPostgres({ url: server.url, schema: 'spec', poolMax: 2, log });
  const other = new Client({ connectionString: server.url });
  await other.connect();
  const using = db.transaction().execute(async (tx) => {
    const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(tx);
    await other.query('select pg_terminate_backend($1)', [rows[0]?.pid]);
    await lost.promise;
    await sql`select 1`.execute(tx);
  });
  await expect(using).rejects.toThrow();
  expect((await sql<{ one: number }>`select 1 as one`.execute(db)).rows).toEqual([{ one: 1 }]);
  await other.end();
  await close();
});
