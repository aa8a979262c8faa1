import { setTimeout as delay } from 'node:timers/promises';
import { connectNats, type Nats } from '@privatelink/shared/nats/connect';
import { toMsgHdrs } from '@privatelink/shared/nats/headers';
import { ensureStream, factsStream } from '@privatelink/shared/nats/streams';
import { factSubject, type Producer } from '@privatelink/shared/nats/subjects';
import { createLog } from '@privatelink/shared/runtime/log';
import { startNats, startPostgres } from '@privatelink/shared/testing/servers';
import { Client } from 'pg';
import { schemaName } from '../../services/ops/src/read-models/schema.ts';
import {
  consumerAt,
  endpointAt,
  manyConnections,
  providerAt,
  serviceAt,
} from '../../services/ops/src/testing/many-connections.ts';
import { type OpsProcess, startOps } from './ops-process.ts';
import { type Figures, figures, round, timed } from './statistics.ts';

const IN_FLIGHT = 500;
const ROUNDS = 30;
const LOOK_EVERY_MS = 250;
/** As many as the table asks for at once. */
const PAGE = 100;

export type TableFigures = Readonly<{ who: string; what: string; rows: number }> & Figures;
type Query = Readonly<{ what: string; path: string }>;

/** What is announced of so many connections, taken in by the real process, and how long its tables take to answer. */
export const opsTables = async (connections: number) => {
  const [postgres, server] = await Promise.all([startPostgres(), startNats()]);
  const nats = await connectNats({
    url: server.url,
    name: 'bench',
    log: createLog({ service: 'bench', instance: 'bench', level: 'silent' }),
  });
  const db = new Client({ connectionString: postgres.url });
  await db.connect();
  const ops = await startOps({ postgres: postgres.url, nats: server.url });
  try {
    const started = performance.now();
    const messages = await announce(nats, connections);
    const announcedMs = performance.now() - started;
    await allTakenIn(db, messages);
    const seconds = (performance.now() - started) / 1_000;
    await tidied(db);
    const operator = await ops.token(['operator']);
    const provider = await ops.token(['provider'], providerAt(0));
    const consumer = await ops.token(['consumer'], consumerAt(0));
    return {
      connections,
      ingest: {
        ...{ messages, seconds: round(seconds), perSecond: Math.round(messages / seconds) },
        announcing: Math.round((1_000 * messages) / announcedMs),
      },
      tables: [
        ...(await measure(ops, operator, 'operator', operatorQueries)),
        ...(await measure(ops, provider, 'provider', tenantQueries)),
        ...(await measure(ops, consumer, 'consumer', tenantQueries)),
        ...(await measureDeep(ops, operator)),
        ...(await measure(ops, operator, 'operator', others)),
        ...(await measure(ops, provider, 'provider', others)),
      ],
    };
  } finally {
    await ops.stop();
    await db.end();
    await nats.close();
    await Promise.all([postgres.stop(), server.stop()]);
  }
};

const announce = async (nats: Nats, connections: number): Promise<number> => {
  for (const source of ['provider', 'consumer', 'broker', 'dns'] as const)
    await ensureStream(nats, factsStream(source));
  let count = 0;
  let sending: Promise<unknown>[] = [];
  for (const { source, message } of manyConnections(connections)) {
    const headers = toMsgHdrs(message.headers);
    sending.push(nats.js.publish(subjectOf(source), message.body, { headers }));
    count++;
    if (sending.length < IN_FLIGHT) continue;
    await Promise.all(sending);
    sending = [];
  }
  await Promise.all(sending);
  return count;
};

const subjectOf = (service: Producer): string =>
  factSubject({ service, resourceType: 'resource', type: 'Announced', accountId: '-' });

const until = async (isSo: () => Promise<boolean>): Promise<void> => {
  while (!(await isSo())) await delay(LOOK_EVERY_MS);
};

const allTakenIn = (db: Client, messages: number): Promise<void> =>
  until(async () => {
    const { rows } = await db.query(`select coalesce(max(sequence), 0) as last from ${schemaName}.foreign_fact`);
    return Number(rows[0].last) >= messages;
  });

/** As PostgreSQL keeps its tables by itself: within a minute or two of much new. */
const tidied = (db: Client): Promise<void> =>
  until(async () => {
    const { rows } = await db.query(`select 1 from pg_stat_user_tables
      where relname = 'foreign_broker_connection' and last_autoanalyze is not null`);
    return rows.length > 0;
  });

const query = (what: string, parameters: Readonly<Record<string, string>>): Query => ({
  what,
  path: `/api/connections?${new URLSearchParams({ pageSize: String(PAGE), ...parameters })}`,
});

const ORDERED = [
  ...['connection_id', 'service_id', 'service_name', 'endpoint_account_id', 'service_account_id', 'vpc_id'],
  ...['status', 'create_time', 'status_time'],
];

const operatorQueries: readonly Query[] = [
  query('first page', {}),
  ...ORDERED.flatMap((column) => [
    query(`by ${column}`, { orderBy: column }),
    query(`by ${column} desc`, { orderBy: `${column} desc` }),
  ]),
  query('by status, status_time desc', { orderBy: 'status, status_time desc' }),
  query('status = DISCONNECTED', { filter: 'status = DISCONNECTED' }),
  query('status != CONNECTED, latest', { filter: 'status != CONNECTED', orderBy: 'status_time desc' }),
  query('a hold, latest', { filter: 'hold_reasons:SERVICE_SECURITY_LOCK', orderBy: 'status_time desc' }),
  query('a service', { filter: `service_id = ${serviceAt(3)}` }),
  query('a service, latest', { filter: `service_id = ${serviceAt(150)}`, orderBy: 'status_time desc' }),
  query('an account, latest', { filter: `endpoint_account_id = "${consumerAt(7)}"`, orderBy: 'status_time desc' }),
  query('a zone, latest', { filter: 'zone_ids:cn-hangzhou-h', orderBy: 'status_time desc' }),
  query('search: an id begins', { q: endpointAt(50_000).slice(0, -2) }),
  query('search: an account', { q: consumerAt(9), orderBy: 'status_time desc' }),
  query('search: nothing', { q: 'nothing' }),
  query('stuck', { stuck: 'true' }),
  query('stuck, latest', { stuck: 'true', orderBy: 'status_time desc' }),
];

const tenantQueries: readonly Query[] = [
  query('first page', {}),
  query('latest', { orderBy: 'status_time desc' }),
  query('by status', { orderBy: 'status' }),
  query('status = DISCONNECTED', { filter: 'status = DISCONNECTED' }),
  query('search: an id begins', { q: endpointAt(50_000).slice(0, -2) }),
  query('stuck', { stuck: 'true' }),
];

const others: readonly Query[] = [
  { what: 'overview', path: '/api/overview' },
  { what: 'topology', path: '/api/topology' },
  { what: 'topology of a service', path: `/api/topology?about=${serviceAt(3)}` },
  { what: 'facts', path: '/api/facts?pageSize=100' },
];

type Page = Readonly<{ items: readonly unknown[]; nextPageToken: string }>;

/** Reads on from page to page, as somebody does who scrolls to the end, and says how long each of the last ones took. */
const measureDeep = async (ops: OpsProcess, token: string) => {
  const results: TableFigures[] = [];
  for (const orderBy of ['connection_id', 'status_time desc', 'status']) {
    const samples: number[] = [];
    let pageToken = '';
    let rows = 0;
    do {
      const path = `/api/connections?${new URLSearchParams({ pageSize: '1000', orderBy, pageToken })}`;
      samples.push(
        await timed(async () => {
          const page = await ops.get<Page>(path, token);
          rows += page.items.length;
          pageToken = page.nextPageToken;
        }),
      );
    } while (pageToken !== '');
    const last = samples.slice(-Math.ceil(samples.length / 5));
    results.push({ who: 'operator', what: `the last fifth of pages of 1000 by ${orderBy}`, rows, ...figures(last) });
  }
  return results;
};

const measure = async (ops: OpsProcess, token: string, who: string, queries: readonly Query[]) => {
  const results: TableFigures[] = [];
  for (const { what, path } of queries) {
    let rows = 0;
    const samples: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      samples.push(
        await timed(async () => {
          rows = (await ops.get<Partial<Page>>(path, token)).items?.length ?? 0;
        }),
      );
    }
    results.push({ who, what, rows, ...figures(samples) });
  }
  return results;
};
