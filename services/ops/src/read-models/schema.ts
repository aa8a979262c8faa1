import type { Fields } from '@privatelink/shared/filter/fields';
import { changeSchema } from '@privatelink/shared/postgres/change-schema';
import { comparableSql } from '@privatelink/shared/postgres/condition';
import type { Db } from '@privatelink/shared/postgres/connect';
import { ensureForeignTable, type ForeignTable } from '@privatelink/shared/postgres/foreign-table';
import { sql } from 'kysely';
import { connectionFields, connections, OVERDUE } from './connections.ts';
import { endpointServiceFields, endpointServices } from './endpoint-services.ts';
import { endpointFields, endpoints } from './endpoints.ts';

/**
 * Where everything is kept. Another number after what is kept has changed: it is filled anew, beside what an earlier
 * version still serves.
 */
export const schemaName = 'ops_2';

const LISTED = [
  [endpointServices, endpointServiceFields],
  [endpoints, endpointFields],
  [connections, connectionFields],
] as const;

/** Creates the tables of this service, unless they are there. */
export const ensureTables = async (db: Db): Promise<void> => {
  for (const [table, fields] of LISTED) {
    await ensureForeignTable<never, string>(db, table);
    await ensureOrders(db, table, fields);
  }
  await changeSchema(db, async (tx) => {
    for (const table of TABLES) await sql.raw(table).execute(tx);
    // Names the table of facts: a place in another one means nothing.
    await sql`insert into fact_log select gen_random_uuid() where not exists (select from fact_log)`.execute(tx);
  });
};

/** An index for each order in which a list may be asked for, in both directions. */
const ensureOrders = (db: Db, { table, columns }: ForeignTable<never>, fields: Fields<string>): Promise<void> =>
  changeSchema(db, async (tx) => {
    for (const { column, ordered } of Object.values(fields)) {
      if (!ordered) continue;
      const on = column === 'key' ? sql`key` : sql`${comparableSql(columns, column)}, key`;
      await sql`create index if not exists ${sql.id(`${table}__${column}`)} on ${sql.id(table)} (${on})
        where not gone`.execute(tx);
    }
  });

const CONNECTION = 'foreign_broker_connection';

const TABLES = [
  // What is counted is in indexes that are narrow, and of what is rare in small ones.
  `create index if not exists ${CONNECTION}__ways on ${CONNECTION}
    (endpoint_account_id, vpc_id, service_id, service_account_id, status) where not gone`,
  `create index if not exists ${CONNECTION}__held on ${CONNECTION} (hold_reasons) where not gone and hold_reasons <> '{}'`,
  `create index if not exists ${CONNECTION}__overdue on ${CONNECTION}
    (hold_reasons, endpoint_account_id, service_account_id) where not gone and ${OVERDUE}`,
  `create index if not exists ${CONNECTION}__zones on ${CONNECTION} (zone_ids, degraded) where not gone`,
  `create index if not exists ${CONNECTION}__degraded on ${CONNECTION} (key) where not gone and degraded`,
  `create index if not exists ${CONNECTION}__stuck on ${CONNECTION} (status_time, key) where not gone and in_transition`,
  'create table if not exists fact_log (id uuid primary key)',
  `create table if not exists foreign_fact (
    sequence bigserial primary key, source text not null, source_stream text not null, source_revision bigint not null,
    position bigint not null, event_id text not null, type text not null, resource_type text not null,
    resource_id text not null, service_id text not null, account_ids text[] not null, actor text not null,
    actor_account_id text not null, moved_from text, moved_to text, because text, record_time timestamptz not null,
    correlation_id text not null)`,
  'create index if not exists foreign_fact_resource on foreign_fact (resource_id, sequence)',
  'create index if not exists foreign_fact_service on foreign_fact (service_id, sequence)',
  'create index if not exists foreign_fact_type on foreign_fact (type, sequence)',
  'create index if not exists foreign_fact_actor on foreign_fact (actor, sequence)',
  'create index if not exists foreign_fact_moves on foreign_fact (sequence) where moved_to is not null',
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
