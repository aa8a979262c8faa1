import type { Db } from '@privatelink/shared/postgres/connect';
import { z } from 'zod';
import { details, readTopology } from '../read-models/topology.ts';
import { scopeOf } from '../views/caller-view.ts';
import { nodeKinds } from '../views/topology.ts';
import { connectionList } from './listings.ts';
import { counts } from './overview-routes.ts';
import { text } from './query-text.ts';
import type { App } from './server.ts';

const node = z.object({
  id: z.string().describe('`<kind>:<resource id>`'),
  kind: z.enum(nodeKinds),
  resourceId: z.string(),
  name: z.string().describe('Of a service its service name; else empty'),
  status: z.string().describe('Of a service; else empty'),
  businessStatus: z.string().describe('Of a service; else empty'),
  connections: counts.describe('By status, those that go through it; of an endpoint its own'),
});

const topology = z.object({
  detail: z
    .enum(details)
    .describe('What it tells apart: where there are more than 500 nodes, first endpoints, then VPCs, then services go'),
  nodes: z.array(node),
  edges: z
    .array(z.object({ from: z.string(), to: z.string(), connections: counts.describe('By status') }))
    .describe('From consumer by VPC, endpoint and service to provider, past those that it does not tell apart'),
  omitted: z.number().int().describe('Connections for which there was no room'),
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
      const { detail, nodes, edges, omitted, services } = await readTopology(db, query);
      const stateOf = new Map(services.map((service) => [`service:${service.id}`, service]));
      return {
        detail,
        nodes: nodes.map(({ connections, ...one }) => {
          const { name = '', status = '', businessStatus = '' } = stateOf.get(one.id) ?? {};
          return { ...one, name, status, businessStatus, connections: [...connections] };
        }),
        edges: edges.map(({ connections, ...edge }) => ({ ...edge, connections: [...connections] })),
        omitted,
      };
    },
  );
};
