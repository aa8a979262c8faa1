import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { NewEvent, StoredEvent } from '../eventing/message.ts';
import { type EventStore, type SubscriptionMessage, WrongRevision } from '../eventing/ports.ts';

/** A store with the categories `red`, `green` and `blue`. */
export type OpenStore = () => Promise<Readonly<{ store: EventStore; close: () => Promise<void> }>>;

const metadata = {
  $correlationId: 'correlation',
  $causationId: 'cause',
  accountId: '1000000000000001',
  actor: 'user:alice',
  requestId: 'request',
  fingerprint: 'print',
  producer: 'spec',
};

export const newEvent = (data: object = {}): NewEvent => ({ id: randomUUID(), type: 'Made.v1', data, metadata });

export const newEvents = (count: number): NewEvent[] => Array.from({ length: count }, (_, n) => newEvent({ n }));

export const newStream = (category: 'red' | 'green' | 'blue' = 'red'): string => `${category}-${randomUUID()}`;

const collect = async <T>(source: AsyncIterable<T>): Promise<T[]> => {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
};

export const idsOf = (events: readonly Pick<StoredEvent, 'id'>[]): string[] => events.map(({ id }) => id);

/** The next messages of a subscription, until one is as wanted. */
export const takeUntil = async (
  messages: AsyncIterator<SubscriptionMessage>,
  isLast: (message: SubscriptionMessage) => boolean,
): Promise<SubscriptionMessage[]> => {
  const taken: SubscriptionMessage[] = [];
  for (;;) {
    const next = await messages.next();
    if (next.done) throw new Error(`the subscription ended after ${taken.length} messages`);
    taken.push(next.value);
    if (isLast(next.value)) return taken;
  }
};

export const isEvent =
  (id: string) =>
  (message: SubscriptionMessage): boolean =>
    message.kind === 'event' && message.event.id === id;

/** What every event store does, so that the one in memory cannot drift from the real one. */
export const eventStoreContract = (open: OpenStore): void => {
  let store: EventStore;
  let close: () => Promise<void>;
  beforeAll(async () => {
    ({ store, close } = await open());
  });
  afterAll(() => close?.());

  const readAll = (stream: string) =>
    collect(store.read(stream, { from: 'start', direction: 'forwards', maxCount: 10_000 }));

  describe('append', () => {
    test('counts revisions per stream, and positions rise over all', async () => {
      const [one, other] = [newStream(), newStream()];
      const first = await store.append(one, newEvents(2), 'no-stream');
      const second = await store.append(other, newEvents(1), 'no-stream');
      const third = await store.append(one, newEvents(3), 1n);
      expect([first.revision, second.revision, third.revision]).toEqual([1n, 0n, 4n]);
      expect(first.position < second.position && second.position < third.position).toBe(true);
      expect((await readAll(one)).at(-1)?.position).toBe(third.position);
    });

    test('keeps everything of an event', async () => {
      const stream = newStream();
      const data = { text: 'ä€𝄞\u0000', number: 1.5, nested: { list: [1, null, true] }, empty: {} };
      const event = newEvent(data);
      const before = Date.now();
      const { position } = await store.append(stream, [event], 'no-stream');
      const [stored, ...more] = await readAll(stream);
      expect(more).toEqual([]);
      const { recordedAt, ...rest } = stored ?? { recordedAt: '' };
      expect(rest).toEqual({ id: event.id, type: 'Made.v1', data, metadata, stream, revision: 0n, position });
      expect(recordedAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      expect(Math.abs(Date.parse(recordedAt) - before)).toBeLessThan(60_000);
    });

    test('forgets what is not JSON', async () => {
      const stream = newStream();
      await store.append(stream, [newEvent({ kept: 1, gone: undefined, at: new Date(0) })], 'no-stream');
      expect((await readAll(stream))[0]?.data).toEqual({ kept: 1, at: '1970-01-01T00:00:00.000Z' });
    });

    test.each(['no-stream', 0n, 2n, 7n] as const)(
      'refuses %s where the revision is 1, and stores nothing',
      async (expected) => {
        const stream = newStream();
        const events = newEvents(2);
        await store.append(stream, events, 'no-stream');
        await expect(store.append(stream, newEvents(1), expected)).rejects.toThrow(WrongRevision);
        expect(idsOf(await readAll(stream))).toEqual(idsOf(events));
      },
    );

    test('refuses a revision of an absent stream', async () => {
      await expect(store.append(newStream(), newEvents(1), 0n)).rejects.toThrow(WrongRevision);
    });

    test('of many at once, all that expect the same, one wins', async () => {
      const stream = newStream();
      const tries = Array.from({ length: 20 }, () => store.append(stream, newEvents(2), 'no-stream'));
      const results = await Promise.allSettled(tries);
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      for (const result of results) {
        if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(WrongRevision);
      }
      expect(await readAll(stream)).toHaveLength(2);
    });

    test('that is repeated gives the first outcome, also when others came after it', async () => {
      const stream = newStream();
      const events = newEvents(2);
      const first = await store.append(stream, events, 'no-stream');
      await store.append(stream, newEvents(1), 1n);
      expect(await store.append(stream, events, 'no-stream')).toEqual(first);
      expect(await readAll(stream)).toHaveLength(3);
    });

    test('that repeats only a part is refused', async () => {
      const stream = newStream();
      const [a, b, c] = newEvents(3) as [NewEvent, NewEvent, NewEvent];
      await store.append(stream, [a, b], 'no-stream');
      for (const events of [[a, c], [b], [a, b, c], [b, a]]) {
        await expect(store.append(stream, events, 'no-stream')).rejects.toThrow(WrongRevision);
      }
      await expect(store.append(stream, [b, c], 0n)).rejects.toThrow(WrongRevision);
      expect(idsOf(await readAll(stream))).toEqual([a.id, b.id]);
    });
  });

  describe('read', () => {
    test('in both directions, from anywhere, up to a count', async () => {
      const stream = newStream();
      const ids = ['0', '1', '2', '3'];
      const events = newEvents(4);
      await store.append(stream, events, 'no-stream');
      const nth = new Map(events.map(({ id }, n) => [id, ids[n]]));
      const read = async (from: bigint | 'start' | 'end', direction: 'forwards' | 'backwards', maxCount = 9) =>
        (await collect(store.read(stream, { from, direction, maxCount }))).map(({ id }) => nth.get(id));
      expect(await read('start', 'forwards')).toEqual(['0', '1', '2', '3']);
      expect(await read(1n, 'forwards', 2)).toEqual(['1', '2']);
      expect(await read('end', 'backwards', 2)).toEqual(['3', '2']);
      expect(await read(1n, 'backwards')).toEqual(['1', '0']);
      expect(await read(9n, 'backwards')).toEqual(['3', '2', '1', '0']);
      expect(await read(9n, 'forwards')).toEqual([]);
    });

    test('of an absent stream gives nothing', async () => {
      expect(await readAll(newStream())).toEqual([]);
      const backwards = { from: 'end', direction: 'backwards', maxCount: 9 } as const;
      expect(await collect(store.read(newStream(), backwards))).toEqual([]);
    });

    test('may be left off in between', async () => {
      const stream = newStream();
      const events = newEvents(50);
      await store.append(stream, events, 'no-stream');
      for await (const { id } of store.read(stream, { from: 'start', direction: 'forwards', maxCount: 50 })) {
        expect(id).toBe(events[0]?.id);
        break;
      }
      expect(await readAll(stream)).toHaveLength(50);
    });
  });

  test('the tail is the position of the last event of all', async () => {
    const { position } = await store.append(newStream('blue'), newEvents(3), 'no-stream');
    expect(await store.tail()).toBe(position);
  });

  describe('subscribe', () => {
    const follow = (prefixes: readonly string[], after: bigint | null) => {
      const stopping = new AbortController();
      const messages = store.subscribe({ prefixes, after, signal: stopping.signal })[Symbol.asyncIterator]();
      return { messages, stop: () => stopping.abort() };
    };
    const eventsOf = (messages: readonly SubscriptionMessage[]) =>
      messages.flatMap((message) => (message.kind === 'event' ? message.event : []));

    test('gives the events after a position, those of some categories, then says that it has caught up, then follows', async () => {
      const [red, green, blue] = [newStream('red'), newStream('green'), newStream('blue')];
      const { position } = await store.append(red, newEvents(1), 'no-stream');
      const [before, between] = [newEvents(2), newEvents(2)];
      await store.append(red, before, 0n);
      await store.append(green, newEvents(1), 'no-stream');
      await store.append(blue, between, 'no-stream');
      const { messages, stop } = follow(['red-', 'blue-'], position);
      const past = await takeUntil(messages, ({ kind }) => kind === 'caughtUp');
      expect(idsOf(eventsOf(past))).toEqual(idsOf([...before, ...between]));
      const [read] = await collect(store.read(red, { from: 1n, direction: 'forwards', maxCount: 1 }));
      const [first] = eventsOf(past);
      // The vendor's client cuts the time of what it reads to seconds.
      expect(first).toEqual({ ...read, recordedAt: first?.recordedAt });
      expect(first?.recordedAt.slice(0, 19)).toBe(read?.recordedAt.slice(0, 19));
      const live = newEvents(2);
      await store.append(green, newEvents(1), 0n);
      await store.append(blue, live, 1n);
      const next = await takeUntil(messages, isEvent(live[1]?.id ?? ''));
      expect(idsOf(eventsOf(next))).toEqual(idsOf(live));
      stop();
    });

    test('from the start gives everything', async () => {
      const stream = newStream('green');
      const events = newEvents(3);
      await store.append(stream, events, 'no-stream');
      const { messages, stop } = follow(['green-'], null);
      const past = await takeUntil(messages, ({ kind }) => kind === 'caughtUp');
      const ours = eventsOf(past).filter((event) => event.stream === stream);
      expect(idsOf(ours)).toEqual(idsOf(events));
      expect(ours.map(({ revision }) => revision)).toEqual([0n, 1n, 2n]);
      stop();
    });

    test('positions only rise, and a checkpoint neither overtakes an event nor stays behind what was passed over', async () => {
      const start = await store.tail();
      const last = newEvent();
      const [green, blue] = [newStream('green'), newStream('blue')];
      const { messages, stop } = follow(['green-'], start);
      const appending = (async () => {
        for (let n = 0n; n < 30n; n++) {
          await store.append(blue, newEvents(20), n === 0n ? 'no-stream' : n * 20n - 1n);
          await store.append(green, n === 29n ? [last] : newEvents(1), n === 0n ? 'no-stream' : n - 1n);
        }
        return (await store.append(blue, newEvents(700), 599n)).position;
      })();
      const seen = await takeUntil(messages, isEvent(last.id));
      expect(eventsOf(seen).map(({ revision }) => revision)).toEqual(Array.from({ length: 30 }, (_, n) => BigInt(n)));
      const end = await appending;
      const lastSeen = eventsOf(seen).at(-1)?.position ?? 0n;
      seen.push(
        ...(await takeUntil(messages, (message) => message.kind === 'checkpoint' && message.position > lastSeen)),
      );
      let passed = start;
      for (const message of seen) {
        if (message.kind === 'caughtUp') continue;
        const at = message.kind === 'event' ? message.event.position : message.position;
        expect(message.kind === 'event' ? at > passed : at >= passed, `${message.kind} ${at} after ${passed}`).toBe(
          true,
        );
        passed = at;
      }
      expect(passed <= end).toBe(true);
      stop();
    });

    test('that has nothing but others to pass over says how far it is when it has caught up', async () => {
      const start = await store.tail();
      const { position } = await store.append(newStream('blue'), newEvents(5), 'no-stream');
      const { messages, stop } = follow(['green-'], start);
      const said = await takeUntil(messages, ({ kind }) => kind === 'caughtUp');
      expect(said).toEqual([{ kind: 'checkpoint', position }, { kind: 'caughtUp' }]);
      stop();
    });

    test('ends when it is told to, waiting or not', async () => {
      const { messages, stop } = follow(['red-'], await store.tail());
      await takeUntil(messages, ({ kind }) => kind === 'caughtUp');
      const waiting = messages.next();
      stop();
      expect(await waiting).toEqual({ done: true, value: undefined });
      const stopped = follow(['red-'], null);
      stopped.stop();
      expect(await stopped.messages.next()).toEqual({ done: true, value: undefined });
    });
  });
};
