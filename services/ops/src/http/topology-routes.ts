import type { Db } from '@privatelink/shared/postgres/connect';
import { z } from 'zod';
import { details, readTopology } from '../read-models/topology.ts';
import { scopeOf } from '../views/caller-view.ts';
import { type NodeKind, nodeKinds } from '../views/topology.ts';
import { connectionList } from './listings.ts';
import { counts } from './overview-routes.ts';
import { text } from './query-text.ts';
import type { App } from './server.ts';

const node = z.object({
  id: z.string().describe('`<kind>:<resource id>`'),
  kind: z.enum(nodeKinds),
  resourceId: z.string().describe('Empty for all others of this kind together, which have no room of their own'),
  count: z.number().int().describe('How many it stands for'),
  name: z.string().describe('Of a service its service name; else empty'),
  status: z.string().describe('Of a service; else empty'),
  businessStatus: z.string().describe('Of a service; else empty'),
  connections: counts.describe('By status, those that go through it; of an endpoint its own'),
});

const topology = z.object({
  detail: z
    .enum(details)
    .describe(
      'What it tells apart, and always what it is about: where there are more than 500 nodes, first endpoints, then VPCs, then services go; of accounts those that connect most are told apart then',
    ),
  nodes: z.array(node),
  edges: z
    .array(z.object({ from: z.string(), to: z.string(), connections: counts.describe('By status') }))
    .describe('From consumer by VPC, endpoint and service to provider, past those that it does not tell apart'),
});

export const topologyRoutes = (app: App, db: Db): void => {
  app.get(
    '/api/topology',
    {
      schema: {
        summary: 'Connections as a graph of 500 nodes at most',
        tags: ['overview'],
        querystring: z.strictObject({ about: text(64, 'With this account, VPC, endpoint or service alone') }),
        response: { 200: topology },
      },
    },
    async (request) => {
      const query = { scope: scopeOf(request.signed.caller, connectionList), about: request.query.about };
      const { detail, nodes, edges, kinds, services } = await readTopology(db, query);
      /** Those of a kind that have a node each are not among the others. */
      const othersOf = (kind: NodeKind): number =>
        (kinds[kind] ?? 0) - nodes.filter((one) => one.kind === kind && one.resourceId !== '').length;
      const stateOf = new Map(services.map((service) => [`service:${service.id}`, service]));
      return {
        detail,
        nodes: nodes.map(({ connections, ...one }) => {
          const { name = '', status = '', businessStatus = '' } = stateOf.get(one.id) ?? {};
          const count = one.resourceId === '' ? othersOf(one.kind) : 1;
          return { ...one, count, name, status, businessStatus, connections: [...connections] };
        }),
        edges: edges.map(({ connections, ...edge }) => ({ ...edge, connections: [...connections] })),
      };
    },
  );
};
