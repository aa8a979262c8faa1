import { changeSchema } from '@privatelink/shared/postgres/change-schema';
import type { Db } from '@privatelink/shared/postgres/connect';
import { ensureForeignTable } from '@privatelink/shared/postgres/foreign-table';
import { sql } from 'kysely';
import { connections } from './connections.ts';
import { endpointServices } from './endpoint-services.ts';
import { endpoints } from './endpoints.ts';

/** Creates the tables of this service, unless they are there. */
export const ensureTables = async (db: Db): Promise<void> => {
  await ensureForeignTable(db, endpointServices);
  await ensureForeignTable(db, endpoints);
  await ensureForeignTable(db, connections);
  await changeSchema(db, async (tx) => {
    for (const table of TABLES) await sql.raw(table).execute(tx);
    // Names the table of facts: a place in another one means nothing.
    await sql`insert into fact_log select gen_random_uuid() where not exists (select from fact_log)`.execute(tx);
  });
};

const TABLES = [
  'create table if not exists fact_log (id uuid primary key)',
  `create table if not exists foreign_fact (
    sequence bigserial primary key, source text not null, source_stream text not null, source_revision bigint not null,
    position bigint not null, event_id text not null, type text not null, resource_type text not null,
    resource_id text not null, service_id text not null, account_ids text[] not null, actor text not null,
    actor_account_id text not null, moved_from text, moved_to text, because text, record_time timestamptz not null,
    correlation_id text not null)`,
  'create index if not exists foreign_fact_resource on foreign_fact (resource_id, sequence)',
  'create index if not exists foreign_fact_accounts on foreign_fact using gin (account_ids)',
  // How far each stream has been taken in: what comes again is neither kept nor counted twice.
  'create table if not exists foreign_stream (source_stream text primary key, revision bigint not null)',
  // With an empty account, of all accounts.
  `create table if not exists foreign_status_change (
    minute timestamptz, resource_type text, account_id text, moved_from text, moved_to text, because text,
    count bigint not null, primary key (minute, resource_type, account_id, moved_from, moved_to, because))`,
  `create table if not exists foreign_source (
    source text primary key, heard_at timestamptz not null, record_time timestamptz)`,
];
