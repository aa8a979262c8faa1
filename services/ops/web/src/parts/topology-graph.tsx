import { useNavigate } from '@tanstack/react-router';
import {
  Controls,
  type Edge,
  Handle,
  MiniMap,
  type Node,
  type NodeProps,
  Position,
  ReactFlow,
  ReactFlowProvider,
  useReactFlow,
} from '@xyflow/react';
import '@xyflow/react/dist/base.css';
import { type KeyboardEvent, useEffect, useMemo, useRef } from 'react';
import type { Topology, TopologyNode } from '../api.ts';
import { aroundFirst, connectionsOf, KINDS, nodeCount, nodeId, nodeText, pageOf, toneOfCounts } from '../topology.ts';
import { placesOf } from './layers.ts';

const SIZES = { width: 222, height: 30, gapX: 56, gapY: 6 };
/** Where edges end, so that nodes out of sight need not be drawn to know. */
const HANDLES = [
  { type: 'target', position: Position.Left, x: 0, y: SIZES.height / 2 },
  { type: 'source', position: Position.Right, x: SIZES.width, y: SIZES.height / 2 },
] as const;
const READABLE = 1;
const MARGIN = 20;
const PAN = 120;
const MOVES: Readonly<Record<string, readonly [number, number]>> = {
  ArrowUp: [0, 1],
  ArrowDown: [0, -1],
  ArrowLeft: [1, 0],
  ArrowRight: [-1, 0],
};

type Shown = Node<Readonly<{ node: TopologyNode }>, 'resource'>;

const Resource = ({ data: { node }, positionAbsoluteX: x, positionAbsoluteY: y }: NodeProps<Shown>) => {
  const navigate = useNavigate();
  const flow = useReactFlow();
  const href = pageOf(node);
  const onFocus = ({ target }: { target: HTMLElement }): void => {
    // Whoever comes by keyboard sees where it is.
    if (!target.matches(':focus-visible')) return;
    void flow.setCenter(x + SIZES.width / 2, y, { zoom: flow.getZoom(), duration: 150 });
  };
  return (
    <a
      className={`resource nopan tone-${toneOfCounts(node.connections)}`}
      href={href}
      title={nodeText(node)}
      aria-label={nodeText(node)}
      onFocus={onFocus}
      onClick={(event) => {
        event.preventDefault();
        void navigate({ href });
      }}
    >
      <Handle type="target" position={Position.Left} isConnectable={false} />
      <span className="mono">{nodeId(node)}</span>
      <span className="mono">{nodeCount(node)}</span>
      <Handle type="source" position={Position.Right} isConnectable={false} />
    </a>
  );
};

const nodeTypes = { resource: Resource };

type Options = Readonly<{
  topology: Topology;
  /** What it is around of; empty where it is of everything. */
  about: string;
}>;

export const TopologyGraph = (options: Options) => (
  <ReactFlowProvider>
    <Graph {...options} />
  </ReactFlowProvider>
);

/** What it is around of, or else what most goes through. */
const middleOf = ({ nodes }: Topology, about: string): TopologyNode | undefined =>
  nodes.toSorted((a, b) => aroundFirst(about)(a, b) || connectionsOf(b) - connectionsOf(a))[0];

const Graph = ({ topology, about }: Options) => {
  const flow = useReactFlow();
  const box = useRef<HTMLElement>(null);
  const { nodes, edges } = topology;
  const shape = JSON.stringify([nodes.map(({ id }) => id), edges.map(({ from, to }) => [from, to])]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what changes its status stays where it is
  const places = useMemo(() => {
    const layers = KINDS.map((kind) => nodes.filter((node) => node.kind === kind).map(({ id }) => id));
    return placesOf({ layers: layers.filter((layer) => layer.length > 0), edges }, SIZES);
  }, [shape]);

  /** As wide as it is; where it is higher than there is room, with its middle in sight. */
  const showMiddle = (): void => {
    const all = [...places.values()];
    const width = Math.max(...all.map(({ x }) => x + SIZES.width), 1);
    const { clientWidth = width, clientHeight = 0 } = box.current ?? {};
    const zoom = Math.min(READABLE, (clientWidth - 2 * MARGIN) / width);
    const middle = places.get(middleOf(topology, about)?.id ?? '');
    const bottom = clientHeight - MARGIN - zoom * Math.max(...all.map(({ y }) => y + SIZES.height), 1);
    const wanted = clientHeight / 2 - zoom * ((middle?.y ?? 0) + SIZES.height / 2);
    void flow.setViewport({ x: MARGIN, y: Math.min(MARGIN, Math.max(bottom, wanted)), zoom });
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: what comes later moves nothing under the eye
  useEffect(showMiddle, []);

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { x, y, zoom } = flow.getViewport();
    const move = MOVES[event.key];
    if (move) void flow.setViewport({ x: x + move[0] * PAN, y: y + move[1] * PAN, zoom });
    else if (event.key === '+') void flow.zoomIn();
    else if (event.key === '-') void flow.zoomOut();
    else if (event.key === '0') void flow.fitView();
    else if (event.key === 'Home') showMiddle();
    else return;
    event.preventDefault();
  };

  return (
    <section
      className="graph"
      ref={box}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
      tabIndex={0}
      aria-label="Graph: arrows move it, plus and minus zoom, 0 shows all of it; the table says the same"
      onKeyDown={onKeyDown}
    >
      <ReactFlow<Shown, Edge>
        nodes={nodes.map((node) => ({
          ...{ id: node.id, type: 'resource', data: { node } },
          position: places.get(node.id) ?? { x: 0, y: 0 },
          ...{ width: SIZES.width, height: SIZES.height, handles: [...HANDLES] },
        }))}
        edges={edges.map(({ from, to, connections }) => ({
          ...{ id: `${from} ${to}`, source: from, target: to, className: `tone-${toneOfCounts(connections)}` },
          focusable: false,
        }))}
        nodeTypes={nodeTypes}
        minZoom={0.02}
        maxZoom={2}
        panOnScroll
        onlyRenderVisibleElements
        {...{ nodesDraggable: false, nodesConnectable: false, nodesFocusable: false, elementsSelectable: false }}
        {...{ edgesFocusable: false, disableKeyboardA11y: true, zoomOnDoubleClick: false }}
      >
        <Controls position="top-right" showInteractive={false} />
        <MiniMap<Shown> pannable zoomable nodeClassName={({ data }) => `tone-${toneOfCounts(data.node.connections)}`} />
      </ReactFlow>
    </section>
  );
};
