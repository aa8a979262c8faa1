import { Fact } from '@privatelink/proto/events/v1/fact';
import { sql } from 'kysely';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { Rejected } from '../eventing/rejected.ts';
import { connectPostgres, type Db, type Postgres } from '../postgres/connect.ts';
import { systemClock as clock } from '../runtime/clock.ts';
import { type NatsServer, type PostgresServer, startNats, startPostgres } from '../testing/servers.ts';
import { connectNats, type Nats } from './connect.ts';
import { InvalidMessage } from './consumer.ts';
import { deadLetters } from './dead-letters.ts';
import { type Feed, type FeedDeps, runFeed, takeInAgain } from './feed.ts';
import { ensureStream } from './streams.ts';

const log = pino({ level: 'silent' });
let database: PostgresServer;
let server: NatsServer;
let nats: Nats;
let postgres: Postgres;
let schemas = 0;
/** What the owner has on record, and would announce. */
let recorded: string[] = [];
let stops: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  database = await startPostgres();
});
beforeEach(async () => {
  server = await startNats();
  nats = await connectNats({ url: server.url, name: 'consumer', log });
  await ensureStream(nats, 'EVT_PROVIDER');
  recorded = [];
  postgres = await connectPostgres({ url: database.url, schema: `feed_${++schemas}`, poolMax: 4, log });
  await sql`create table kept (number serial primary key, body text)`.execute(postgres.db);
});
afterEach(async () => {
  await Promise.all(stops.map((stop) => stop()));
  stops = [];
  await postgres.close();
  await nats.close();
  await server.stop();
});
afterAll(() => database?.stop());

/** Once, however often it has to be tried. */
const publish = (body: string) =>
  nats.js.publish('evt.provider.v1.thing.made.a', new TextEncoder().encode(body), { msgID: body });
const publishAll = (from: number, to: number) =>
  Promise.all(Array.from({ length: to - from }, (_, index) => publish(`${from + index}`)));

const keeping: Feed<string> = {
  name: 'consumer__spec',
  source: 'provider',
  filterSubject: 'evt.provider.v1.>',
  read: ({ body }) => {
    const text = new TextDecoder().decode(body);
    if (text === 'bad') throw new InvalidMessage('bad');
    return text;
  },
  write: async (tx, items) => {
    for (const body of items) await sql`insert into kept (body) values (${body})`.execute(tx);
  },
};

/** The owner's own record, all of which is after what is kept of it: nothing here says how far that goes. */
const owner: FeedDeps['owner'] = {
  watchEvents: async function* () {
    for (const type of recorded) {
      yield { told: { $case: 'event', value: Fact.fromPartial({ type }) }, resumeToken: '' };
    }
    yield { told: { $case: 'synced', value: { position: 1n } }, resumeToken: '' };
    throw new Error('nobody reads on');
  },
};

const run = (change: Partial<Feed<string>> = {}, holder = 'one') => {
  const stop = new AbortController();
  const deps = { nats, owner, service: 'consumer', clock, log, db: postgres.db, holder, signal: stop.signal };
  const done = runFeed(deps, { ...keeping, ...change });
  const end = async (): Promise<void> => {
    stop.abort();
    await done;
  };
  stops.push(end);
  return end;
};

const kept = async (db: Db = postgres.db): Promise<readonly string[]> => {
  const { rows } = await sql<{ body: string }>`select body from kept order by number`.execute(db);
  return rows.map(({ body }) => body);
};
const keeps = (bodies: readonly string[]) =>
  vi.waitFor(async () => expect(await kept()).toEqual(bodies), { timeout: 20_000, interval: 20 });
const numbers = (to: number) => Array.from({ length: to }, (_, index) => `${index}`);

describe('a feed', () => {
  test('is taken in in order, and goes on where it stood', async () => {
    await publishAll(0, 300);
    const end = run();
    await keeps(numbers(300));
    await end();
    await publishAll(300, 310);
    run();
    await keeps(numbers(310));
    await publishAll(310, 320);
    await keeps(numbers(320));
  });

  test('that cannot be written, or recorded before that, is tried again, and nothing is kept twice', async () => {
    const recorded: string[] = [];
    let failures = 0;
    run({
      record: async (items) => {
        if (++failures === 1) throw new Error('not yet');
        recorded.push(...items);
      },
      write: async (tx, items) => {
        await keeping.write(tx, items);
        if (++failures === 3) throw new Error('not yet');
      },
    });
    await publishAll(0, 3);
    await keeps(numbers(3));
    expect(new Set(recorded)).toEqual(new Set(numbers(3)));
    expect(failures).toBeGreaterThan(3);
  });

  test('sets aside what cannot be read', async () => {
    run();
    await publish('0');
    await publish('bad');
    await publish('1');
    await keeps(numbers(2));
    const letter = await nats.jsm.streams.getMessage('DLQ', { last_by_subj: 'dlq.consumer.consumer__spec.>' });
    expect(letter?.header.get('dead-letter-reason')).toBe('InvalidMessage: bad');
  });

  test('sets aside what fails by itself, and takes in all others, in order', async () => {
    const fails = (items: readonly string[]) => items.some((item) => item.startsWith('poison'));
    run({
      record: async (items) => {
        if (items.includes('poison 1')) throw new Rejected('NEVER');
      },
      write: async (tx, items) => {
        await keeping.write(tx, items);
        if (fails(items)) throw new Error('a bug');
      },
    });
    await publishAll(0, 3);
    await Promise.all([publish('poison 1'), publish('3'), publish('poison 2'), publish('4')]);
    await keeps(numbers(5));
    await publish('5');
    await keeps(numbers(6));
    const letters = await deadLetters({ nats, service: 'consumer', clock }).list('', 0, 10);
    expect(letters.map(({ reason }) => reason)).toEqual(['Rejected: NEVER {}', 'Error: a bug']);
  }, 30_000);

  test('takes a message in out of its turn, beside nobody', async () => {
    const end = run();
    await publish('0');
    await keeps(['0']);
    const [entered, release] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const slow: Feed<string> = {
      ...keeping,
      write: async (tx, items) => {
        entered.resolve();
        await release.promise;
        await keeping.write(tx, items);
      },
    };
    const again = { subject: 'evt.provider.v1.thing.made.a', headers: {}, deliveryCount: 2 };
    const body = new TextEncoder().encode('again');
    const taken = takeInAgain({ db: postgres.db }, slow, { ...again, body });
    await entered.promise;
    await publish('1');
    await end();
    expect(await kept()).toEqual(['0']);
    release.resolve();
    await taken;
    run();
    await keeps(['0', 'again', '1']);
  });

  test('is one replica’s at a time', async () => {
    run();
    run({}, 'two');
    await publishAll(0, 100);
    await keeps(numbers(100));
    await stops.shift()?.();
    await publishAll(100, 200);
    await keeps(numbers(200));
  });

  test('survives a restarted server; an emptied JetStream is taken in anew', async () => {
    run();
    await publishAll(0, 3);
    await keeps(numbers(3));
    await server.halt();
    await server.start();
    await vi.waitFor(() => publish('3'), { timeout: 20_000 });
    await keeps(numbers(4));
    await server.halt();
    server.wipe();
    await server.start();
    // Whoever publishes declares the stream again.
    await vi.waitFor(() => ensureStream(nats, 'EVT_PROVIDER'), { timeout: 20_000 });
    await publish('4');
    await keeps(numbers(5));
  }, 90_000);

  describe('of a stream that dropped messages', () => {
    const readBoth: Partial<Feed<string>> = {
      read: ({ subject, body }) => {
        if (subject.endsWith('.heartbeat')) return 'all read';
        if (subject === 'evt.provider.v1.thing.made.a')
          return keeping.read({ subject, body, headers: {}, deliveryCount: 1 });
        return Fact.decode(body).type;
      },
    };
    const drop = (before: number) => nats.jsm.streams.purge('EVT_PROVIDER', { seq: before });

    test('while it was away reads them of their owner, and then goes on', async () => {
      const end = run(readBoth);
      await publishAll(0, 3);
      await keeps(numbers(3));
      await end();
      await publishAll(3, 6);
      recorded = ['Fourth', 'Fifth', 'Sixth'];
      await drop(6);
      run(readBoth);
      const anew = [...numbers(3), 'Fourth', 'Fifth', 'Sixth', 'all read'];
      await keeps(anew);
      await publish('6');
      await keeps([...anew, '6']);
    });

    test('before it began, and all of them', async () => {
      await publishAll(0, 3);
      recorded = ['First', 'Second', 'Third'];
      await nats.jsm.streams.purge('EVT_PROVIDER');
      run(readBoth);
      await keeps(['First', 'Second', 'Third', 'all read']);
    });

    test('that it had not come to yet', async () => {
      const isHeld = Promise.withResolvers<void>();
      const goOn = Promise.withResolvers<void>();
      run({
        ...readBoth,
        write: async (tx, items) => {
          isHeld.resolve();
          await goOn.promise;
          await keeping.write(tx, items);
        },
      });
      await publish('0');
      await isHeld.promise;
      // More than come in one go, so that some are not on their way yet when they are dropped.
      await publishAll(1, 2_000);
      recorded = ['AllOthers'];
      await drop(2_000);
      goOn.resolve();
      await vi.waitFor(async () => expect(await kept()).toContain('AllOthers'), { timeout: 20_000, interval: 20 });
    });

    test('that it has had does nothing', async () => {
      run(readBoth);
      await publishAll(0, 3);
      await keeps(numbers(3));
      await drop(4);
      await publish('3');
      await keeps(numbers(4));
    });
  });
});
