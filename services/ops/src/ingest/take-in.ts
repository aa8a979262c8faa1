import type { Db } from '@privatelink/shared/postgres/connect';
import { advanceForeign, type ForeignTable, putForeign } from '@privatelink/shared/postgres/foreign-table';
import { sql } from 'kysely';
import { connections } from '../read-models/connections.ts';
import { endpointServices } from '../read-models/endpoint-services.ts';
import { endpoints } from '../read-models/endpoints.ts';
import type { Kept } from '../read-models/kept.ts';
import type { About, Announced, Told } from './announced.ts';

const KEPT_FACTS = 50_000;
const KEPT_DAYS = 30;

const TABLES: Readonly<Partial<Record<About['type'], ForeignTable<Kept<never>>>>> = {
  endpoint_service: endpointServices,
  endpoint: endpoints,
  connection: connections,
};

/** The last moves of a resource: nothing comes after them. */
const ENDS = ['GONE', 'ABANDONED'];

/** Takes in what a source has announced, in its order. What was taken in before changes nothing. */
export const takeIn = async (tx: Db, source: string, announced: readonly Announced[]): Promise<void> => {
  const told = await notYetTaken(
    tx,
    announced.flatMap((one) => one.told ?? []),
  );
  if (told.length > 0) {
    await keepResources(tx, told);
    await keepFacts(tx, source, told);
    await countChanges(tx, told);
  }
  const [highest = 0n] = announced.map(({ position }) => position).sort((a, b) => (a > b ? -1 : 1));
  if (announced.length > 0) await advanceForeign(tx, source, highest);
  await sql`
    insert into foreign_source values (${source}, clock_timestamp(), ${told.at(-1)?.recordedAt ?? null})
    on conflict (source) do update set heard_at = excluded.heard_at,
      record_time = greatest(excluded.record_time, foreign_source.record_time)`.execute(tx);
};

/** Of these, in their order, what is newer than what is held of its stream; from now on it is held. */
const notYetTaken = async (tx: Db, told: readonly Told[]): Promise<readonly Told[]> => {
  const streams = [...new Set(told.map(({ fact }) => fact.sourceStream))];
  const { rows } = await sql<{ source_stream: string; revision: bigint }>`
    select source_stream, revision from foreign_stream where source_stream = any(${streams})`.execute(tx);
  const held = new Map(rows.map((row) => [row.source_stream, row.revision]));
  const fresh = told.filter(({ fact: { sourceStream, sourceRevision } }) => {
    if (sourceRevision <= (held.get(sourceStream) ?? -1n)) return false;
    held.set(sourceStream, sourceRevision);
    return true;
  });
  const reached = streams.map((source_stream) => ({ source_stream, revision: String(held.get(source_stream) ?? 0n) }));
  await sql`
    insert into foreign_stream select source_stream, revision
    from jsonb_to_recordset(${JSON.stringify(reached)}::jsonb) as given (source_stream text, revision bigint)
    on conflict (source_stream) do update set revision = excluded.revision`.execute(tx);
  return fresh;
};

const keepResources = async (tx: Db, told: readonly Told[]): Promise<void> => {
  for (const [type, table] of Object.entries(TABLES)) {
    const rows = told
      .filter(({ about }) => about.type === type)
      .map(({ fact, recordedAt, about }) => ({
        ...{ key: about.id, sourceStream: fact.sourceStream, revision: fact.sourceRevision, position: fact.position },
        state: { gone: ENDS.includes(fact.transition?.to ?? ''), resource: about.state as never },
        recordedAt,
      }));
    await putForeign(tx, table, rows);
  }
};

const keepFacts = async (tx: Db, source: string, told: readonly Told[]): Promise<void> => {
  const rows = told.map(({ fact, recordedAt, actorAccountId, about }) => ({
    ...{ source, source_stream: fact.sourceStream, source_revision: String(fact.sourceRevision) },
    ...{ position: String(fact.position), event_id: fact.eventId, type: fact.type },
    ...{ resource_type: about.type, resource_id: about.id, service_id: about.serviceId },
    ...{ account_ids: about.accountIds, actor: fact.actor, actor_account_id: actorAccountId },
    ...{ moved_from: fact.transition?.from, moved_to: fact.transition?.to, because: fact.transition?.because },
    ...{ record_time: recordedAt, correlation_id: fact.correlationId },
  }));
  // Feeds write side by side: whoever reads on by sequence must never find a lower one appear.
  await sql`select pg_advisory_xact_lock(hashtextextended('privatelink.ops.fact', 0))`.execute(tx);
  const columns = sql.raw(`source, source_stream, source_revision, position, event_id, type, resource_type, resource_id,
    service_id, account_ids, actor, actor_account_id, moved_from, moved_to, because, record_time, correlation_id`);
  await sql`
    insert into foreign_fact (${columns})
    select ${columns} from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as given (
      source text, source_stream text, source_revision bigint, position bigint, event_id text, type text,
      resource_type text, resource_id text, service_id text, account_ids text[], actor text, actor_account_id text,
      moved_from text, moved_to text, because text, record_time timestamptz, correlation_id text)`.execute(tx);
  await sql`
    delete from foreign_fact where sequence <= (select max(sequence) from foreign_fact) - ${KEPT_FACTS}::bigint`.execute(
    tx,
  );
};

/** Each move counts for everybody, and for each account that it is told to. */
const countChanges = async (tx: Db, told: readonly Told[]): Promise<void> => {
  const moves = told.flatMap(({ fact: { transition }, about, recordedAt }) =>
    transition
      ? ['', ...about.accountIds].map((account_id) => ({
          ...{ minute: recordedAt, resource_type: about.type, account_id },
          ...{ moved_from: transition.from, moved_to: transition.to, because: transition.because },
        }))
      : [],
  );
  await sql`
    insert into foreign_status_change (minute, resource_type, account_id, moved_from, moved_to, because, count)
    select date_trunc('minute', minute), resource_type, account_id, moved_from, moved_to, because, count(*)
    from jsonb_to_recordset(${JSON.stringify(moves)}::jsonb) as given (
      minute timestamptz, resource_type text, account_id text, moved_from text, moved_to text, because text)
    group by 1, 2, 3, 4, 5, 6
    on conflict (minute, resource_type, account_id, moved_from, moved_to, because)
    do update set count = foreign_status_change.count + excluded.count`.execute(tx);
  await sql`
    delete from foreign_status_change where minute < clock_timestamp() - make_interval(days => ${KEPT_DAYS})`.execute(
    tx,
  );
};
