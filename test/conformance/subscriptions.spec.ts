import { END, NO_STREAM, START, StreamDeletedError, streamNameFilter } from '@kurrent/kurrentdb-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  collect,
  errorOf,
  idsOf,
  newEvent,
  newEvents,
  newStream,
  positionOf,
  readByPrefix,
  recorded,
  revisionsOf,
  take,
} from './support/events.ts';
import { openTarget, type Target } from './support/target.ts';

let target: Target;
beforeAll(async () => {
  target = await openTarget();
});
afterAll(() => target.close());

type CaughtUp = { date?: Date; revision?: bigint; position?: { commit: bigint; prepare: bigint } };
type Subscription = { once(event: 'caughtUp', listener: (info: CaughtUp) => void): unknown };

/** Where a subscription says it stands once it has delivered all there is; its events must be read meanwhile. */
function caughtUp(subscription: Subscription): Promise<CaughtUp> {
  return new Promise((resolve) => subscription.once('caughtUp', resolve));
}

async function streamOf(count: number): Promise<string> {
  const stream = newStream();
  await target.client.appendToStream(stream, newEvents(count), { streamState: NO_STREAM });
  return stream;
}

describe('subscribing to a stream', () => {
  it.each([
    { fromRevision: START, first: 0 },
    { fromRevision: 0n, first: 1 },
    { fromRevision: 3n, first: 4 },
    { fromRevision: 4n, first: 5 },
    { fromRevision: END, first: 5 },
  ] as const)('starts after its revision $fromRevision', async ({ fromRevision, first }) => {
    const stream = await streamOf(5);
    const subscription = target.client.subscribeToStream(stream, { fromRevision });
    const known = caughtUp(subscription);
    const taken = take(subscription, 7 - first);
    await known;
    await target.client.appendToStream(stream, newEvents(2), { streamState: 4n });
    expect(revisionsOf(await taken)[0]).toBe(first);
    expect(revisionsOf(await taken).at(-1)).toBe(6);
    await subscription.unsubscribe();
  });

  it('waits for a stream that does not exist yet', async () => {
    const stream = newStream();
    const subscription = target.client.subscribeToStream(stream);
    const known = caughtUp(subscription);
    const taken = take(subscription, 2);
    expect((await known).revision).toBeUndefined();
    await target.client.appendToStream(stream, newEvents(2));
    expect(revisionsOf(await taken)).toEqual([0, 1]);
    await subscription.unsubscribe();
  });

  it('says at which revision it caught up', async () => {
    const subscription = target.client.subscribeToStream(await streamOf(70));
    const known = caughtUp(subscription);
    await take(subscription, 70);
    expect((await known).revision).toBe(69n);
    await subscription.unsubscribe();
  });

  it('delivers only its own stream', async () => {
    const [mine, other] = [newStream(), newStream()];
    const subscription = target.client.subscribeToStream(mine);
    const taken = take(subscription, 10);
    for (let i = 0; i < 10; i++) {
      await target.client.appendToStream(other, newEvent());
      await target.client.appendToStream(mine, newEvent());
    }
    expect((await taken).every((event) => recorded(event).streamId === mine)).toBe(true);
    await subscription.unsubscribe();
  });

  it('ends with an error at a tombstone, before as after', async () => {
    const stream = await streamOf(2);
    const following = target.client.subscribeToStream(stream);
    const known = caughtUp(following);
    const followed = errorOf(collect(following));
    await known;
    await target.client.tombstoneStream(stream);
    expect(await followed).toBeInstanceOf(StreamDeletedError);
    expect(await errorOf(collect(target.client.subscribeToStream(stream)))).toBeInstanceOf(StreamDeletedError);
  });
});

describe('subscribing to $all', () => {
  it('starts after its position', async () => {
    const prefix = newStream('conformanceFrom');
    await target.client.appendToStream(prefix, newEvents(5));
    const events = await readByPrefix(target.client, prefix);
    const fromPosition = recorded(events[2] ?? expect.fail()).position ?? expect.fail();
    const subscription = target.client.subscribeToAll({
      fromPosition,
      filter: streamNameFilter({ prefixes: [prefix] }),
    });
    expect(revisionsOf(await take(subscription, 2))).toEqual([3, 4]);
    await subscription.unsubscribe();
  });

  it('starts at the end with what comes after', async () => {
    const stream = await streamOf(3);
    const subscription = target.client.subscribeToAll({ fromPosition: END });
    const known = caughtUp(subscription);
    // Whatever else others write to the server meanwhile.
    const ofStream = (async () => {
      for await (const event of subscription) {
        if (recorded(event).streamId === stream) return recorded(event).revision;
      }
      return undefined;
    })();
    await known;
    await target.client.appendToStream(stream, newEvent());
    expect(await ofStream).toBe(3n);
  });

  it('says at which position it caught up: not before the last event delivered', async () => {
    const stream = await streamOf(3);
    const last = positionOf((await readByPrefix(target.client, stream)).at(-1) ?? expect.fail());
    const subscription = target.client.subscribeToAll({ fromPosition: START });
    const known = caughtUp(subscription);
    const drained = collect(subscription);
    expect((await known).position?.commit).toBeGreaterThanOrEqual(last);
    await subscription.unsubscribe();
    await drained;
  });

  it('catches up and goes live without gap or repetition while 100 writers append', async () => {
    const prefix = newStream('conformanceRace');
    const filter = streamNameFilter({ prefixes: [prefix] });
    const [writers, each] = [100, 20];
    const total = writers * each;
    await target.client.appendToStream(`${prefix}-0`, newEvents(each), { streamState: NO_STREAM });

    const fromStart = target.client.subscribeToAll({ fromPosition: START, filter });
    const unfiltered = target.client.subscribeToAll({ fromPosition: START });
    const takenFromStart = take(fromStart, total);
    const matching: string[] = [];
    const takenUnfiltered = (async () => {
      for await (const event of unfiltered) {
        if (recorded(event).streamId.startsWith(prefix) && matching.push(recorded(event).id) === total) return;
      }
    })();
    let half: Promise<string[]> | undefined;
    let appended = 0;
    const write = async (stream: string): Promise<void> => {
      for (let revision = -1; revision < each - 1; revision++) {
        const streamState = revision < 0 ? NO_STREAM : BigInt(revision);
        await target.client.appendToStream(stream, newEvent(), { streamState });
        // Half-way a late subscriber must catch up while the writers go on.
        if (++appended === total / 2) half = take(target.client.subscribeToAll({ filter }), total).then(idsOf);
      }
    };
    await Promise.all(Array.from({ length: writers - 1 }, (_, i) => write(`${prefix}-${i + 1}`)));

    const order = idsOf(await readByPrefix(target.client, prefix));
    expect(new Set(order).size).toBe(total);
    expect(idsOf(await takenFromStart)).toEqual(order);
    await takenUnfiltered;
    expect(matching).toEqual(order);
    expect(await half).toEqual(order);
    const one = target.client.subscribeToStream(`${prefix}-7`);
    expect(revisionsOf(await take(one, each))).toEqual(Array.from({ length: each }, (_, i) => i));
    await Promise.all([fromStart.unsubscribe(), unfiltered.unsubscribe(), one.unsubscribe()]);
  });

  it('keeps the order for a subscriber that stops reading for a while', async () => {
    const prefix = newStream('conformanceSlow');
    const subscription = target.client.subscribeToAll({ filter: streamNameFilter({ prefixes: [prefix] }) });
    await target.client.appendToStream(prefix, newEvent());
    const first = await take(subscription, 1);
    // More than any buffer between the two holds, while nobody reads.
    const pad = 'x'.repeat(4096);
    for (let i = 0; i < 30; i++) {
      const events = Array.from({ length: 200 }, () => newEvent('Padded', { pad }));
      await target.client.appendToStream(prefix, events);
    }
    const rest = await take(subscription, 6000);
    expect(revisionsOf([...first, ...rest])).toEqual(Array.from({ length: 6001 }, (_, i) => i));
    await subscription.unsubscribe();
  });
});
