import { describe, expect, it } from 'vitest';
import { graphOf, type Way } from './topology.ts';

const way = (endpoint: string, vpc: string, service: string, status: string): Way => ({
  nodes: { consumer: 'c', vpc, endpoint, service, provider: 'p' },
  connections: [{ name: status, count: 1 }],
});
const ways = [
  way('ep-1', 'vpc-1', 'epsrv-1', 'CONNECTED'),
  way('ep-2', 'vpc-1', 'epsrv-1', 'DISCONNECTED'),
  way('ep-3', 'vpc-2', 'epsrv-2', 'CONNECTED'),
];

describe('a graph of connections', () => {
  it('has each node and edge once, with what goes through it', () => {
    const { nodes, edges } = graphOf(ways);
    expect(nodes.map(({ id }) => id)).toEqual([
      ...['consumer:c', 'vpc:vpc-1', 'endpoint:ep-1', 'service:epsrv-1', 'provider:p'],
      ...['endpoint:ep-2', 'vpc:vpc-2', 'endpoint:ep-3', 'service:epsrv-2'],
    ]);
    const both = [
      { name: 'CONNECTED', count: 1 },
      { name: 'DISCONNECTED', count: 1 },
    ];
    expect(nodes.find(({ id }) => id === 'vpc:vpc-1')?.connections).toEqual(both);
    expect(edges).toContainEqual({ from: 'consumer:c', to: 'vpc:vpc-1', connections: both });
    expect(edges).toHaveLength(10);
  });

  it('joins nodes over those that it does not tell apart', () => {
    const { edges } = graphOf(
      ways.map(({ nodes: { consumer = '', provider = '' }, connections }) => ({
        nodes: { consumer, provider },
        connections,
      })),
    );
    expect(edges).toEqual([
      {
        ...{ from: 'consumer:c', to: 'provider:p' },
        connections: [
          { name: 'CONNECTED', count: 2 },
          { name: 'DISCONNECTED', count: 1 },
        ],
      },
    ]);
  });

  it('has one node for all others of a kind', () => {
    const { nodes, edges } = graphOf([
      { nodes: { consumer: 'c', provider: 'p' }, connections: [{ name: 'CONNECTED', count: 3 }] },
      { nodes: { consumer: '', provider: 'p' }, connections: [{ name: 'CONNECTED', count: 2 }] },
    ]);
    expect(nodes).toContainEqual({
      ...{ id: 'consumer:', kind: 'consumer', resourceId: '' },
      connections: [{ name: 'CONNECTED', count: 2 }],
    });
    expect(edges.map(({ from, to }) => [from, to])).toEqual([
      ['consumer:c', 'provider:p'],
      ['consumer:', 'provider:p'],
    ]);
  });
});
