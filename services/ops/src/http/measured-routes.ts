import { z } from 'zod';
import type { DataPlane } from '../measured/data-plane.ts';
import type { Measured } from '../measured/measured.ts';
import { scopeOf } from '../views/caller-view.ts';
import type { App } from './server.ts';

/** Whoever may see how the services do may see how agents and DNS do. */
const OPERATIONS_LIST = 'privatelink.operations.v1.OperationsService/ListSubscriptions';

const process = z.object({
  address: z.string().describe('Where its metrics are asked for'),
  isAnswering: z.boolean(),
  heardAt: z.string().nullable().describe('When it answered last'),
});

const count = z.number().int();
const agent = process.extend({
  name: z.string().describe('Empty until it was heard'),
  work: z
    .object({
      since: z.string(),
      forwards: count.describe('Interfaces that are forwarded'),
      pending: count.describe('Interfaces that do not do yet what they should'),
      notInPlace: count.describe('Those of them that could not be placed'),
      withoutTarget: count.describe('Interfaces with a port without a target that answers'),
      limitsNotKept: count.describe('Interfaces whose bandwidth limit is not kept'),
      targetsDown: count.describe('Targets that do not answer'),
      reloads: count.describe('Times that HAProxy took another configuration, within half an hour'),
      failedRounds: count.describe('Times that nothing could be put in place, within half an hour'),
    })
    .nullable()
    .describe('Null of one that does not answer, or whose turn it is not'),
});

const dataPlane = z.object({
  zones: z.array(z.object({ zoneId: z.string(), agents: z.array(agent) })),
  unknown: z.array(agent).describe('Agents that have not said yet of which zone they are'),
});

const rates = z.array(z.object({ code: z.string(), perSecond: z.number() })).describe('By response code');
const dnsQueries = z.object({
  processes: z.array(process),
  now: rates,
  history: z
    .array(z.object({ time: z.string(), rates }))
    .describe('Over half an hour, each of 30 seconds; times at which nothing was measured are not there'),
});

export const measuredRoutes = (app: App, measured: Measured): void => {
  app.get(
    '/api/data-plane',
    {
      schema: {
        summary: 'Zones with their agents, and how those do',
        tags: ['overview'],
        response: { 200: z.object({ measured: dataPlane.nullable().describe('Null where it is not known') }) },
      },
    },
    async (request) => {
      scopeOf(request.signed.caller, OPERATIONS_LIST);
      const found = measured.dataPlane();
      return { measured: found && { zones: found.zones.map(zoneJson), unknown: found.unknown.map(agentJson) } };
    },
  );

  app.get(
    '/api/dns-queries',
    {
      schema: {
        summary: 'How many queries DNS answers',
        tags: ['overview'],
        response: { 200: z.object({ measured: dnsQueries.nullable().describe('Null where it is not known') }) },
      },
    },
    async (request) => {
      scopeOf(request.signed.caller, OPERATIONS_LIST);
      const found = measured.dnsQueries();
      return {
        measured: found && {
          processes: found.processes.map((one) => ({ ...one, heardAt: one.heardAt?.toISOString() ?? null })),
          now: [...found.now],
          history: found.history.map(({ time, rates: then }) => ({ time: time.toISOString(), rates: [...then] })),
        },
      };
    },
  );
};

type Zone = DataPlane['zones'][number];

const zoneJson = ({ zoneId, agents }: Zone) => ({ zoneId, agents: agents.map(agentJson) });

const agentJson = ({ heardAt, work, ...agent }: Zone['agents'][number]) => ({
  ...agent,
  heardAt: heardAt?.toISOString() ?? null,
  work: work && { ...work, since: work.since.toISOString() },
});
