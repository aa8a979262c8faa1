import { runSubscription } from '@privatelink/shared/app/run-subscription';
import type { StoredEvent } from '@privatelink/shared/eventing/message';
import { type EventStore, WrongRevision } from '@privatelink/shared/eventing/ports';
import { connectEventStore } from '@privatelink/shared/kurrent/event-store';
import { systemClock } from '@privatelink/shared/runtime/clock';
import { createLog } from '@privatelink/shared/runtime/log';
import {
  eventStoreContract,
  idsOf,
  newEvent,
  newEvents,
  newStream,
} from '@privatelink/shared/testing/event-store-contract';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { CATEGORIES, openEmbedded, startEmbedded, urlOf } from './embedded-store.ts';
import { startFaultyProxy } from './faulty-proxy.ts';

describe('over the wire', () => eventStoreContract(openEmbedded));

/** A client behind a proxy that can be told to misbehave, and one that goes straight to the server. */
const setUp = async () => {
  const server = await startEmbedded();
  onTestFinished(() => server.stop());
  const proxy = await startFaultyProxy(() => server.port);
  onTestFinished(() => proxy.stop());
  const open = (port: number) => {
    const store = connectEventStore(urlOf(port), CATEGORIES);
    onTestFinished(() => store.close());
    return store;
  };
  return { server, proxy, store: open(proxy.port), direct: open(server.port) };
};

const readAll = async (store: EventStore, stream: string): Promise<StoredEvent[]> => {
  const events: StoredEvent[] = [];
  for await (const event of store.read(stream, { from: 'start', direction: 'forwards', maxCount: 1_000 })) {
    events.push(event);
  }
  return events;
};

describe('an append whose answer is lost', () => {
  test.each([false, true])('is recorded once and reports success; others came after it: %s', async (isFollowed) => {
    const { proxy, store, direct } = await setUp();
    const stream = newStream();
    const first = newEvents(1);
    await store.append(stream, first, 'no-stream');
    const events = newEvents(2);
    proxy.set('swallow answers');
    const appending = store.append(stream, events, 0n);
    await vi.waitFor(async () => expect(await readAll(direct, stream)).toHaveLength(3));
    await proxy.swallowed();
    const later = newEvents(1);
    if (isFollowed) await direct.append(stream, later, 2n);
    proxy.set('none');
    proxy.cut();
    const { revision, position } = await appending;
    const recorded = await readAll(direct, stream);
    expect(idsOf(recorded)).toEqual(idsOf([...first, ...events, ...(isFollowed ? later : [])]));
    expect(revision).toBe(2n);
    expect(position).toBe(recorded[2]?.position);
  });

  test('to a server that says nothing any more is repeated over a new connection', async () => {
    const { proxy, store, direct } = await setUp();
    const stream = newStream();
    await store.append(stream, newEvents(1), 'no-stream');
    const events = newEvents(1);
    proxy.set('swallow answers');
    const appending = store.append(stream, events, 0n);
    // The connection stays open and silent, as that of a server that is frozen; then it breaks.
    await vi.waitFor(async () => expect(await readAll(direct, stream)).toHaveLength(2));
    proxy.cut();
    proxy.set('none');
    expect((await appending).revision).toBe(1n);
    expect(await readAll(direct, stream)).toHaveLength(2);
  });
});

test('an append that never arrived is a conflict when another has come first', async () => {
  const { proxy, store, direct } = await setUp();
  const stream = newStream();
  await store.append(stream, newEvents(1), 'no-stream');
  proxy.set('refuse');
  proxy.cut();
  const appending = store.append(stream, newEvents(1), 0n);
  await direct.append(stream, newEvents(1), 0n);
  proxy.set('none');
  await expect(appending).rejects.toThrow(WrongRevision);
  expect(await readAll(direct, stream)).toHaveLength(2);
});

test('what is asked while the server restarts is answered after it', async () => {
  const { server, store } = await setUp();
  const stream = newStream();
  await store.append(stream, newEvents(1), 'no-stream');
  await server.halt();
  const asked = [
    store.append(stream, newEvents(1), 0n).then(({ revision }) => revision),
    readAll(store, stream).then((events) => events.length),
    store.tail().then((tail) => tail > 0n),
  ];
  await server.restart();
  const [revision, length, hasTail] = await Promise.all(asked);
  expect(revision).toBe(1n);
  expect([1, 2]).toContain(length);
  expect(hasTail).toBe(true);
});

test('a store that is down, or does not answer, is Unavailable in bounded time', async () => {
  const { server, proxy, store, direct } = await setUp();
  const stream = newStream();
  await store.append(stream, newEvents(1), 'no-stream');
  await readAll(store, stream);
  proxy.set('swallow answers');
  await server.halt();
  const begun = performance.now();
  const unavailable = { name: 'Unavailable', reason: 'EVENT_STORE_UNAVAILABLE' };
  await Promise.all(
    [store, direct].flatMap((either) => [
      expect(either.append(stream, newEvents(1), 0n)).rejects.toMatchObject(unavailable),
      expect(readAll(either, stream)).rejects.toMatchObject(unavailable),
      expect(either.tail()).rejects.toMatchObject(unavailable),
    ]),
  );
  expect(performance.now() - begun).toBeLessThan(20_000);
  await server.restart();
});

test('a read that breaks off is Unavailable, and never looks complete', async () => {
  const { proxy, store, direct } = await setUp();
  const stream = newStream();
  const filler = 'x'.repeat(10_000);
  for (let n = 0n; n < 20n; n++) {
    const events = Array.from({ length: 50 }, () => newEvent({ filler }));
    await direct.append(stream, events, n === 0n ? 'no-stream' : n * 50n - 1n);
  }
  const reading = async () => {
    let count = 0;
    for await (const _ of store.read(stream, { from: 'start', direction: 'forwards', maxCount: 1_000 })) {
      if (++count === 1) {
        proxy.set('refuse');
        proxy.cut();
      }
    }
    return count;
  };
  await expect(reading()).rejects.toMatchObject({ reason: 'EVENT_STORE_UNAVAILABLE' });
});

test('streams of other services are neither read nor written nor followed', async () => {
  const { store } = await setUp();
  const foreign = 'yellow-1';
  const { signal } = new AbortController();
  const message = 'belongs to another service';
  await expect(store.append(foreign, newEvents(1), 'no-stream')).rejects.toThrow(message);
  await expect(readAll(store, foreign)).rejects.toThrow(message);
  for (const prefix of ['yellow-', 'red', '', 'redder-']) {
    expect(() => store.subscribe({ prefixes: ['red-', prefix], after: null, signal }), prefix).toThrow(message);
  }
});

test('an append that is too large is refused at once, and says so', async () => {
  const { store, direct } = await setUp();
  const stream = newStream();
  await expect(store.append(stream, [newEvent({ text: 'x'.repeat(5_000_000) })], 'no-stream')).rejects.toMatchObject({
    name: expect.not.stringMatching('Unavailable|WrongRevision'),
  });
  expect(await readAll(direct, stream)).toEqual([]);
  expect((await store.append(stream, newEvents(1), 'no-stream')).revision).toBe(0n);
});

test('hundreds of appends at once over a fresh connection are all answered', async () => {
  const { store } = await setUp();
  const appended = await Promise.all(
    Array.from({ length: 300 }, () => store.append(newStream(), newEvents(2), 'no-stream')),
  );
  expect(new Set(appended.map(({ position }) => position)).size).toBe(300);
});

test('a subscription goes on over cuts and restarts, and neither loses nor repeats what was handled', async () => {
  const { server, proxy, store, direct } = await setUp();
  const stopping = new AbortController();
  const handled: string[] = [];
  let position: bigint | null = null;
  let lives = 0;
  const running = runSubscription(
    {
      store,
      clock: systemClock,
      log: createLog({ service: 'spec', instance: 'spec', level: 'fatal' }),
      signal: stopping.signal,
    },
    {
      name: 'spec',
      prefixes: ['red-'],
      resumeAfter: async () => {
        lives++;
        return position;
      },
      handle: async (messages) => {
        for (const message of messages) {
          if (message.kind === 'caughtUp') continue;
          position = message.kind === 'event' ? message.event.position : message.position;
          if (message.kind === 'event') handled.push(message.event.id);
        }
      },
      onFailure: { stopAfter: 1 },
    },
  );
  const stream = newStream('red');
  const other = newStream('green');
  const appended: string[] = [];
  for (let round = 0n; round < 6n; round++) {
    const events = newEvents(40);
    await direct.append(stream, events, round === 0n ? 'no-stream' : round * 40n - 1n);
    appended.push(...idsOf(events));
    await direct.append(other, newEvents(300), round === 0n ? 'no-stream' : round * 300n - 1n);
    if (round % 2n === 0n) proxy.cut();
    else {
      await server.halt();
      await server.restart();
    }
  }
  await vi.waitFor(() => expect(handled).toHaveLength(appended.length), { timeout: 20_000 });
  expect(handled).toEqual(appended);
  expect(lives).toBeGreaterThan(2);
  stopping.abort();
  await running;
});

test('a subscription that loses its connection says that the store is away: whoever streams from it passes that on', async () => {
  const { proxy, store, direct } = await setUp();
  const { signal } = new AbortController();
  const stream = newStream('red');
  await direct.append(stream, newEvents(1), 'no-stream');
  const messages = store.subscribe({ prefixes: ['red-'], after: null, signal })[Symbol.asyncIterator]();
  await messages.next();
  const lost = (async () => {
    for (;;) if ((await messages.next()).done) return 'ended';
  })();
  proxy.cut();
  await expect(lost).rejects.toMatchObject({ name: 'Unavailable', reason: 'EVENT_STORE_UNAVAILABLE' });
});

test('a subscription that is stopped while the store is away ends in peace', async () => {
  const { proxy, store } = await setUp();
  const unhandled: unknown[] = [];
  const note = (error: unknown) => unhandled.push(error);
  process.on('unhandledRejection', note);
  process.on('uncaughtException', note);
  onTestFinished(() => {
    process.off('unhandledRejection', note);
    process.off('uncaughtException', note);
  });
  proxy.set('refuse');
  for (const after of [0, 1, 5, 20, 60]) {
    const stopping = new AbortController();
    const ended = (async () => {
      for await (const _ of store.subscribe({ prefixes: ['red-'], after: null, signal: stopping.signal })) break;
    })().catch(() => undefined);
    await systemClock.sleep(after);
    stopping.abort();
    await ended;
  }
  proxy.set('none');
  await vi.waitFor(() => store.append(newStream(), newEvents(1), 'no-stream'));
  expect(unhandled).toEqual([]);
});
