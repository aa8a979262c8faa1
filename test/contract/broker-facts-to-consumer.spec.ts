import { readFileSync } from 'node:fs';
import { Fact } from '@privatelink/proto/events/v1/fact';
import { createRepository } from '@privatelink/shared/app/repository';
import { recordedLog } from '@privatelink/shared/grpc/test-support';
import { InvalidMessage } from '@privatelink/shared/nats/consumer';
import type { IncomingMessage } from '@privatelink/shared/nats/incoming-message';
import { connectPostgres, type Postgres } from '@privatelink/shared/postgres/connect';
import { ensureForeignTable, foreignPosition, getForeign } from '@privatelink/shared/postgres/foreign-table';
import { systemClock as clock } from '@privatelink/shared/runtime/clock';
import type { GoldenFact } from '@privatelink/shared/testing/fact-spec';
import { createMemoryStore } from '@privatelink/shared/testing/memory-store';
import { type PostgresServer, startPostgres } from '@privatelink/shared/testing/servers';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { endpointCodec } from '../../services/consumer/src/endpoint/endpoint.codec.ts';
import { endpoint } from '../../services/consumer/src/endpoint/endpoint.decide.ts';
import { brokerConnectionsFeed } from '../../services/consumer/src/ingest/broker-connections.ts';
import { brokerConnections, readConnection } from '../../services/consumer/src/read-models/broker-connections.ts';
import { takeIn } from './support/announced.ts';

/** Facts as each service announced them once: whoever reads them must be able to for ever. */
const goldenOf = (path: string): readonly GoldenFact[] =>
  JSON.parse(readFileSync(new URL(`../../services/${path}.golden.json`, import.meta.url), 'utf8'));

const announced = {
  provider: goldenOf('provider/src/publish/endpoint-service-facts'),
  consumer: goldenOf('consumer/src/publish/endpoint-facts'),
  broker: goldenOf('connection-broker/src/publish/connection-facts'),
  dns: goldenOf('dns/src/publish/name-set-facts'),
} as const;
const messageOf = ({ subject, bytes }: GoldenFact) => ({
  ...{ subject, headers: {}, body: Buffer.from(bytes, 'base64'), deliveryCount: 1 },
});
const factOf = ({ bytes }: GoldenFact): Fact => Fact.decode(Buffer.from(bytes, 'base64'));

describe('a fact that was announced', () => {
  const cases = { provider: 'endpointService', consumer: 'endpoint', broker: 'connection', dns: 'endpointNames' };
  it.each(Object.entries(cases))('by %s still reads as one of its %s, whole', (service, $case) => {
    const golden = announced[service as keyof typeof announced];
    expect(golden.length).toBeGreaterThan(4);
    for (const frozen of golden) {
      const fact = factOf(frozen);
      expect([fact.type, fact.resource?.$case]).toEqual([frozen.type, $case]);
      expect(Buffer.from(Fact.encode(fact).finish()).toString('base64')).toBe(frozen.bytes);
    }
  });
});

describe('what the consumer service keeps of the broker', () => {
  let server: PostgresServer;
  let postgres: Postgres;
  let schemas = 0;
  beforeAll(async () => {
    server = await startPostgres();
  });
  beforeEach(async () => {
    const { log } = recordedLog();
    postgres = await connectPostgres({ url: server.url, schema: `spec_${++schemas}`, poolMax: 2, log });
    await ensureForeignTable(postgres.db, brokerConnections);
    return () => postgres.close();
  });
  afterAll(() => server?.stop());

  const store = createMemoryStore();
  const endpoints = createRepository({ store, clock, producer: 'consumer' }, endpoint, endpointCodec);
  const take = (message: IncomingMessage) =>
    takeIn(postgres.db, brokerConnectionsFeed({ db: postgres.db, endpoints, clock }), [message]);
  const kept = async (connectionId: string) => {
    const row = await getForeign(postgres.db, brokerConnections, connectionId);
    return row && { connection: readConnection(row.state), revision: row.revision };
  };
  const expected = (golden: GoldenFact) => {
    const fact = factOf(golden);
    if (fact.resource?.$case !== 'connection') throw new Error('no connection');
    return { connection: fact.resource.value, revision: fact.sourceRevision };
  };
  /** One connection's, from its beginning, as they are announced now; those before them are as they once were. */
  const facts = announced.broker.slice(
    announced.broker.findLastIndex((golden) => factOf(golden).sourceRevision === 0n),
  );
  const [first] = facts;
  const last = facts.at(-1);
  if (!first || !last) throw new Error('nothing announced');
  const { connectionId } = expected(first).connection;

  it('is each connection as it was announced last', async () => {
    for (const golden of facts) {
      await take(messageOf(golden));
      expect(await kept(connectionId), golden.type).toEqual(expected(golden));
    }
  });

  it('is the same whatever order the facts come in, and however often', async () => {
    for (const golden of [...facts].reverse()) await take(messageOf(golden));
    for (const golden of facts) await take(messageOf(golden));
    expect(await kept(connectionId)).toEqual(expected(last));
  });

  it('is the same when all of them come at once', async () => {
    const feed = brokerConnectionsFeed({ db: postgres.db, endpoints, clock });
    await takeIn(postgres.db, feed, [...facts, ...facts.toReversed()].map(messageOf));
    expect(await kept(connectionId)).toEqual(expected(last));
  });

  it('goes as far as the last fact or heartbeat, and never back', async () => {
    const heartbeat = (position: string) => ({
      ...{ subject: 'evt.broker.v1.heartbeat', headers: { 'source-position': position } },
      ...{ body: new Uint8Array(), deliveryCount: 1 },
    });
    await take(messageOf(last));
    const { position } = factOf(last);
    expect(await foreignPosition(postgres.db, 'broker')).toBe(position);
    await take(heartbeat(String(position + 50n)));
    await take(heartbeat('1'));
    await take(messageOf(first));
    expect(await foreignPosition(postgres.db, 'broker')).toBe(position + 50n);
  });

  it('is nothing of what is no connection: such a message is set aside', async () => {
    for (const golden of [...announced.provider, ...announced.consumer, ...announced.dns]) {
      await expect(take(messageOf(golden))).rejects.toThrow(InvalidMessage);
    }
  });

  it('is nothing of what is no fact: such a message is set aside, not repeated', async () => {
    const body = Buffer.from([0x0a, 0xff, 0xff, 0x03, 0x01]);
    await expect(take({ ...messageOf(first), body })).rejects.toThrow(InvalidMessage);
  });
});
