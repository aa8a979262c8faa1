import type { Db } from '@privatelink/shared/postgres/connect';
import { orUnavailable } from '@privatelink/shared/postgres/or-unavailable';
import { type RawBuilder, sql } from 'kysely';
import type { Scope } from '../views/caller-view.ts';
import { type Count, type Graph, graphOf, type NodeKind, type Way } from '../views/topology.ts';

/** What a graph tells apart, the most first. */
export const details = ['endpoints', 'vpcs', 'services', 'accounts'] as const;
type Detail = (typeof details)[number];

export type TopologyQuery = Readonly<{
  scope: Scope;
  /** With this account, VPC, endpoint or service alone; with all where it is empty. */
  about: string;
}>;

type ServiceState = Readonly<{ id: string; name: string; status: string; businessStatus: string }>;

type Topology = Omit<Graph, 'shown'> &
  Readonly<{
    detail: Detail;
    /** Connections for which there was no room. */
    omitted: number;
    /** Those of its services of which anything is known. */
    services: readonly ServiceState[];
  }>;

const MAX_NODES = 500;
/** More of them nobody can follow. */
const MAX_WAYS = 2_000;

const COLUMNS: Readonly<Record<NodeKind, string>> = {
  consumer: 'endpoint_account_id',
  vpc: 'vpc_id',
  endpoint: 'key',
  service: 'service_id',
  provider: 'service_account_id',
};

const TOLD_APART: Readonly<Record<Detail, readonly NodeKind[]>> = {
  endpoints: ['consumer', 'vpc', 'endpoint', 'service', 'provider'],
  vpcs: ['consumer', 'vpc', 'service', 'provider'],
  services: ['consumer', 'service', 'provider'],
  accounts: ['consumer', 'provider'],
};

/** Connections as a graph of as much detail as there is room for; what connects most has it first. */
export const readTopology = async (db: Db, query: TopologyQuery): Promise<Topology> => {
  const mine = connectionsOf(query);
  const detail = await readDetail(db, mine);
  const { ways, total } = await readWays(db, mine, TOLD_APART[detail]);
  const { shown, ...graph } = graphOf(ways, MAX_NODES);
  return { ...graph, detail, omitted: total - shown, services: await readServices(db, graph) };
};

const connectionsOf = ({ scope: { accountId }, about }: TopologyQuery): RawBuilder<unknown> => {
  const own = accountId === null ? sql`true` : sql`account_ids && ${[accountId]}::text[]`;
  const near =
    about === ''
      ? sql`true`
      : sql`(key = ${about} or vpc_id collate "C" = ${about} or service_id collate "C" = ${about} or account_ids && ${[about]}::text[])`;
  return sql`from foreign_broker_connection where not gone and ${own} and ${near}`;
};

/** The most detail with which there are not too many nodes, nor ways between them. */
const readDetail = async (db: Db, connections: RawBuilder<unknown>): Promise<Detail> => {
  const few = sql`select ${connections} limit 1 offset ${MAX_NODES}`;
  if ((await orUnavailable(few.execute(db))).rows.length === 0) {
    const { nodes } = await countAll(db, connections, TOLD_APART.endpoints);
    if (nodes <= MAX_NODES) return 'endpoints';
  }
  for (const detail of ['vpcs', 'services'] as const) {
    const { nodes, ways } = await countAll(db, connections, TOLD_APART[detail]);
    if (nodes <= MAX_NODES && ways <= MAX_WAYS) return detail;
  }
  return 'accounts';
};

const countAll = async (db: Db, connections: RawBuilder<unknown>, kinds: readonly NodeKind[]) => {
  const columns = kinds.map((kind) => sql.id(COLUMNS[kind]));
  const nodes = sql.join(
    columns.map((column) => sql`count(distinct ${column})`),
    sql` + `,
  );
  const query = sql<{ nodes: number; ways: number }>`select (${nodes})::int as nodes, count(*)::int as ways
    from (select ${sql.join(columns)} ${connections} group by ${sql.join(columns)}) as way`;
  const { rows } = await orUnavailable(query.execute(db));
  return rows[0] ?? { nodes: 0, ways: 0 };
};

type WayRow = Readonly<Partial<Record<NodeKind, string>> & { connections: readonly Count[]; total: number }>;

const readWays = async (db: Db, connections: RawBuilder<unknown>, kinds: readonly NodeKind[]) => {
  const columns = sql.join(kinds.map((kind) => sql.id(COLUMNS[kind])));
  const named = sql.join(kinds.map((kind) => sql`${sql.id(COLUMNS[kind])} as ${sql.id(kind)}`));
  const query = sql<WayRow>`
    select ${named}, jsonb_agg(jsonb_build_object('name', status, 'count', count)) as connections,
      (sum(sum(count)) over ())::int as total
    from (select ${columns}, status, count(*) as count ${connections} group by ${columns}, status) as counted
    group by ${columns} order by sum(count) desc, ${columns} limit ${MAX_WAYS}`;
  const { rows } = await orUnavailable(query.execute(db));
  const ways = rows.map(({ connections, total: _, ...nodes }): Way => ({ nodes, connections }));
  return { ways, total: rows[0]?.total ?? 0 };
};

/** Who has a connection to a service sees that it is there. */
const readServices = async (db: Db, { nodes }: Pick<Graph, 'nodes'>): Promise<readonly ServiceState[]> => {
  const ids = nodes.filter(({ kind }) => kind === 'service').map(({ resourceId }) => resourceId);
  const query = sql<ServiceState>`
    select key as id, service_name as name, status, business_status as "businessStatus"
    from foreign_provider_endpoint_service where not gone and key = any(${ids}::text[])`;
  return (await orUnavailable(query.execute(db))).rows;
};
