import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Rejected } from '../eventing/rejected.ts';
import { systemClock } from '../runtime/clock.ts';
import { type NatsServer, startNats } from '../testing/servers.ts';
import { connectNats, type Nats } from './connect.ts';
import { type Consumer, type ConsumerDeps, InvalidMessage, runConsumer } from './consumer.ts';
import { fromMsgHdrs, toMsgHdrs } from './headers.ts';
import type { IncomingMessage } from './incoming-message.ts';
import { ensureStream } from './streams.ts';

const log = pino({ level: 'silent' });
let server: NatsServer;
let nats: Nats;
let stops: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  server = await startNats();
  nats = await connectNats({ url: server.url, name: 'consumer', log });
  await ensureStream(nats, 'EVT_PROVIDER');
});
afterEach(async () => {
  await Promise.all(stops.map((stop) => stop()));
  stops = [];
  await nats.close();
  await server.stop();
});

const text = (message: IncomingMessage) => new TextDecoder().decode(message.body);
const publish = (body: string, headers: Record<string, string> = {}) =>
  nats.js.publish('evt.provider.v1.thing.made.a', new TextEncoder().encode(body), { headers: toMsgHdrs(headers) });

const run = (handle: Consumer['handle'], options: Partial<Consumer & ConsumerDeps> = {}) => {
  const stop = new AbortController();
  const deps = { nats, service: 'consumer', clock: systemClock, log, ...options, signal: stop.signal };
  const consumer = { durable: 'consumer__spec', stream: 'EVT_PROVIDER', filterSubject: 'evt.provider.v1.>' } as const;
  const done = runConsumer(deps, { ...consumer, ...options, handle });
  const end = async () => {
    stop.abort();
    await done;
  };
  stops.push(end);
  return end;
};

describe('runConsumer', () => {
  test('handles each message once when all is well, and goes on where it stopped', async () => {
    const seen: string[] = [];
    const handle = async (message: IncomingMessage) => void seen.push(text(message));
    const end = run(handle);
    for (let n = 0; n < 100; n++) await publish(`${n}`);
    await vi.waitFor(() => expect(seen).toHaveLength(100));
    await end();
    await publish('100');
    run(handle);
    await vi.waitFor(() => expect(seen).toHaveLength(101));
    expect(seen).toEqual(Array.from({ length: 101 }, (_, n) => `${n}`));
  });

  test('a failed message comes again after a back-off, and others pass it meanwhile', async () => {
    const seen: [string, number][] = [];
    run(async (message) => {
      seen.push([text(message), message.deliveryCount]);
      if (text(message) === 'bad' && message.deliveryCount < 3) throw new Error('not yet');
    });
    await publish('bad');
    await publish('good');
    await vi.waitFor(() => expect(seen).toHaveLength(4), { timeout: 5000 });
    expect(seen).toEqual([
      ['bad', 1],
      ['good', 1],
      ['bad', 2],
      ['bad', 3],
    ]);
  });

  test('one at a time, a failed message keeps its place', async () => {
    const seen: string[] = [];
    run(
      async (message) => {
        seen.push(text(message));
        if (text(message) === 'bad' && message.deliveryCount < 3) throw new Error('not yet');
      },
      { maxInFlight: 1 },
    );
    await publish('bad');
    await publish('good');
    await vi.waitFor(() => expect(seen).toHaveLength(4), { timeout: 8000 });
    expect(seen).toEqual(['bad', 'bad', 'bad', 'good']);
  });

  test.each([
    ['invalid', () => new InvalidMessage('no such field\nat all'), 'InvalidMessage: no such field at all'],
    ['rejected', () => new Rejected('NAME_TAKEN'), 'Rejected: NAME_TAKEN {}'],
  ])('a message that is %s becomes a dead letter with its headers and the reason', async (_, error, reason) => {
    const seen: string[] = [];
    run(async (message) => {
      seen.push(text(message));
      if (text(message) === 'bad') throw error();
    });
    await publish('bad', { 'source-stream': 's-1' });
    await publish('good');
    await vi.waitFor(() => expect(seen).toEqual(['bad', 'good']));
    const letter = await vi.waitUntil(() =>
      nats.jsm.streams.getMessage('DLQ', { last_by_subj: 'dlq.consumer.consumer__spec.>' }),
    );
    expect(new TextDecoder().decode(letter.data)).toBe('bad');
    expect(fromMsgHdrs(letter.header)).toMatchObject({
      'source-stream': 's-1',
      'dead-letter-reason': reason,
      'dead-letter-subject': 'evt.provider.v1.thing.made.a',
      'dead-letter-deliveries': '1',
    });
    await vi.waitFor(async () => {
      const { num_ack_pending, num_pending } = await nats.jsm.consumers.info('EVT_PROVIDER', 'consumer__spec');
      expect({ num_ack_pending, num_pending }).toEqual({ num_ack_pending: 0, num_pending: 0 });
    });
    expect(seen).toEqual(['bad', 'good']);
  });

  test('a message that always fails is set aside at last', async () => {
    let deliveries = 0;
    run(
      async (message) => {
        deliveries = message.deliveryCount;
        throw new Error('a bug');
      },
      { maxDeliveries: 4 },
    );
    await publish('bad');
    const letter = await vi.waitUntil(
      () => nats.jsm.streams.getMessage('DLQ', { last_by_subj: 'dlq.>' }).catch(() => null),
      { timeout: 10_000, interval: 50 },
    );
    expect(letter.header.get('dead-letter-reason')).toBe('Error: a bug');
    expect(deliveries).toBe(4);
  });

  test('an outage is waited out, however often it fails', async () => {
    let deliveries = 0;
    const refused = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
    run(
      async (message) => {
        deliveries = message.deliveryCount;
        if (deliveries < 6) throw refused;
      },
      { maxDeliveries: 2 },
    );
    await publish('x');
    await vi.waitFor(() => expect(deliveries).toBe(6), { timeout: 10_000 });
    expect((await nats.jsm.streams.info('DLQ')).state.messages).toBe(0);
  });

  test('a deleted consumer, a restarted server and an emptied JetStream are survived', async () => {
    const seen: string[] = [];
    run(async (message) => void seen.push(text(message)));
    await publish('one');
    await vi.waitFor(() => expect(seen).toContain('one'));
    await nats.jsm.consumers.delete('EVT_PROVIDER', 'consumer__spec');
    await publish('two');
    await vi.waitFor(() => expect(seen).toContain('two'), { timeout: 10_000 });
    await server.halt();
    await server.start();
    await vi.waitFor(() => publish('three'), { timeout: 10_000 });
    await vi.waitFor(() => expect(seen).toContain('three'), { timeout: 10_000 });
    await server.halt();
    server.wipe();
    await server.start();
    await vi.waitFor(() => publish('four'), { timeout: 20_000 });
    await vi.waitFor(() => expect(seen).toContain('four'), { timeout: 20_000 });
  }, 60_000);

  test('two replicas share the messages; what a stopped one holds goes to the other at once', async () => {
    const seen: string[] = [];
    const blocked = Promise.withResolvers<void>();
    let started = 0;
    const end = run(async (message) => {
      started++;
      await blocked.promise;
      seen.push(`a${text(message)}`);
    });
    for (let n = 0; n < 20; n++) await publish(`${n}`);
    await vi.waitFor(() => expect(started).toBe(1));
    run(async (message) => void seen.push(`b${text(message)}`));
    const ended = end();
    blocked.resolve();
    await ended;
    await vi.waitFor(() => expect(seen).toHaveLength(20), { timeout: 8000 });
    expect(seen[0]).toBe('a0');
    expect(seen.slice(1).every((one) => one.startsWith('b'))).toBe(true);
  });
});
