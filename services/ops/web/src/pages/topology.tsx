import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useMemo } from 'react';
import { get, type Topology, type TopologyNode } from '../api.ts';
import { number, words } from '../format.ts';
import { Badge } from '../parts/badge.tsx';
import { type Column, DataTable } from '../parts/data-table.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { Problem } from '../parts/problem.tsx';
import { TopologyGraph } from '../parts/topology-graph.tsx';
import { Typed } from '../parts/typed.tsx';
import { usePageSearch } from '../parts/use-page-search.ts';
import type { TopologySearch } from '../router.tsx';
import { aroundFirst, countsText, KIND_NAMES, KIND_PLURALS, KINDS, nodeId, pageOf } from '../topology.ts';

const STATUSES = [
  ...['CONNECTED', 'CONNECTING', 'CHANGING', 'DISCONNECTING', 'DISCONNECTED', 'SERVICE_DELETED', 'DELETING'],
];

/** What has a connection of this status, with those alone. */
const narrowed = (topology: Topology, status: string): Topology => {
  if (!status) return topology;
  const only = <Part extends Pick<TopologyNode, 'connections'>>(parts: readonly Part[]): readonly Part[] =>
    parts
      .map((part) => ({ ...part, connections: part.connections.filter(({ name }) => name === status) }))
      .filter(({ connections }) => connections.length > 0);
  return { ...topology, nodes: only(topology.nodes), edges: only(topology.edges) };
};

type Row = Readonly<{ node: TopologyNode; to: readonly TopologyNode[] }>;

const NodeLink = ({ node }: Readonly<{ node: TopologyNode }>) => (
  <Link className="mono" to={pageOf(node)}>
    {nodeId(node)}
  </Link>
);

const columns: readonly Column<Row>[] = [
  { id: 'kind', header: 'Kind', cell: ({ row: { original } }) => KIND_NAMES[original.node.kind] },
  { id: 'id', header: 'Id', cell: ({ row: { original } }) => <NodeLink node={original.node} /> },
  {
    id: 'status',
    header: 'Connections',
    cell: ({ row: { original } }) => countsText(original.node.connections),
  },
  {
    id: 'to',
    header: 'Leads to',
    cell: ({ row: { original } }) => (
      <span className="badges">
        {original.to.map((node) => (
          <NodeLink key={node.id} node={node} />
        ))}
      </span>
    ),
  },
];

/** Each node with those that an edge leads to from it; what it is around of is the first. */
const rowsOf = ({ nodes, edges }: Topology, about: string): readonly Row[] => {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const to = Map.groupBy(edges, ({ from }) => from);
  return KINDS.flatMap((kind) => nodes.filter((node) => node.kind === kind))
    .sort(aroundFirst(about))
    .map((node) => ({ node, to: (to.get(node.id) ?? []).flatMap((edge) => byId.get(edge.to) ?? []) }));
};

const listed = (names: readonly string[]): string => new Intl.ListFormat('en').format(names);

const summaryOf = ({ nodes, edges }: Topology): string => {
  const together = KINDS.filter((kind) => !nodes.some((node) => node.kind === kind)).map((kind) => KIND_PLURALS[kind]);
  const others = nodes.filter(({ resourceId }) => resourceId === '').map(nodeId);
  return [
    `${number(nodes.length)} nodes, ${number(edges.length)} edges.`,
    ...(together.length > 0 ? [`There is room for 500: ${listed(together)} are counted, not shown.`] : []),
    ...(others.length > 0 ? [`Those with most connections are shown, and ${listed(others)} as one.`] : []),
  ].join(' ');
};

export const TopologyPage = () => {
  const { search, change } = usePageSearch<TopologySearch>();
  const { about = '', status = '', view = 'graph' } = search;
  const { data, error } = useQuery({
    queryKey: ['topology', about],
    queryFn: async ({ signal }) => ({ ...(await get<Topology>('/api/topology', { about }, signal)), about }),
    placeholderData: keepPreviousData,
  });
  const topology = useMemo(() => data && narrowed(data, status), [data, status]);
  return (
    <>
      <PageHead title="Topology">
        <div className="actions">
          {(['graph', 'table'] as const).map((one) => (
            <button key={one} type="button" aria-pressed={view === one} onClick={() => change({ view: one })}>
              {words(one)}
            </button>
          ))}
        </div>
      </PageHead>
      <search className="filters">
        <Typed
          label="Around"
          type="search"
          value={about}
          hint="Account, VPC, ep-…, epsrv-…"
          onChange={(text) => change({ about: text.trim() })}
        />
        <label className="field">
          Status
          <select value={status} onChange={({ target }) => change({ status: target.value })}>
            <option value="">Any</option>
            {STATUSES.map((value) => (
              <option key={value} value={value}>
                {words(value)}
              </option>
            ))}
          </select>
        </label>
      </search>
      <ul className="legend badges" aria-label="Colours, by the worst of what goes through">
        {STATUSES.map((name) => (
          <li key={name}>
            <Badge name={name} />
          </li>
        ))}
      </ul>
      <Problem error={error} />
      {topology && topology.nodes.length > 0 && (
        <p className="muted" aria-live="polite">
          {summaryOf(topology)}
        </p>
      )}
      {topology && topology.nodes.length === 0 && <p className="empty card">Nothing fits.</p>}
      {topology && topology.nodes.length > 0 && view === 'graph' && (
        <TopologyGraph key={`${data?.about} ${status}`} topology={topology} about={data?.about ?? ''} />
      )}
      {topology && view === 'table' && (
        <DataTable
          caption="What is connected to what"
          columns={columns}
          rows={rowsOf(topology, about)}
          rowId={({ node }) => node.id}
          empty="Nothing fits."
        />
      )}
    </>
  );
};
