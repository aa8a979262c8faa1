import { pageTokens } from '@privatelink/shared/grpc/page-token';
import type { Db } from '@privatelink/shared/postgres/connect';
import { systemClock as clock } from '@privatelink/shared/runtime/clock';
import { type KyselyPlugin, type RawNode, sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { STUCK_AFTER_MS } from '../read-models/connections.ts';
import { type FactQuery, factsBefore } from '../read-models/facts.ts';
import { readCounts } from '../read-models/overview.ts';
import { readTopology } from '../read-models/topology.ts';
import { connectionMoved } from '../testing/announcements.ts';
import { consumerAt, endpointAt, manyConnections, providerAt, serviceAt } from '../testing/many-connections.ts';
import { openStage, type Stage } from '../testing/stage.ts';
import { readPage } from './list-page.ts';
import { listings } from './listings.ts';

const COUNT = 5_000;
const BATCH = 500;
let stage: Stage;
let operator: string;

beforeAll(async () => {
  stage = await openStage();
  operator = await stage.token(['operator']);
  const all = [...manyConnections(COUNT)];
  for (const source of ['provider', 'consumer', 'broker'] as const) {
    const messages = all.filter((one) => one.source === source).map(({ message }) => message);
    for (let at = 0; at < messages.length; at += BATCH) await stage.tell(source, ...messages.slice(at, at + BATCH));
  }
  // As PostgreSQL does by itself within a minute.
  await sql`vacuum analyze`.execute(stage.db);
}, 120_000);
afterAll(() => stage?.close());

const [connections] = listings;
const asked = { filter: '', orderBy: '', q: '', stuck: false, pageToken: '' };

/** How PostgreSQL would do what is asked of it. */
const plansOf = async (ask: (db: Db) => Promise<unknown>): Promise<string> => {
  const plans: string[] = [];
  const explaining: KyselyPlugin = {
    transformQuery: ({ node }) => {
      const [first = '', ...rest] = (node as RawNode).sqlFragments;
      return { ...(node as RawNode), sqlFragments: [`explain ${first}`, ...rest] };
    },
    transformResult: async ({ result }) => {
      plans.push(result.rows.map((row) => row['QUERY PLAN']).join('\n'));
      return { ...result, rows: [] };
    },
  };
  await ask(stage.db.withPlugin(explaining));
  return plans.join('\n');
};

const planOf = (change: Partial<typeof asked>, accountId = ''): Promise<string> => {
  const pages = pageTokens({ secret: Buffer.alloc(32), storeId: 'x' });
  const roles = accountId === '' ? (['operator'] as const) : (['provider', 'consumer'] as const);
  if (!connections) throw new Error('there are no lists');
  const caller = { subject: 'spec', accountId, roles };
  return plansOf((db) => readPage({ db, clock, pages }, connections, { ...asked, ...change }, caller, 100));
};

const factsPlan = (query: Omit<FactQuery, 'scope'>, accountId: string | null = null): Promise<string> =>
  plansOf((db) => factsBefore(db, { scope: { accountId }, ...query }, null, 100));

const ORDERED = ['connection_id', 'service_id', 'service_name', 'endpoint_account_id', 'service_account_id', 'vpc_id'];

describe('with thousands of connections', () => {
  it.each([...ORDERED, 'status', 'create_time', 'status_time'])('an index has them in order of %s', async (column) => {
    for (const orderBy of [column, `${column} desc`]) {
      const plan = await planOf({ orderBy });
      expect(plan).toContain('Index Scan');
      expect(plan).not.toMatch(/Seq Scan|Sort/);
    }
  });

  it.each([
    ['a service', { filter: `service_id = ${serviceAt(150)}` }],
    ['an account, the latest', { filter: `endpoint_account_id = "${consumerAt(7)}"`, orderBy: 'status_time desc' }],
    ['a hold', { filter: 'hold_reasons:SERVICE_SECURITY_LOCK' }],
    ['what is stuck, the latest', { stuck: true, orderBy: 'status_time desc' }],
    ['an id that begins so', { q: endpointAt(4_000).slice(0, -2) }],
    ['an account that is looked for', { q: providerAt(30), orderBy: 'status_time desc' }],
    ['nothing', { q: 'nothing' }],
  ])('an index finds %s', async (_what, change) => {
    expect(await planOf(change)).not.toContain('Seq Scan');
  });

  it('indexes alone count them', async () => {
    const plans = await plansOf((db) => readCounts(db, { accountId: null }, STUCK_AFTER_MS));
    expect(plans).not.toContain('Scan on foreign_broker_connection');
    for (const one of ['overdue', 'zones']) expect(plans).toContain(`foreign_broker_connection__${one}`);
  });

  it('an index finds those of an account', async () => {
    for (const accountId of [consumerAt(7), providerAt(30)]) {
      expect(await planOf({ orderBy: 'status_time desc' }, accountId)).not.toContain('Seq Scan');
    }
  });

  it.each([
    ['a resource', { about: endpointAt(7) }, 'resource'],
    ['a service', { about: serviceAt(150) }, 'service'],
    ['an account', { about: consumerAt(7) }, 'accounts'],
    ['a type, however long ago', { types: ['EndpointServiceActivated'] }, 'type'],
    ['what nobody did', { actor: 'user:nobody' }, 'actor'],
    ['moves', { moves: true }, 'moves'],
  ])('an index finds facts of %s', async (_what, query, index) => {
    const plan = await factsPlan(query);
    expect(plan).toContain(`foreign_fact_${index}`);
    expect(plan).not.toMatch(/Seq Scan|foreign_fact_pkey/);
    expect(await factsPlan(query, consumerAt(7))).not.toContain('Seq Scan');
  });

  describe('a graph', () => {
    const graph = (about: string) => readTopology(stage.db, { scope: { accountId: null }, about });
    const countOf = async (about: string): Promise<number> => {
      const { rows } = await sql<{ count: number }>`select count(*)::int as count from foreign_broker_connection
        where not gone and (${about} = '' or ${about} in (service_id, vpc_id) or ${about} = any(account_ids))`.execute(
        stage.db,
      );
      return rows[0]?.count ?? 0;
    };

    it.each([
      ['everything', ''],
      ['a service that many use', serviceAt(0)],
      ['a service', serviceAt(150)],
      ['a provider', providerAt(0)],
      ['a consumer', consumerAt(7)],
    ])('of %s has room for 500 nodes, and is of all connections', async (_what, about) => {
      const { nodes, edges, kinds } = await graph(about);
      expect(nodes.length).toBeLessThanOrEqual(500);
      expect(edges.length).toBeLessThanOrEqual(2_000);
      const consumers = nodes.filter(({ kind }) => kind === 'consumer');
      const connections = consumers.flatMap((node) => node.connections).reduce((sum, { count }) => sum + count, 0);
      expect(connections).toBe(await countOf(about));
      if (about !== '') expect(nodes.map(({ resourceId }) => resourceId)).toContain(about);
      const others = nodes.some(({ id }) => id === 'consumer:');
      expect(consumers).toHaveLength(others ? 41 : (kinds.consumer ?? 0));
    });
  });

  it.each(['', 'status', 'status_time desc', 'service_id, status_time desc'])(
    'pages in order of %s have what does not change once, while others change',
    async (orderBy) => {
      const changing = new Set<string>();
      const seen: string[] = [];
      let revision = 10n;
      let pageToken = '';
      do {
        const search = new URLSearchParams({ pageSize: '400', orderBy, pageToken });
        const reply = await stage.get(`/api/connections?${search}`, operator);
        const page = (await reply.json()) as { items: { connectionId: string }[]; nextPageToken: string };
        seen.push(...page.items.map(({ connectionId }) => connectionId));
        pageToken = page.nextPageToken;
        for (let each = 0; each < 5; each++) {
          const id = endpointAt(Math.floor(Math.random() * COUNT));
          changing.add(id);
          await stage.tell('broker', connectionMoved(id, ++revision, ['CONNECTED', 'CHANGING']));
        }
      } while (pageToken !== '');
      const lasting = seen.filter((id) => !changing.has(id));
      expect(new Set(lasting).size).toBe(lasting.length);
      const there = await sql<{ key: string }>`select key from foreign_broker_connection where not gone`.execute(
        stage.db,
      );
      expect(lasting.sort()).toEqual(
        there.rows
          .map(({ key }) => key)
          .filter((id) => !changing.has(id))
          .sort(),
      );
    },
  );
});
