import type { Db } from '@privatelink/shared/postgres/connect';
import { orUnavailable } from '@privatelink/shared/postgres/or-unavailable';
import { type RawBuilder, sql } from 'kysely';
import type { Scope } from '../views/caller-view.ts';

/** A fact as it was announced; `sequence` is its place in the order in which all were taken in. */
export type FactRow = Readonly<{
  sequence: bigint;
  source: string;
  source_stream: string;
  source_revision: bigint;
  position: bigint;
  event_id: string;
  type: string;
  resource_type: string;
  resource_id: string;
  service_id: string;
  account_ids: readonly string[];
  actor: string;
  actor_account_id: string;
  moved_from: string | null;
  moved_to: string | null;
  because: string | null;
  record_time: Date;
  correlation_id: string;
}>;

export type FactQuery = Readonly<{
  scope: Scope;
  /** Those of this resource, service or account, and of those types. */
  about?: string;
  types?: readonly string[];
}>;

const conditions = ({ scope: { accountId }, about, types }: FactQuery): readonly RawBuilder<unknown>[] => [
  ...(accountId === null ? [] : [sql`account_ids && ${[accountId]}::text[]`]),
  ...(about ? [sql`(resource_id = ${about} or service_id = ${about} or account_ids && ${[about]}::text[])`] : []),
  ...(types && types.length > 0 ? [sql`type = any(${[...types]}::text[])`] : []),
];

const select = async (db: Db, all: readonly RawBuilder<unknown>[], order: 'asc' | 'desc', limit: number) => {
  const query = sql<FactRow>`select * from foreign_fact where ${sql.join([sql`true`, ...all], sql` and `)}
    order by sequence ${sql.raw(order)} limit ${limit}`;
  return (await orUnavailable(query.execute(db))).rows;
};

/** The latest, from the latest on; before a place where one is given. */
export const factsBefore = (db: Db, query: FactQuery, before: bigint | null, limit: number) =>
  select(db, [...conditions(query), ...(before === null ? [] : [sql`sequence < ${before}`])], 'desc', limit);

/** Those after a place and up to another one, in their order. */
export const factsBetween = (db: Db, query: FactQuery, after: bigint, upTo: bigint, limit: number) =>
  select(db, [...conditions(query), sql`sequence > ${after}`, sql`sequence <= ${upTo}`], 'asc', limit);

/** Which log of facts this is, and the first and last place in it; 0 where there is none. */
export type FactLog = Readonly<{ id: string; first: bigint; last: bigint }>;

export const readFactLog = async (db: Db): Promise<FactLog> => {
  const query = sql<FactLog>`select id, coalesce((select min(sequence) from foreign_fact), 0) as first,
    coalesce((select max(sequence) from foreign_fact), 0) as last from fact_log`;
  const { rows } = await orUnavailable(query.execute(db));
  const [log] = rows;
  if (!log) throw new Error('there is no log of facts');
  return log;
};
