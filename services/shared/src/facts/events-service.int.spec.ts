import { randomBytes } from 'node:crypto';
import { EventsServiceClient, EventsServiceService } from '@privatelink/proto/events/v1/events_service';
import { EndpointNames, type Fact } from '@privatelink/proto/events/v1/fact';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { add, type Counter, counter, counterCodec, open, openCounters, request } from '../app/test-support.ts';
import type { Clock, EventStore } from '../eventing/ports.ts';
import type { Role } from '../grpc/access.ts';
import { connect } from '../grpc/client.ts';
import { consistencyTokens } from '../grpc/consistency-token.ts';
import { pageTokens } from '../grpc/page-token.ts';
import { RemoteError } from '../grpc/remote-error.ts';
import { resumeTokens } from '../grpc/resume-token.ts';
import { startGrpcServer } from '../grpc/server.ts';
import { ACCOUNT, createIssuer, type Issuer, OTHER_ACCOUNT, recordedLog } from '../grpc/test-support.ts';
import { connectPostgres } from '../postgres/connect.ts';
import { ensureReadModel } from '../postgres/read-model.ts';
import { waitForPosition } from '../postgres/read-position.ts';
import { rebuildReadModel } from '../postgres/rebuild-read-model.ts';
import { runReadModel } from '../postgres/run-read-model.ts';
import { systemClock } from '../runtime/clock.ts';
import { createMemoryStore } from '../testing/memory-store.ts';
import { type PostgresServer, startPostgres } from '../testing/servers.ts';
import { eventsReadModel, prefixesOf, readerOf } from './events.ts';
import { eventsService } from './events-service.ts';
import { factReader } from './fact-reader.ts';

const secret = randomBytes(32);
const storeId = 'store';
const { log } = recordedLog();
let server: PostgresServer;
let issuer: Issuer;
let schemas = 0;
let undo: (() => unknown)[] = [];

beforeAll(async () => {
  server = await startPostgres();
  issuer = await createIssuer();
});
afterAll(async () => {
  await server?.stop();
  await issuer?.remove();
});
afterEach(async () => {
  for (const step of undo.reverse()) await step();
  undo = [];
});

/** Silence lasts a moment. */
const hasty: Clock = { ...systemClock, sleep: (ms, signal) => systemClock.sleep(Math.min(ms, 20), signal) };

type StageOptions = Readonly<{ clock?: Clock; isIndexed?: boolean }>;

/** Counters whose names begin with `b` are the other account's. */
const openStage = async ({ clock = systemClock, isIndexed = true }: StageOptions = {}) => {
  const memory = createMemoryStore();
  let followers = 0;
  const store: EventStore = {
    ...memory,
    subscribe: async function* (options) {
      followers++;
      try {
        yield* memory.subscribe(options);
      } finally {
        followers--;
      }
    },
  };
  const { counters } = openCounters(memory);
  const facts = {
    counter: factReader(
      store,
      { decider: counter, codec: counterCodec() },
      {
        ...{ service: 'spec', entity: 'counter' },
        accountOf: (_: Counter, id) => (id.startsWith('b') ? OTHER_ACCOUNT : ACCOUNT),
        resourceOf: ({ value }: Counter, revision, id) => ({
          $case: 'endpointNames',
          value: EndpointNames.fromPartial({ endpointId: id, generation: revision, state: `${value}` }),
        }),
      },
    ),
  };
  const { db, close } = await connectPostgres({ url: server.url, schema: `spec_${++schemas}`, poolMax: 4, log });
  undo.push(close);
  const live = readerOf(facts);
  const events = eventsReadModel(prefixesOf(facts), live);
  await ensureReadModel(db, events);
  const stop = new AbortController();
  const deps = { store: memory, db, clock: systemClock, log, signal: stop.signal, holder: 'spec' };
  const project = () => {
    const running = runReadModel(deps, events);
    undo.push(() => {
      stop.abort();
      return running;
    });
  };
  if (isIndexed) project();
  const tokens = consistencyTokens({ secret, storeId, service: 'spec' });
  const lists = { db, clock: systemClock, tokens, pages: pageTokens({ secret, storeId }), service: 'spec' };
  const implementation = eventsService({
    ...{ store, db, clock, events, live, lists, openPast: () => readerOf(facts) },
    resumeTokens: resumeTokens({ secret, storeId, service: 'spec' }),
  });
  const grpc = await startGrpcServer({
    ...{ service: 'spec', listen: { host: '127.0.0.1', port: 0 }, catalogue: {}, verifier: issuer.verifier, log },
    services: [{ definition: EventsServiceService, implementation }],
  });
  undo.push(() => grpc.stop(1_000));
  const clientOf = async (accountId: string, ...roles: readonly Role[]) => {
    const token = await issuer.token(roles, accountId);
    const client = connect(EventsServiceClient, [`127.0.0.1:${grpc.port}`], { token: () => token });
    undo.push(client.close);
    return client;
  };
  return {
    rebuild: () => rebuildReadModel(deps, events, () => undefined),
    ...{ counters, project, clientOf, followers: () => followers, tail: memory.tail },
    mine: await clientOf(ACCOUNT, 'consumer'),
    isIndexedUpTo: (position: bigint) =>
      waitForPosition({ db, readModel: events, position, deadline: Date.now() + 10_000, clock: systemClock }),
    /** Opens a counter and adds to it so many times. */
    count: async (id: string, adds: number) => {
      await counters.execute(id, open, request(`${id}-open`));
      for (let n = 0; n < adds; n++) await counters.execute(id, add(1), request(`${id}-${n}`));
    },
  };
};

type Stage = Awaited<ReturnType<typeof openStage>>;
type Client = Stage['mine'];
type Asked = Readonly<{ resumeToken?: string; afterPosition?: bigint; onlyNew?: boolean; filter?: string }>;
type Told = Readonly<{ fact: Fact; resumeToken: string }>;

const watch = (client: Client, asked: Asked = {}) =>
  client.watchEvents({ resumeToken: '', afterPosition: undefined, onlyNew: false, filter: undefined, ...asked }, {});

/** The first so many facts. */
const take = async (count: number, client: Client, asked: Asked = {}): Promise<readonly Told[]> => {
  const told: Told[] = [];
  if (count === 0) return told;
  for await (const { told: said, resumeToken } of watch(client, asked)) {
    if (said?.$case === 'event') told.push({ fact: said.value, resumeToken });
    if (told.length === count) break;
  }
  return told;
};

/** All that there is: the facts before it says that they are all. */
const takeAll = async (client: Client, asked: Asked = {}): Promise<readonly Told[]> => {
  const told: Told[] = [];
  for await (const { told: said, resumeToken } of watch(client, asked)) {
    if (said?.$case !== 'event') break;
    told.push({ fact: said.value, resumeToken });
  }
  return told;
};

const placesOf = (told: readonly Told[]) => told.map(({ fact }) => `${fact.sourceStream}@${fact.sourceRevision}`);
/** What the counter was after it. */
const countOf = ({ resource }: Fact): string => (resource?.$case === 'endpointNames' ? resource.value.state : '');
const refusal = async (call: Promise<unknown>) => {
  const error: unknown = await call.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof RemoteError)) throw new Error('it was not refused', { cause: error });
  return { reason: error.reason, fields: error.violations.map(({ field }) => field) };
};

test.each([true, false])('tells what was and what comes, each once and in order (indexed: %s)', async (isIndexed) => {
  const { count, mine, project } = await openStage({ isIndexed });
  await count('a1', 450);
  const all = take(903, mine);
  const more = [count('a2', 250), count('b1', 50), count('a3', 200)];
  if (!isIndexed) project();
  await Promise.all(more);
  const told = await all;
  const expected = [...places('a1', 451), ...places('a2', 251), ...places('a3', 201)];
  expect(placesOf(told).toSorted()).toEqual(expected.toSorted());
  const positions = told.map(({ fact }) => fact.position);
  expect(positions).toEqual([...new Set(positions)].sort((a, b) => (a < b ? -1 : 1)));
  for (const { fact } of told) {
    expect(countOf(fact)).toBe(String(fact.sourceRevision));
  }
});

const places = (id: string, count: number) => Array.from({ length: count }, (_, at) => `counter-${id}@${at}`);

test('goes on after any of its tokens, and after any position', async () => {
  const { count, mine, isIndexedUpTo, tail } = await openStage();
  await Promise.all([count('a1', 5), count('b1', 3), count('a2', 5)]);
  await isIndexedUpTo(await tail());
  const all = placesOf(await takeAll(mine));
  expect(all).toHaveLength(12);
  for (const [index, { fact, resumeToken }] of (await take(12, mine)).entries()) {
    const rest = all.slice(index + 1);
    expect(placesOf(await takeAll(mine, { resumeToken }))).toEqual(rest);
    expect(placesOf(await takeAll(mine, { afterPosition: fact.position }))).toEqual(rest);
  }
});

test('tells each account its own, operators everything, and only what is new when asked so', async () => {
  const { count, mine, clientOf, counters, tail, isIndexedUpTo } = await openStage();
  await Promise.all([count('a1', 2), count('b1', 2)]);
  await isIndexedUpTo(await tail());
  const other = await clientOf(OTHER_ACCOUNT, 'provider');
  const operator = await clientOf('', 'operator');
  expect(placesOf(await takeAll(mine))).toEqual(places('a1', 3));
  expect(placesOf(await takeAll(other))).toEqual(places('b1', 3));
  expect(placesOf(await takeAll(operator)).toSorted()).toEqual([...places('a1', 3), ...places('b1', 3)]);
  const iterator = watch(other, { onlyNew: true })[Symbol.asyncIterator]();
  expect((await iterator.next()).value?.told?.$case).toBe('synced');
  await counters.execute('a1', add(1), request('new-a'));
  await counters.execute('b1', add(1), request('new-b'));
  const next = await iterator.next();
  expect(next.value?.told).toMatchObject({ $case: 'event', value: { sourceStream: 'counter-b1', sourceRevision: 3n } });
  await iterator.return?.();
  // Whoever else did it is nobody to the owner but what he is.
  expect(next.value?.told).toMatchObject({ value: { actor: 'operator' } });
  expect((await takeAll(operator, { filter: 'resource_id = b1' })).at(-1)?.fact.actor).toBe('user:alice');
});

test('tells what a filter lets through, in the past as in the present', async () => {
  const { count, mine, clientOf, isIndexedUpTo, tail } = await openStage();
  await Promise.all([count('a1', 3), count('a2', 3), count('b1', 1)]);
  const filter = 'resource_type = counter AND (resource_id = a2 OR resource_id = b1) AND type = Added';
  const live = take(3, mine, { filter });
  expect(placesOf(await live)).toEqual(places('a2', 4).slice(1));
  await isIndexedUpTo(await tail());
  expect(placesOf(await takeAll(mine, { filter }))).toEqual(places('a2', 4).slice(1));
  const operator = await clientOf('', 'viewer');
  const theirs = { filter: `account_ids:${OTHER_ACCOUNT}` };
  expect(placesOf(await takeAll(operator, theirs))).toEqual(places('b1', 2));
  expect(placesOf(await takeAll(mine, theirs))).toEqual([]);
});

test('lists facts page by page, as they were told', async () => {
  const { count, mine, isIndexedUpTo, tail } = await openStage();
  await Promise.all([count('a1', 5), count('b1', 3), count('a2', 5)]);
  await isIndexedUpTo(await tail());
  const asked = { consistencyToken: '', filter: undefined };
  const listed: Fact[] = [];
  for (let pageToken = ''; ; ) {
    const page = await mine.listEvents({ ...asked, pageSize: 5, pageToken }, {});
    listed.push(...page.events);
    pageToken = page.nextPageToken;
    if (pageToken === '') break;
  }
  expect(listed).toEqual((await takeAll(mine)).map(({ fact }) => fact));
  const caused = { ...asked, pageSize: 0, pageToken: '', filter: 'correlation_id = correlation-a2-1' };
  expect((await mine.listEvents(caused, {})).events).toMatchObject([
    { sourceStream: 'counter-a2', sourceRevision: 2n },
  ]);
  expect((await mine.listEvents({ ...caused, filter: 'correlation_id = correlation-b1-1' }, {})).events).toEqual([]);
});

test('the index is rebuilt from the streams, and is what it was', async () => {
  const { count, mine, isIndexedUpTo, tail, rebuild } = await openStage();
  await Promise.all([count('a1', 600), count('b1', 30)]);
  await isIndexedUpTo(await tail());
  const before = await takeAll(mine);
  expect(await rebuild()).toMatchObject({ rows: 632, differences: 0 });
  expect(await takeAll(mine)).toEqual(before);
});

test('refuses tokens of others, more than one beginning, and filters that it does not know', async () => {
  const { count, mine, clientOf, tail } = await openStage();
  await count('a1', 1);
  const [{ resumeToken } = { resumeToken: '' }] = await take(1, mine);
  const invalid = { reason: 'RESUME_TOKEN_INVALID', fields: ['resume_token'] };
  for (const [account, role] of [
    [OTHER_ACCOUNT, 'provider'],
    ['', 'operator'],
  ] as const) {
    expect(await refusal(takeAll(await clientOf(account, role), { resumeToken }))).toEqual(invalid);
  }
  const foreign = [
    resumeTokens({ secret, storeId: 'restored', service: 'spec' }),
    resumeTokens({ secret, storeId, service: 'another' }),
    resumeTokens({ secret: randomBytes(32), storeId, service: 'spec' }),
  ].map(({ issue }) => issue(ACCOUNT, 1n));
  const changed = `${resumeToken.slice(0, -1)}${resumeToken.endsWith('A') ? 'B' : 'A'}`;
  for (const forged of [...foreign, changed, 'x', '1']) {
    expect(await refusal(takeAll(mine, { resumeToken: forged }))).toEqual(invalid);
  }
  const twice = { reason: 'INVALID_ARGUMENT', fields: ['resume_token'] };
  expect(await refusal(takeAll(mine, { resumeToken, onlyNew: true }))).toEqual(twice);
  expect(await refusal(takeAll(mine, { afterPosition: 0n, onlyNew: true }))).toEqual(twice);
  const beyond = { reason: 'INVALID_ARGUMENT', fields: ['after_position'] };
  expect(await refusal(takeAll(mine, { afterPosition: (await tail()) + 1n }))).toEqual(beyond);
  for (const filter of [
    'resource_id = *',
    'type:*',
    'actor = x',
    'stream = x',
    '>',
    `account_ids = ${OTHER_ACCOUNT}`,
  ]) {
    expect(await refusal(takeAll(mine, { filter })), filter).toEqual({ reason: 'INVALID_FILTER', fields: ['filter'] });
  }
});

test('says while nothing happens how far it is, and what does not concern the caller moves that on', async () => {
  const { count, mine, tail, isIndexedUpTo } = await openStage({ clock: hasty });
  await count('a1', 1);
  const iterator = watch(mine)[Symbol.asyncIterator]();
  for (let told = 0; told < 2; told++) expect((await iterator.next()).value?.told?.$case).toBe('event');
  expect((await iterator.next()).value?.told?.$case).toBe('synced');
  await count('b1', 2);
  const end = await tail();
  let resumeToken = '';
  for (let position = 0n; position < end; ) {
    const { value } = await iterator.next();
    if (value?.told?.$case !== 'synced') throw new Error('nothing of the caller has happened');
    position = value.told.value.position;
    resumeToken = value.resumeToken;
  }
  await iterator.return?.();
  await isIndexedUpTo(end);
  expect(await takeAll(mine, { resumeToken })).toEqual([]);
});

test('waits for a slow reader, and ends with one who leaves', async () => {
  const { count, mine, followers } = await openStage();
  const before = followers();
  const iterator = watch(mine)[Symbol.asyncIterator]();
  expect((await iterator.next()).value?.told?.$case).toBe('synced');
  await count('a1', 3_000);
  const read: string[] = [];
  while (read.length < 3_001) {
    const { value } = await iterator.next();
    if (value?.told?.$case === 'event') read.push(countOf(value.told.value));
  }
  expect(read).toEqual(Array.from({ length: 3_001 }, (_, at) => String(at)));
  expect(followers()).toBe(before + 1);
  await iterator.return?.();
  await expect.poll(followers).toBe(before);
});
