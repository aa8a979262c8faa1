import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useMemo } from 'react';
import { get, type Topology, type TopologyNode } from '../api.ts';
import { number, words } from '../format.ts';
import { Badge } from '../parts/badge.tsx';
import { type Column, DataTable } from '../parts/data-table.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { Problem } from '../parts/problem.tsx';
import { TopologyGraph } from '../parts/topology-graph.tsx';
import { Typed } from '../parts/typed.tsx';
import type { TopologySearch } from '../router.tsx';
import { countsText, KIND_NAMES, KINDS, pageOf } from '../topology.ts';

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

const DETAIL: Readonly<Record<Topology['detail'], string>> = {
  endpoints: '',
  vpcs: 'There is room for 500: endpoints are counted by VPC and service.',
  services: 'There is room for 500: endpoints and VPCs are counted by account and service.',
  accounts: 'There is room for 500: accounts alone are shown.',
};

type Row = Readonly<{ node: TopologyNode; to: readonly TopologyNode[] }>;

const NodeLink = ({ node }: Readonly<{ node: TopologyNode }>) => (
  <Link className="mono" to={pageOf(node)}>
    {node.resourceId}
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

/** Each node with those that an edge leads to from it. */
const rowsOf = ({ nodes, edges }: Topology): readonly Row[] => {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const to = Map.groupBy(edges, ({ from }) => from);
  return KINDS.flatMap((kind) =>
    nodes
      .filter((node) => node.kind === kind)
      .map((node) => ({ node, to: (to.get(node.id) ?? []).flatMap((edge) => byId.get(edge.to) ?? []) })),
  );
};

const summaryOf = ({ nodes, edges, detail, omitted }: Topology): string => {
  const left = omitted > 0 ? ` ${number(omitted)} connections have no room: say around what.` : '';
  return `${number(nodes.length)} nodes, ${number(edges.length)} edges. ${DETAIL[detail]}${left}`;
};

export const TopologyPage = () => {
  const { about = '', status = '', view = 'graph' }: TopologySearch = useSearch({ strict: false });
  const navigate = useNavigate();
  const change = (part: TopologySearch) =>
    void navigate({ to: '.', search: (before: TopologySearch) => ({ ...before, ...part }), replace: true } as never);
  const { data, error } = useQuery({
    queryKey: ['topology', about],
    queryFn: ({ signal }) => get<Topology>('/api/topology', { about }, signal),
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
      {topology && (
        <p className="muted" aria-live="polite">
          {summaryOf(topology)}
        </p>
      )}
      {topology && topology.nodes.length === 0 && <p className="empty card">Nothing fits.</p>}
      {topology && topology.nodes.length > 0 && view === 'graph' && <TopologyGraph topology={topology} />}
      {topology && view === 'table' && (
        <DataTable
          caption="What is connected to what"
          columns={columns}
          rows={rowsOf(topology)}
          rowId={({ node }) => node.id}
          empty="Nothing fits."
        />
      )}
    </>
  );
};
