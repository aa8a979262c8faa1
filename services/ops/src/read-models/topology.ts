import type { Db } from '@privatelink/shared/postgres/connect';
import { orUnavailable } from '@privatelink/shared/postgres/or-unavailable';
import { type RawBuilder, sql } from 'kysely';
import type { Scope } from '../views/caller-view.ts';
import { type Count, type Graph, graphOf, type NodeKind, nodeKinds, type Way } from '../views/topology.ts';

/** What a graph tells apart, the most first. */
export const details = ['endpoints', 'vpcs', 'services', 'accounts'] as const;
type Detail = (typeof details)[number];

export type TopologyQuery = Readonly<{
  scope: Scope;
  /** With this account, VPC, endpoint or service alone; with all where it is empty. */
  about: string;
}>;

type ServiceState = Readonly<{ id: string; name: string; status: string; businessStatus: string }>;

type Topology = Graph &
  Readonly<{
    detail: Detail;
    /** How many there are of each kind that it tells apart. */
    kinds: Kinds;
    /** Those of its services of which anything is known. */
    services: readonly ServiceState[];
  }>;

type Kinds = Readonly<Partial<Record<NodeKind, number>>>;

const MAX_NODES = 500;
/** More of them nobody can follow. */
const MAX_WAYS = 2_000;
/** Of a kind, where there are too many even of accounts; of two kinds there are no more ways than that then. */
const MOST = 40;

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

/** The kind of an id; undefined for what may be an account. */
const kindOf = (id: string): NodeKind | undefined => {
  if (id.startsWith('epsrv-')) return 'service';
  if (id.startsWith('ep-')) return 'endpoint';
  return id.startsWith('vpc-') ? 'vpc' : undefined;
};

/** Connections as a graph of as much detail as there is room for; what it is about is always told apart. */
export const readTopology = async (db: Db, query: TopologyQuery): Promise<Topology> => {
  const mine = connectionsOf(query);
  const { detail, kinds, room } = await readDetail(db, mine, kindOf(query.about));
  const graph = graphOf(await readWays(db, mine, { kinds, room, first: query.about }));
  return { ...graph, detail, kinds, services: await readServices(db, graph) };
};

const connectionsOf = ({ scope: { accountId }, about }: TopologyQuery): RawBuilder<unknown> => {
  const own = accountId === null ? sql`true` : sql`account_ids && ${[accountId]}::text[]`;
  const near =
    about === ''
      ? sql`true`
      : sql`(key = ${about} or vpc_id collate "C" = ${about} or service_id collate "C" = ${about} or account_ids && ${[about]}::text[])`;
  return sql`from foreign_broker_connection where not gone and ${own} and ${near}`;
};

type Room = Readonly<{ kinds: Kinds; room: number }>;

/** The most detail with which there are not too many nodes, nor ways between them, and how many of each kind have room. */
const readDetail = async (
  db: Db,
  connections: RawBuilder<unknown>,
  about: NodeKind | undefined,
): Promise<Readonly<{ detail: Detail }> & Room> => {
  const few = sql`select ${connections} limit 1 offset ${MAX_NODES}`;
  const hasMany = (await orUnavailable(few.execute(db))).rows.length > 0;
  for (const detail of details) {
    if (detail === 'endpoints' && hasMany) continue;
    const { ways, ...kinds } = await countAll(
      db,
      connections,
      nodeKinds.filter((kind) => kind === about || TOLD_APART[detail].includes(kind)),
    );
    const nodes = Object.values(kinds).reduce((sum, count) => sum + count, 0);
    if (nodes <= MAX_NODES && ways <= MAX_WAYS) return { detail, kinds, room: MAX_NODES };
    if (detail === 'accounts') return { detail, kinds, room: MOST };
  }
  throw new Error('there is always some detail');
};

const countAll = async (db: Db, connections: RawBuilder<unknown>, kinds: readonly NodeKind[]) => {
  const columns = sql.join(kinds.map((kind) => sql.id(COLUMNS[kind])));
  const counts = sql.join(kinds.map((kind) => sql`count(distinct ${sql.id(COLUMNS[kind])})::int as ${sql.id(kind)}`));
  const query = sql<Kinds & Readonly<{ ways: number }>>`select ${counts}, count(*)::int as ways
    from (select ${columns} ${connections} group by ${columns}) as way`;
  const { rows } = await orUnavailable(query.execute(db));
  return rows[0] ?? { ways: 0 };
};

type WayRow = Readonly<Partial<Record<NodeKind, string>> & { connections: readonly Count[] }>;

/** Of each kind those that connect most, or are asked about, as far as they have room; the others together. */
const readWays = async (
  db: Db,
  connections: RawBuilder<unknown>,
  { kinds, room, first }: Room & Readonly<{ first: string }>,
): Promise<readonly Way[]> => {
  const told = nodeKinds.filter((kind) => kinds[kind] !== undefined);
  const names = sql.join(told.map((kind) => sql.id(kind)));
  const named = sql.join(told.map((kind) => sql`${sql.id(COLUMNS[kind])} as ${sql.id(kind)}`));
  const folded = sql.join(
    told.map((kind) => {
      const id = sql.id(kind);
      const most = sql`select ${id} from counted group by ${id}
        order by ${id} = ${first} desc, sum(count) desc, ${id} limit ${room}`;
      return sql`case when ${id} in (${most}) then ${id} else '' end as ${id}`;
    }),
  );
  const query = sql<WayRow>`
    with counted as (
      select ${named}, status, count(*) as count ${connections}
      group by ${sql.join(told.map((kind) => sql.id(COLUMNS[kind])))}, status),
    folded as (select ${folded}, status, count from counted),
    way as (select ${names}, status, sum(count) as count from folded group by ${names}, status)
    select ${names}, jsonb_agg(jsonb_build_object('name', status, 'count', count)) as connections
    from way group by ${names} order by sum(count) desc, ${names}`;
  const { rows } = await orUnavailable(query.execute(db));
  return rows.map(({ connections, ...nodes }) => ({ nodes, connections }));
};

/** Who has a connection to a service sees that it is there. */
const readServices = async (db: Db, { nodes }: Pick<Graph, 'nodes'>): Promise<readonly ServiceState[]> => {
  const ids = nodes.filter(({ kind }) => kind === 'service').map(({ resourceId }) => resourceId);
  const query = sql<ServiceState>`
    select key as id, service_name as name, status, business_status as "businessStatus"
    from foreign_provider_endpoint_service where not gone and key = any(${ids}::text[])`;
  return (await orUnavailable(query.execute(db))).rows;
};
