import { shareReads } from '@privatelink/shared/app/share-reads';
import type { Db } from '@privatelink/shared/postgres/connect';
import { z } from 'zod';
import { STUCK_AFTER_MS } from '../read-models/connections.ts';
import { readChanges, readCounts, readSources } from '../read-models/overview.ts';
import { scopeOf } from '../views/caller-view.ts';
import { connectionList } from './listings.ts';
import type { App } from './server.ts';

export const counts = z.array(z.object({ name: z.string(), count: z.number().int() }));

const overview = z.object({
  connections: counts.describe('By status'),
  endpoints: counts.describe('By status'),
  endpointServices: counts.describe('By status'),
  holds: counts.describe('Connections by what holds them'),
  largestServices: counts.describe('Services by the number of their connections'),
  overdue: counts.describe('Accounts with most connections that wait for their payment'),
  zones: z
    .array(
      z.object({
        name: z.string(),
        count: z.number().int(),
        degraded: z.number().int().describe('Those of them with a zone, this or another, whose targets do not answer'),
      }),
    )
    .describe('Connections by zone, each in all of its zones'),
  stuck: z.number().int().describe('Connections on their way for more than a minute'),
  degraded: z.number().int().describe('Connections with a zone whose targets do not answer'),
  sources: z
    .array(
      z.object({
        source: z.string(),
        position: z.string().describe('Up to which position of the event store it has announced'),
        heardAt: z.string().describe('When it was heard last'),
        recordTime: z.string().nullable().describe('When its last fact was recorded'),
      }),
    )
    .describe('How far each service has been heard'),
});

const changes = z.object({
  items: z.array(
    z.object({ minute: z.string(), from: z.string(), to: z.string(), because: z.string(), count: z.number().int() }),
  ),
});

export const overviewRoutes = (app: App, db: Db): void => {
  // However many look, and however often: of all accounts, or of one.
  const countsOf = shareReads((accountId) => readCounts(db, { accountId: accountId || null }, STUCK_AFTER_MS));

  app.get(
    '/api/overview',
    { schema: { summary: 'How many there are of what', tags: ['overview'], response: { 200: overview } } },
    async (request) => {
      const found = await countsOf(scopeOf(request.signed.caller, connectionList).accountId ?? '');
      const sources = await readSources(db);
      return {
        ...found,
        ...{ connections: [...found.connections], endpoints: [...found.endpoints] },
        ...{ endpointServices: [...found.endpointServices], holds: [...found.holds] },
        ...{ largestServices: [...found.largestServices], overdue: [...found.overdue], zones: [...found.zones] },
        sources: sources.map(({ source, position, heardAt, recordTime }) => ({
          ...{ source, position: String(position), heardAt: heardAt.toISOString() },
          recordTime: recordTime?.toISOString() ?? null,
        })),
      };
    },
  );

  app.get(
    '/api/status-changes',
    {
      schema: {
        summary: 'Moves of connections in each minute',
        tags: ['overview'],
        querystring: z.strictObject({ minutes: z.coerce.number().int().min(1).max(1_440).default(60) }),
        response: { 200: changes },
      },
    },
    async (request) => {
      const rows = await readChanges(db, scopeOf(request.signed.caller, connectionList), request.query.minutes);
      return { items: rows.map(({ minute, ...change }) => ({ ...change, minute: minute.toISOString() })) };
    },
  );
};
