/** From who uses to who serves. */
export const nodeKinds = ['consumer', 'vpc', 'endpoint', 'service', 'provider'] as const;
export type NodeKind = (typeof nodeKinds)[number];

export type Count = Readonly<{ name: string; count: number }>;

/** Connections that go the same way: from node to node, as far as a graph tells them apart; by way of others where empty. */
export type Way = Readonly<{ nodes: Readonly<Partial<Record<NodeKind, string>>>; connections: readonly Count[] }>;

type Node = Readonly<{
  id: string;
  kind: NodeKind;
  /** Empty where it is all others of its kind together. */
  resourceId: string;
  connections: readonly Count[];
}>;
type Edge = Readonly<{ from: string; to: string; connections: readonly Count[] }>;
export type Graph = Readonly<{ nodes: readonly Node[]; edges: readonly Edge[] }>;

const nodesOf = ({ nodes }: Way): readonly Readonly<{ id: string; kind: NodeKind; resourceId: string }>[] =>
  nodeKinds.flatMap((kind) => {
    const resourceId = nodes[kind];
    return resourceId === undefined ? [] : [{ id: `${kind}:${resourceId}`, kind, resourceId }];
  });

const add = (to: Map<string, number>, counts: readonly Count[]): void => {
  for (const { name, count } of counts) to.set(name, (to.get(name) ?? 0) + count);
};

const countsIn = (counted: ReadonlyMap<string, number>): readonly Count[] =>
  [...counted].map(([name, count]) => ({ name, count })).sort((a, b) => (a.name < b.name ? -1 : 1));

export const graphOf = (ways: readonly Way[]): Graph => {
  const nodes = new Map<string, Omit<Node, 'connections'> & { counted: Map<string, number> }>();
  const edges = new Map<string, Omit<Edge, 'connections'> & { counted: Map<string, number> }>();
  for (const way of ways) {
    const path = nodesOf(way);
    for (const [index, node] of path.entries()) {
      const held = nodes.get(node.id) ?? { ...node, counted: new Map() };
      nodes.set(node.id, held);
      add(held.counted, way.connections);
      const from = path[index - 1]?.id;
      if (from === undefined) continue;
      const edge = edges.get(`${from} ${node.id}`) ?? { from, to: node.id, counted: new Map() };
      edges.set(`${from} ${node.id}`, edge);
      add(edge.counted, way.connections);
    }
  }
  return {
    nodes: [...nodes.values()].map(({ counted, ...node }) => ({ ...node, connections: countsIn(counted) })),
    edges: [...edges.values()].map(({ counted, ...edge }) => ({ ...edge, connections: countsIn(counted) })),
  };
};
