import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StoredEvent } from '../eventing/message.ts';
import type { EventStore, SubscribeOptions, SubscriptionMessage } from '../eventing/ports.ts';
import { createMemoryStore } from '../testing/memory-store.ts';
import { shareSubscriptions } from './share-subscriptions.ts';

const PREFIXES = ['a-', 'b-'];
let end: AbortController;
beforeEach(() => {
  end = new AbortController();
});
afterEach(() => end.abort());

/** A store that counts what it tells over all its subscriptions, and may hold back what it tells one of them. */
const open = () => {
  const memory = createMemoryStore();
  const told: StoredEvent[] = [];
  let held: Readonly<{ number: number; until: Promise<void> }> | null = null;
  let subscriptions = 0;
  const counting: EventStore = {
    ...memory,
    subscribe: async function* (options) {
      const number = subscriptions++;
      for await (const message of memory.subscribe(options)) {
        if (held?.number === number) await held.until;
        if (message.kind === 'event') told.push(message.event);
        yield message;
      }
    },
  };
  const revisions = new Map<string, bigint>();
  const append = async (stream: string): Promise<void> => {
    const before = revisions.get(stream);
    const event = { id: crypto.randomUUID(), type: 'Happened.v1', data: {}, metadata: {} as never };
    const { revision } = await memory.append(stream, [event], before ?? 'no-stream');
    revisions.set(stream, revision);
  };
  return {
    ...{ memory, told, append },
    store: shareSubscriptions(counting, PREFIXES, end.signal),
    /** Of the subscriptions in the order in which they were begun. */
    hold: (number: number, until: Promise<void>): void => {
      held = { number, until };
    },
    subscriptions: () => subscriptions,
  };
};

/** Follows as the runner does: after a loss, from what it has seen. */
const follow = (store: EventStore, prefixes: readonly string[], options: Partial<SubscribeOptions> = {}) => {
  const seen: string[] = [];
  let after = options.after ?? null;
  let changed = Promise.withResolvers<void>();
  const see = (message: SubscriptionMessage): void => {
    if (message.kind === 'event') {
      seen.push(`${message.event.stream}@${message.event.revision}`);
      after = message.event.position;
    } else if (message.kind === 'checkpoint') after = message.position;
    changed.resolve();
    changed = Promise.withResolvers();
  };
  const running = (async () => {
    while (!end.signal.aborted) {
      try {
        for await (const message of store.subscribe({ prefixes, after, signal: end.signal })) see(message);
      } catch {
        await null;
      }
    }
  })();
  return {
    seen,
    running,
    count: async (wanted: number): Promise<void> => {
      while (seen.length < wanted) await changed.promise;
    },
  };
};

describe('followers of one process', () => {
  it('share one subscription once they have caught up', async () => {
    const { store, append, told, subscriptions } = open();
    await append('a-1');
    const followers = [follow(store, ['a-']), follow(store, PREFIXES), follow(store, ['b-', 'a-'])];
    await Promise.all(followers.map(({ count }) => count(1)));
    // The first that comes finds each of them ready to change over.
    await append('a-1');
    await Promise.all(followers.map(({ count }) => count(2)));
    await append('a-1');
    await Promise.all(followers.map(({ count }) => count(3)));
    const [before, begun] = [told.length, subscriptions()];
    for (let n = 0; n < 50; n++) await append('a-1');
    await Promise.all(followers.map(({ count }) => count(53)));
    expect([told.length - before, subscriptions()]).toEqual([50, begun]);
  });

  it('see everything that is theirs, once and in order, whatever happens meanwhile', () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ append: fc.constantFrom('a-1', 'a-2', 'b-1', 'c-1') }) },
      { weight: 2, arbitrary: fc.record({ follow: fc.constantFrom(['a-'], ['b-'], PREFIXES) }) },
      { weight: 1, arbitrary: fc.constant('disconnect' as const) },
      { weight: 2, arbitrary: fc.constant('turn' as const) },
    );
    return fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        end = new AbortController();
        const { store, memory, append } = open();
        const followers: { prefixes: readonly string[]; follower: ReturnType<typeof follow> }[] = [];
        const recorded: string[] = [];
        const counts = new Map<string, number>();
        for (const taken of [...steps, { append: 'a-1' }, { append: 'b-1' }]) {
          if (taken === 'disconnect') memory.disconnect();
          else if (taken === 'turn') await new Promise((resolve) => setImmediate(resolve));
          else if ('follow' in taken) followers.push({ prefixes: taken.follow, follower: follow(store, taken.follow) });
          else {
            const count = counts.get(taken.append) ?? 0;
            recorded.push(`${taken.append}@${count}`);
            counts.set(taken.append, count + 1);
            await append(taken.append);
          }
        }
        for (const { prefixes, follower } of followers) {
          const wanted = recorded.filter((one) => prefixes.some((prefix) => one.startsWith(prefix)));
          await follower.count(wanted.length);
          expect(follower.seen).toEqual(wanted);
        }
        end.abort();
        memory.disconnect();
        await Promise.all(followers.map(({ follower }) => follower.running));
      }),
      { numRuns: 100 },
    );
  });

  it('that is slow has a subscription of its own again, and misses nothing', async () => {
    const { store, append, subscriptions } = open();
    const positions: bigint[] = [];
    const slow = store.subscribe({ prefixes: ['a-'], after: null, signal: end.signal })[Symbol.asyncIterator]();
    const see = async (count: number): Promise<void> => {
      while (positions.length < count) {
        const { value } = await slow.next();
        if (value.kind === 'event') positions.push(value.event.position);
      }
    };
    expect((await slow.next()).value).toEqual({ kind: 'caughtUp' });
    const quick = follow(store, ['a-']);
    for (let n = 1; n <= 6; n++) {
      await append('a-1');
      await Promise.all([quick.count(n), see(n)]);
    }
    for (let n = 7; n <= 6_000; n++) await append('a-1');
    await quick.count(6_000);
    const begun = subscriptions();
    await see(6_000);
    expect(subscriptions()).toBe(begun + 1);
    expect(positions).toEqual(Array.from({ length: 6_000 }, (_, index) => BigInt(index + 1)));
  });

  it('are not held up by a shared one that stands still', async () => {
    const { store, append, hold } = open();
    const first = follow(store, ['a-']);
    await append('a-1');
    await first.count(1);
    await append('a-1');
    await first.count(2);
    // Begun as the second one: the first is the follower's own.
    hold(1, new Promise(() => undefined));
    await append('a-1');
    await append('a-1');
    const another = follow(store, ['a-']);
    await another.count(4);
    await append('a-1');
    await another.count(5);
  });
});

describe('a follower of what happens one by one', () => {
  const BEGUN = 10_000;
  const MESSAGES = 50_000;
  const MAX_BYTES = 4 * 1024 * 1024;

  it('leaves nothing behind of having waited', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    let tail = 0n;
    let subscriptions = 0;
    const ticking: EventStore = {
      ...createMemoryStore(),
      tail: async () => tail,
      subscribe: async function* ({ after, signal }) {
        // The follower's own is behind the shared one, which it then waits for.
        const behind = subscriptions++ === 0 ? 2n : 0n;
        yield { kind: 'caughtUp' };
        for (let position = after ?? 0n; !signal.aborted; ) {
          if (position + behind < tail) yield { kind: 'checkpoint', position: ++position };
          else await turn();
        }
      },
    };
    const happening = (async () => {
      for (; !end.signal.aborted; await turn()) tail++;
    })();
    const store = shareSubscriptions(ticking, PREFIXES, end.signal);
    const heap = () => {
      collect();
      return process.memoryUsage().heapUsed;
    };
    let before = 0;
    let seen = 0;
    for await (const _ of store.subscribe({ prefixes: PREFIXES, after: null, signal: end.signal })) {
      seen++;
      // By then the feed keeps as much as it ever does.
      if (seen === BEGUN) before = heap();
      if (seen < BEGUN + MESSAGES) continue;
      expect(heap() - before).toBeLessThan(MAX_BYTES);
      break;
    }
    end.abort();
    await happening;
  });
});
