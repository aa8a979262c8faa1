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
import { type KeyboardEvent, useCallback, useEffect, useMemo, useRef } from 'react';
import type { Topology, TopologyNode } from '../api.ts';
import { KINDS, nodeName, nodeText, pageOf, toneOfCounts } from '../topology.ts';
import { placesOf } from './layers.ts';

const SIZES = { width: 222, height: 30, gapX: 56, gapY: 6 };
/** Where edges end, so that nodes out of sight need not be drawn to know. */
const HANDLES = [
  { type: 'target', position: Position.Left, x: 0, y: SIZES.height / 2 },
  { type: 'source', position: Position.Right, x: SIZES.width, y: SIZES.height / 2 },
] as const;
const READABLE = 1;
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
      <span className="mono">{nodeName(node)}</span>
      <Handle type="source" position={Position.Right} isConnectable={false} />
    </a>
  );
};

const nodeTypes = { resource: Resource };

type Options = Readonly<{ topology: Topology }>;

export const TopologyGraph = ({ topology }: Options) => (
  <ReactFlowProvider>
    <Graph topology={topology} />
  </ReactFlowProvider>
);

const Graph = ({ topology }: Options) => {
  const flow = useReactFlow();
  const box = useRef<HTMLElement>(null);
  const { nodes, edges } = topology;
  const shape = JSON.stringify([nodes.map(({ id }) => id), edges.map(({ from, to }) => [from, to])]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what changes its status stays where it is
  const places = useMemo(() => {
    const layers = KINDS.map((kind) => nodes.filter((node) => node.kind === kind).map(({ id }) => id));
    return placesOf({ layers: layers.filter((layer) => layer.length > 0), edges }, SIZES);
  }, [shape]);

  /** As wide as it is, from its top; the rest is a scroll away. */
  const showFromTop = useCallback((): void => {
    const width = Math.max(...[...places.values()].map(({ x }) => x + SIZES.width), 1);
    const zoom = Math.min(READABLE, ((box.current?.clientWidth ?? width) - 40) / width);
    void flow.setViewport({ x: 20, y: 20, zoom });
  }, [flow, places]);
  useEffect(showFromTop, [showFromTop]);

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { x, y, zoom } = flow.getViewport();
    const move = MOVES[event.key];
    if (move) void flow.setViewport({ x: x + move[0] * PAN, y: y + move[1] * PAN, zoom });
    else if (event.key === '+') void flow.zoomIn();
    else if (event.key === '-') void flow.zoomOut();
    else if (event.key === '0') void flow.fitView();
    else if (event.key === 'Home') showFromTop();
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
