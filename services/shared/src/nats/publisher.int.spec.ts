import { nanos } from '@nats-io/transport-node';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { StoredEvent } from '../eventing/message.ts';
import { connectPostgres, type Postgres } from '../postgres/connect.ts';
import { systemClock } from '../runtime/clock.ts';
import { createMemoryStore, type MemoryStore } from '../testing/memory-store.ts';
import { type NatsServer, type PostgresServer, startNats, startPostgres } from '../testing/servers.ts';
import { connectNats, type Nats } from './connect.ts';
import { fromMsgHdrs } from './headers.ts';
import { type Announcement, type PublisherDeps, runPublisher } from './publisher.ts';
import { ensureStreams, streamNames } from './streams.ts';
import { factSubject, heartbeatSubject } from './subjects.ts';

const log = pino({ level: 'silent' });
let postgresServer: PostgresServer;
let natsServer: NatsServer;
let postgres: Postgres;
let nats: Nats;
let store: MemoryStore;
let schemas = 0;
let stops: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  postgresServer = await startPostgres();
});
afterAll(() => postgresServer?.stop());
const connect = () => connectPostgres({ url: postgresServer.url, schema: `spec_${++schemas}`, poolMax: 4, log });
beforeEach(async () => {
  natsServer = await startNats();
  [postgres, nats] = await Promise.all([connect(), connectNats({ url: natsServer.url, name: 'provider', log })]);
  store = createMemoryStore();
});
afterEach(async () => {
  await Promise.all(stops.map((stop) => stop()));
  stops = [];
  await nats.close();
  await postgres.close();
  await natsServer.stop();
});

const append = async (count: number, from = 0, category = 'endpointService') => {
  for (let n = from; n < from + count; n++) {
    const metadata = {
      $correlationId: `corr-${n}`,
      $causationId: 'cause',
      accountId: 'acct',
      actor: 'user:u\r\nforged: yes',
      requestId: 'r',
      fingerprint: 'f',
      producer: 'provider',
    };
    await store.append(`${category}-${n}`, [{ id: `id-${n}`, type: 'Made.v1', data: { n }, metadata }], 'no-stream');
  }
};

/** Two messages for each event. */
const translate = async (event: StoredEvent): Promise<readonly Announcement[]> =>
  ['first', 'second'].map((fact) => ({
    subject: factSubject({ service: 'provider', resourceType: 'endpoint-service', type: fact, accountId: 'acct' }),
    body: new TextEncoder().encode(`${(event.data as { n: number }).n}-${fact}`),
  }));

const run = (options: Partial<PublisherDeps> & { translate?: typeof translate } = {}) => {
  const stop = new AbortController();
  const deps = { db: postgres.db, store, nats, clock: systemClock, log, holder: 'a', ...options, signal: stop.signal };
  const publisher = { name: 'provider', service: 'provider', prefixes: ['endpointService-'], translate } as const;
  const done = runPublisher(deps, { ...publisher, ...(options.translate && { translate: options.translate }) });
  const end = async () => {
    stop.abort();
    await done;
  };
  stops.push(end);
  return end;
};

type Seen = Readonly<{ subject: string; body: string; headers: Readonly<Record<string, string>>; sequence: number }>;
const stored = async (): Promise<readonly Seen[]> => {
  const { state } = await nats.jsm.streams.info('EVT_PROVIDER');
  const seen: Seen[] = [];
  for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
    const message = await nats.jsm.streams.getMessage('EVT_PROVIDER', { seq });
    if (!message) continue;
    const body = new TextDecoder().decode(message.data);
    seen.push({ subject: message.subject, body, headers: fromMsgHdrs(message.header), sequence: seq });
  }
  return seen;
};
const facts = async () => (await stored()).filter((message) => message.subject !== heartbeatSubject('provider'));
const bodies = async () => (await facts()).map((message) => message.body);
const expected = (count: number) => Array.from({ length: count }, (_, n) => [`${n}-first`, `${n}-second`]).flat();
const untilPublished = (count: number, timeout = 10_000) =>
  vi.waitFor(async () => expect(await bodies()).toEqual(expected(count)), { timeout, interval: 50 });

describe('runPublisher', () => {
  test('announces what is there and what comes, in order, with the headers that identify it', async () => {
    await append(300);
    run();
    await untilPublished(300);
    await append(2, 300);
    await untilPublished(302);
    const [first] = await facts();
    expect(first?.subject).toBe('evt.provider.v1.endpoint-service.first.acct');
    expect(first?.headers).toMatchObject({
      'Nats-Msg-Id': 'id-0:0',
      'correlation-id': 'corr-0',
      'causation-id': 'id-0',
      'account-id': 'acct',
      actor: 'user:u forged: yes',
      'event-type': 'Made.v1',
      'source-stream': 'endpointService-0',
      'source-revision': '0',
      'source-position': '1',
    });
    expect(first?.headers['forged']).toBeUndefined();
  });

  test('resumes after what is there, also in the middle of an event', async () => {
    await append(3);
    let calls = 0;
    const failing = (event: StoredEvent) => (++calls > 2 ? Promise.reject(new Error('killed')) : translate(event));
    const end = run({ translate: failing });
    await untilPublished(2);
    await end();
    // As if it had been killed between the two messages of the second event.
    const last = (await stored()).at(-1);
    expect(last?.body).toBe('1-second');
    await nats.jsm.streams.deleteMessage('EVT_PROVIDER', last?.sequence ?? 0);
    await vi.waitFor(async () => expect((await nats.jsm.streams.info('EVT_PROVIDER')).state.messages).toBe(3));
    // Its id is remembered for two minutes, under which it would be swallowed.
    await natsServer.halt();
    await natsServer.start();
    const translated: string[] = [];
    run({
      translate: (event) => {
        translated.push(event.id);
        return translate(event);
      },
    });
    await untilPublished(3);
    expect(translated).toEqual(['id-1', 'id-2']);
  });

  test('an emptied JetStream is filled again from the first event', async () => {
    await append(50);
    run();
    await untilPublished(50);
    await natsServer.halt();
    natsServer.wipe();
    await natsServer.start();
    await untilPublished(50, 20_000);
    await append(1, 50);
    await untilPublished(51);
  });

  test('a deleted stream is noticed while nothing happens', async () => {
    await append(5);
    run();
    await untilPublished(5);
    await nats.jsm.streams.delete('EVT_PROVIDER');
    await untilPublished(5, 15_000);
  });

  test('another event store is announced from its first event', async () => {
    await append(4);
    const end = run();
    await untilPublished(4);
    await end();
    store = createMemoryStore();
    await append(1, 7);
    run();
    await vi.waitFor(async () => expect(await bodies()).toEqual([...expected(4), '7-first', '7-second']));
  });

  test('two publishers that both believe they are the only one: each fact once, in order', async () => {
    const otherWorld = await connect();
    stops.push(otherWorld.close);
    run({ holder: 'a' });
    run({ holder: 'b', db: otherWorld.db });
    for (let n = 0; n < 40; n += 4) {
      await append(4, n);
      await untilPublished(n + 4, 25_000);
    }
  });

  test('one that was frozen while another took over is refused and gives up its turn', async () => {
    const otherWorld = await connect();
    stops.push(otherWorld.close);
    const thaw = Promise.withResolvers<void>();
    const frozen = Promise.withResolvers<void>();
    const lines: string[] = [];
    run({
      log: pino({ level: 'warn' }, { write: (line: string) => lines.push(line) }),
      translate: async (event) => {
        if (event.id === 'id-2') {
          frozen.resolve();
          await thaw.promise;
        }
        return translate(event);
      },
    });
    await append(2);
    await untilPublished(2);
    await append(4, 2);
    await frozen.promise;
    run({ holder: 'b', db: otherWorld.db });
    await untilPublished(6);
    // Past the time in which the server knows the ids, only the sequence refuses.
    await nats.jsm.streams.update('EVT_PROVIDER', { duplicate_window: nanos(100) });
    await systemClock.sleep(1500);
    thaw.resolve();
    await vi.waitFor(() => expect(lines.join()).toContain('does not end at what this publisher sent last'), {
      timeout: 5000,
    });
    await append(1, 6);
    await untilPublished(7);
  });

  test('when another one has slipped a message in, none of those that were sent behind it is taken', async () => {
    await append(3);
    let slipped: Promise<unknown> | null = null;
    run({
      translate: async (event) => {
        slipped ??= nats.js.publish(heartbeatSubject('provider'), new Uint8Array());
        await slipped;
        return translate(event);
      },
    });
    await untilPublished(3);
  });

  test('of many that are sent at once, the one that the server refuses is told with its reason', async () => {
    await append(1);
    run();
    await untilPublished(1);
    await nats.jsm.streams.update('EVT_PROVIDER', { max_msg_size: 1_000 });
    const lines: string[] = [];
    const end = run({
      log: pino({ level: 'warn' }, { write: (line: string) => lines.push(line) }),
      translate: async (event) => {
        const [first, second] = await translate(event);
        if (!first || !second) return [];
        return event.id === 'id-3' ? [first, { ...second, body: new Uint8Array(2_000) }] : [first, second];
      },
    });
    await stops[0]?.();
    await append(5, 1);
    await vi.waitFor(() => expect(lines.join()).toContain('message size exceeds maximum allowed'), { timeout: 10_000 });
    expect(await bodies()).toEqual([...expected(3), '3-first']);
    await end();
  });

  test('a heartbeat tells how far the announcements go, and only the last is kept', async () => {
    run();
    await append(1);
    await untilPublished(1);
    for (const from of [100, 200]) {
      await append(10, from, 'unrelated');
      const tail = String(await store.tail());
      await vi.waitFor(
        async () => {
          const last = (await stored()).at(-1);
          expect(last?.subject).toBe('evt.provider.v1.heartbeat');
          expect(last?.headers['source-position']).toBe(tail);
        },
        { timeout: 5000 },
      );
    }
    expect((await stored()).filter((message) => message.subject === heartbeatSubject('provider'))).toHaveLength(1);
    await append(1, 1);
    await untilPublished(2);
  });
});

describe('streams', () => {
  test('are declared again and again, whatever is there', async () => {
    await ensureStreams(nats, streamNames);
    await nats.jsm.streams.update('DLQ', { max_msgs: 5 });
    await ensureStreams(nats, streamNames);
    expect((await nats.jsm.streams.info('DLQ')).config).toMatchObject({ subjects: ['dlq.>'], max_msgs: 1_000_000 });
  });
});

describe('factSubject', () => {
  test('is lower case with dashes, and the account comes last', () => {
    const of = (accountId: string) =>
      factSubject({ service: 'dns', resourceType: 'zone-name', type: 'NamePublished', accountId });
    expect(of('t-42')).toBe('evt.dns.v1.zone-name.name-published.t-42');
    expect(of('')).toBe('evt.dns.v1.zone-name.name-published.-');
    expect(() => of('a.b')).toThrow(/not a subject/);
    expect(() => of('*')).toThrow(/not a subject/);
  });
});

describe('connectNats', () => {
  test('an unreachable server gives one line without the password', async () => {
    const url = 'nats://someone:secret@127.0.0.1:1';
    const error = await connectNats({ url, name: 'x', log, waitMs: 300 }).catch((e: Error) => e);
    expect((error as Error).message).toMatch(/^NATS at 127\.0\.0\.1:1 cannot be used: \S/);
    expect((error as Error).message).not.toMatch(/secret|\n/);
  });

  test('a wrong password is told at once', async () => {
    const startedAt = Date.now();
    const url = natsServer.url.replace('secret', 'wrong');
    await expect(connectNats({ url, name: 'x', log })).rejects.toThrow(
      /^NATS at .* cannot be used: .*[Aa]uthorization/,
    );
    expect(Date.now() - startedAt).toBeLessThan(5000);
  });
});
