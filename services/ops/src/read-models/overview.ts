import type { Db } from '@privatelink/shared/postgres/connect';
import { orUnavailable } from '@privatelink/shared/postgres/or-unavailable';
import { type RawBuilder, sql } from 'kysely';
import type { Scope } from '../views/caller-view.ts';
import { OVERDUE } from './connections.ts';

type Count = Readonly<{ name: string; count: number }>;

type ZoneCount = Count & Readonly<{ degraded: number }>;

export type Change = Readonly<{ minute: Date; from: string; to: string; because: string; count: number }>;

/** Since when somebody waits for a source: what it announced last, and when it was heard. */
export type SourceState = Readonly<{ source: string; position: bigint; heardAt: Date; recordTime: Date | null }>;

const all = async <R>(query: Promise<{ rows: R[] }>): Promise<readonly R[]> => (await orUnavailable(query)).rows;

const CONNECTIONS = 'foreign_broker_connection';

/** Accounts with most connections that wait for their payment: of the endpoint, of the service, or of both. */
const readOverdue = (db: Db, mine: RawBuilder<unknown>): Promise<readonly Count[]> =>
  all(
    sql<Count>`
      select account as name, count(*)::int as count from ${sql.id(CONNECTIONS)}, lateral (
        select endpoint_account_id where hold_reasons @> '{ENDPOINT_PAYMENT_OVERDUE}'
        union select service_account_id where hold_reasons @> '{SERVICE_PAYMENT_OVERDUE}') as overdue (account)
      where not gone and ${sql.raw(OVERDUE)} and ${mine} group by 1 order by 2 desc, 1 limit 8`.execute(db),
  );

/** A connection counts in each of its zones; many have the same ones. */
const readZones = (db: Db, mine: RawBuilder<unknown>): Promise<readonly ZoneCount[]> =>
  all(
    sql<ZoneCount>`
      select zone as name, sum(count)::int as count, coalesce(sum(count) filter (where degraded), 0)::int as degraded
      from (select zone_ids, degraded, count(*) as count from ${sql.id(CONNECTIONS)} where not gone and ${mine}
        group by 1, 2) as placed, unnest(zone_ids) as zone
      group by 1 order by 1`.execute(db),
  );

/** How many there are of each status, and of connections by their holds, services, overdue accounts and zones. */
export const readCounts = async (db: Db, { accountId }: Scope, stuckAfterMs: number) => {
  const own = accountId === null ? sql`true` : sql`account_id = ${accountId}`;
  const either = accountId === null ? sql`true` : sql`account_ids && ${[accountId]}::text[]`;
  const byStatus = (table: string, mine: typeof own) =>
    all<Count>(
      sql<Count>`select status as name, count(*)::int as count from ${sql.id(table)} where not gone and ${mine}
        group by 1 order by 1`.execute(db),
    );
  const byHold = all<Count>(
    sql<Count>`select reason as name, count(*)::int as count from ${sql.id(CONNECTIONS)}, unnest(hold_reasons) as reason
      where not gone and hold_reasons <> '{}' and ${either} group by 1 order by 2 desc, 1`.execute(db),
  );
  const byService = all<Count>(
    sql<Count>`select service_id as name, count(*)::int as count from ${sql.id(CONNECTIONS)}
      where not gone and ${either} group by 1 order by 2 desc, 1 limit 8`.execute(db),
  );
  // Each with a condition that an index of its own is for.
  const trouble = all<{ stuck: number; degraded: number }>(
    sql<{ stuck: number; degraded: number }>`
      select (select count(*)::int from ${sql.id(CONNECTIONS)} where not gone and in_transition and ${either}
          and status_time < clock_timestamp() - make_interval(secs => ${stuckAfterMs / 1000})) as stuck,
        (select count(*)::int from ${sql.id(CONNECTIONS)} where not gone and degraded and ${either}) as degraded`.execute(
      db,
    ),
  );
  const [connections, endpoints, endpointServices, holds, largestServices, overdue, zones, [counted]] =
    await Promise.all([
      byStatus(CONNECTIONS, either),
      byStatus('foreign_consumer_endpoint', own),
      byStatus('foreign_provider_endpoint_service', own),
      byHold,
      byService,
      readOverdue(db, either),
      readZones(db, either),
      trouble,
    ]);
  const { stuck, degraded } = counted ?? { stuck: 0, degraded: 0 };
  return { connections, endpoints, endpointServices, holds, largestServices, stuck, degraded, overdue, zones };
};

/** Moves of connections in each minute of the last ones. */
export const readChanges = (db: Db, { accountId }: Scope, minutes: number): Promise<readonly Change[]> =>
  all(
    sql<Change>`
      select minute, moved_from as "from", moved_to as "to", because, count::int as count from foreign_status_change
      where resource_type = 'connection' and account_id = ${accountId ?? ''}
        and minute > clock_timestamp() - make_interval(mins => ${minutes})
      order by minute, moved_to, moved_from, because limit 5000`.execute(db),
  );

export const readSources = (db: Db): Promise<readonly SourceState[]> =>
  all(
    sql<SourceState>`
      select source, position, heard_at as "heardAt", record_time as "recordTime"
      from foreign_source join foreign_position using (source) order by source`.execute(db),
  );
