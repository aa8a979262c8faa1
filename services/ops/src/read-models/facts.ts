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
  /** Those of this resource, service or account, of those types, by this actor, and that moved a status. */
  about?: string;
  types?: readonly string[];
  actor?: string;
  moves?: boolean;
}>;

const conditions = ({ scope: { accountId }, types, actor, moves }: FactQuery): readonly RawBuilder<unknown>[] => [
  ...(accountId === null ? [] : [sql`account_ids && ${[accountId]}::text[]`]),
  ...(types && types.length > 0 ? [sql`type = any(${[...types]}::text[])`] : []),
  ...(moves ? [sql`moved_to is not null`] : []),
  ...(actor ? ofActor(actor, accountId) : []),
];

/** Whoever is not shown the name of an actor does not find it either. */
const ofActor = (actor: string, accountId: string | null): readonly RawBuilder<unknown>[] => [
  sql`actor = ${actor}`,
  ...(accountId === null || actor.startsWith('service:') ? [] : [sql`actor_account_id = ${accountId}`]),
];

/** What a fact may be about. Each is looked for by itself, as no index has all of them in order. */
const matters = (about: string): readonly RawBuilder<unknown>[] => [
  sql`resource_id = ${about}`,
  sql`service_id = ${about}`,
  sql`account_ids && ${[about]}::text[]`,
];

type Place = Readonly<{ conditions: readonly RawBuilder<unknown>[]; order: 'asc' | 'desc'; limit: number }>;

const select = async (db: Db, query: FactQuery, { conditions: within, order, limit }: Place) => {
  const inOrder = sql`order by sequence ${sql.raw(order)} limit ${limit}`;
  const each = (query.about ? matters(query.about) : [sql`true`]).map((matter) => {
    const all = sql.join([matter, ...conditions(query), ...within], sql` and `);
    return sql`(select * from foreign_fact where ${all} ${inOrder})`;
  });
  const found = sql<FactRow>`select * from (${sql.join(each, sql` union `)}) as found ${inOrder}`;
  return (await orUnavailable(found.execute(db))).rows;
};

/** The latest, from the latest on; before a place where one is given. */
export const factsBefore = (db: Db, query: FactQuery, before: bigint | null, limit: number) =>
  select(db, query, { conditions: before === null ? [] : [sql`sequence < ${before}`], order: 'desc', limit });

/** Those after a place and up to another one, in their order. */
export const factsBetween = (db: Db, query: FactQuery, after: bigint, upTo: bigint, limit: number) =>
  select(db, query, {
    ...{ conditions: [sql`sequence > ${after}`, sql`sequence <= ${upTo}`], order: 'asc', limit },
  });

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
