import { OperationsServiceClient, OperationsServiceService } from '@privatelink/proto/operations/v1/operations_service';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import type { Reactor } from '../app/run-reactor.ts';
import { add, open, openCounters, request } from '../app/test-support.ts';
import { connect } from '../grpc/client.ts';
import { startGrpcServer } from '../grpc/server.ts';
import { createIssuer, type Issuer, implement, recordedLog } from '../grpc/test-support.ts';
import { connectPostgres, type Postgres } from '../postgres/connect.ts';
import { leaseOfReactor, runLeasedReactor } from '../postgres/leased-reactor.ts';
import { registry } from '../telemetry/metrics.ts';
import { createMemoryStore } from '../testing/memory-store.ts';
import { type PostgresServer, startPostgres } from '../testing/servers.ts';
import { systemClock as clock } from './clock.ts';
import { lookAtWork } from './looks.ts';
import { subscriptionOperations } from './subscription-operations.ts';

const { log } = recordedLog();
let server: PostgresServer;
let issuer: Issuer;
let postgres: Postgres;
let undo: (() => unknown)[] = [];

beforeAll(async () => {
  server = await startPostgres();
  issuer = await createIssuer();
});
afterAll(async () => {
  await server?.stop();
  await issuer?.remove();
});
beforeEach(async () => {
  postgres = await connectPostgres({ url: server.url, schema: 'spec', poolMax: 4, log });
  undo.push(postgres.close);
});
afterEach(async () => {
  for (const step of undo.reverse()) await step();
  undo = [];
});

test('tells who holds what, how far it is and what it fails at, while all else goes on', async () => {
  const { db } = postgres;
  const store = createMemoryStore();
  const { counters } = openCounters(store);
  const worked: string[] = [];
  let fails = true;
  const reactor: Reactor = {
    name: 'spec',
    prefixes: ['counter-'],
    key: ({ stream }) => stream,
    work: async (key) => {
      if (fails && key === 'counter-bad') throw new Error('a bug');
      worked.push(key);
      return 'settled';
    },
  };
  const checkpoint = leaseOfReactor(reactor);
  const running = [
    { name: 'publisher.spec' },
    { name: checkpoint, checkpoint, reactor: reactor.name, tail: store.tail },
  ];
  const operations = subscriptionOperations({ db, running, process: { service: 'spec', instance: 'spec-1' } });
  const grpc = await startGrpcServer({
    ...{ service: 'spec', listen: { host: '127.0.0.1', port: 0 }, catalogue: {}, verifier: issuer.verifier, log },
    services: [
      { definition: OperationsServiceService, implementation: implement(OperationsServiceService, { ...operations }) },
    ],
  });
  undo.push(() => grpc.stop(1_000));
  const token = await issuer.token(['viewer'], '');
  const client = connect(OperationsServiceClient, [`127.0.0.1:${grpc.port}`], { token: () => token });
  undo.push(client.close);
  const list = () => client.listSubscriptions({}, {});

  const { answeredBy, subscriptions } = await list();
  expect(answeredBy).toMatchObject({ service: 'spec', instance: 'spec-1', nodeVersion: process.version });
  expect(subscriptions).toMatchObject([
    { name: 'publisher.spec', holder: '', position: undefined, tailPosition: undefined },
    { name: 'reactor.spec', holder: '', epoch: 0n, position: 0n, failingCount: 0 },
  ]);

  const stop = new AbortController();
  const ended = runLeasedReactor({ store, db, clock, log, holder: 'spec-2', signal: stop.signal }, reactor);
  undo.push(() => {
    stop.abort();
    return ended;
  });
  await counters.execute('bad', open, request('bad'));
  await counters.execute('good', open, request('good'));
  await counters.execute('good', add(1), request('more'));
  await vi.waitFor(
    async () => {
      const tail = await store.tail();
      const [, one] = (await list()).subscriptions;
      expect(one).toMatchObject({ holder: 'spec-2', epoch: 1n, tailPosition: tail, position: tail, failingCount: 1 });
      expect(one?.failing).toMatchObject([{ key: 'counter-bad' }]);
      expect(one?.failing[0]?.attemptCount).toBeGreaterThan(1);
    },
    { timeout: 5_000, interval: 20 },
  );
  expect(new Set(worked)).toEqual(new Set(['counter-good']));

  const look = async (): Promise<string | undefined> => {
    await lookAtWork({ db }, reactor)();
    return /^privatelink_reactor_failing_keys\{reactor="spec"\} (\d+)$/m.exec(await registry.metrics())?.[1];
  };
  expect(await look()).toBe('0');
  await db
    .updateTable('work')
    .set({ attempt: 10, due: new Date(Date.now() + 60_000) })
    .execute();
  expect(await look()).toBe('1');

  fails = false;
  await db.updateTable('work').set({ due: new Date() }).execute();
  await vi.waitFor(async () => expect((await list()).subscriptions[1]?.failingCount).toBe(0), { timeout: 5_000 });
  expect(worked).toContain('counter-bad');

  stop.abort();
  await ended;
  expect((await list()).subscriptions[1]).toMatchObject({ holder: '', epoch: 1n, position: await store.tail() });
});
