import type { Count, TopologyNode } from './api.ts';
import { number, shortName, words } from './format.ts';
import { type Tone, toneOf } from './parts/badge.tsx';

/** From who uses to who serves. */
export const KINDS = ['consumer', 'vpc', 'endpoint', 'service', 'provider'] as const;

export const KIND_NAMES: Readonly<Record<TopologyNode['kind'], string>> = {
  provider: 'Provider',
  service: 'Service',
  endpoint: 'Endpoint',
  vpc: 'VPC',
  consumer: 'Consumer',
};

export const KIND_PLURALS: Readonly<Record<TopologyNode['kind'], string>> = {
  provider: 'providers',
  service: 'services',
  endpoint: 'endpoints',
  vpc: 'VPCs',
  consumer: 'consumers',
};

/** The worst first: what is in trouble must not be hidden by what is well. */
const WORST: readonly Tone[] = ['bad', 'warn', 'idle', 'busy', 'good'];

export const toneOfCounts = (counts: readonly Count[]): Tone =>
  WORST.find((tone) => counts.some(({ name, count }) => count > 0 && toneOf(name) === tone)) ?? 'idle';

export const countsText = (counts: readonly Count[]): string =>
  counts.map(({ name, count }) => `${number(count)} ${words(name).toLowerCase()}`).join(', ');

/** The node that a graph is around of goes before all others. */
export const aroundFirst =
  (about: string) =>
  (a: TopologyNode, b: TopologyNode): number =>
    about === '' ? 0 : Number(b.resourceId === about) - Number(a.resourceId === about);

export const connectionsOf = ({ connections }: TopologyNode): number =>
  connections.reduce((sum, { count }) => sum + count, 0);

/** What it is, or how many others it stands for. */
export const nodeId = ({ resourceId, kind, count }: TopologyNode): string =>
  resourceId || `${number(count)} more ${KIND_PLURALS[kind]}`;

/** How much goes through it, where that is not one by itself. */
export const nodeCount = (node: TopologyNode): string =>
  node.kind === 'endpoint' ? '' : ` · ${number(connectionsOf(node))}`;

/** Begins with what is to be read of it in the graph. */
export const nodeText = (node: TopologyNode): string => {
  const status = node.status && ` (${words(shortName(node.status)).toLowerCase()})`;
  return `${nodeId(node)}${nodeCount(node)}: ${KIND_NAMES[node.kind]}${status}, ${countsText(node.connections)}`;
};

/** Where more is told of it. */
export const pageOf = ({ kind, resourceId }: TopologyNode): string => {
  if (resourceId === '') return '/connections';
  if (kind === 'endpoint') return `/connections/${resourceId}`;
  if (kind === 'service') return `/endpoint-services/${resourceId}`;
  return `/connections?q=${encodeURIComponent(kind === 'vpc' ? resourceId : `"${resourceId}"`)}`;
};
