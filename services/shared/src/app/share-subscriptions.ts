import type { EventStore, SubscriptionMessage } from '../eventing/ports.ts';

/** What the feed keeps for followers that are not as fast as it. */
const KEPT = 2_048;

/** A message that has a position: an event or a checkpoint. */
type Placed = Exclude<SubscriptionMessage, { kind: 'caughtUp' }>;

/**
 * One subscription to all that a process follows, which its followers share as soon as they have caught up: each event
 * then comes over the wire, and is read, once instead of once for every follower.
 *
 * A follower begins with a subscription of its own, and has one again when it falls too far behind. Where the feed
 * stands still or is lost, followers are as they would be without it: a new one is never behind the store.
 *
 * @param prefixes of all streams that anybody follows
 * @param signal ends the feed
 */
export const shareSubscriptions = <S extends EventStore>(
  store: S,
  prefixes: readonly string[],
  signal: AbortSignal,
): S => {
  let feed: Feed | null = null;

  const currentFeed = (): Feed => {
    if (feed === null || feed.failure !== undefined) feed = openFeed(store, prefixes, signal);
    return feed;
  };

  const subscribe: EventStore['subscribe'] = async function* (options) {
    /** Looked at where it is entered: while the own subscription ends, another one may take its place. */
    let shared: Feed | null = null;
    const wake = () => shared?.wake();
    options.signal.addEventListener('abort', wake, { once: true });
    const isWanted = (message: Placed): boolean =>
      message.kind === 'checkpoint' || options.prefixes.some((prefix) => message.event.stream.startsWith(prefix));
    let { after } = options;
    try {
      while (!options.signal.aborted) {
        let isLive = false;
        let next = 0;
        shared = null;
        for await (const message of store.subscribe({ ...options, after })) {
          if (message.kind === 'caughtUp') isLive = true;
          else after = positionOf(message);
          yield message;
          if (!isLive || after === null) continue;
          const candidate = currentFeed();
          if (!candidate.has(after)) continue;
          shared = candidate;
          next = candidate.indexAfter(after);
          break;
        }
        if (shared === null) return;
        while (!options.signal.aborted && shared.keeps(next)) {
          const message = shared.at(next);
          if (message) {
            next++;
            after = positionOf(message);
            if (isWanted(message)) yield message;
          } else if (shared.failure !== undefined) {
            throw shared.failure;
          } else {
            await shared.more();
          }
        }
      }
    } finally {
      options.signal.removeEventListener('abort', wake);
    }
  };

  return { ...store, subscribe };
};

type Feed = {
  /** Why it has ended. */
  failure: unknown;
  /** Whether everything after a position is here, and the position is not ahead of it. */
  has: (position: bigint) => boolean;
  /** Messages are numbered as they come. */
  indexAfter: (position: bigint) => number;
  keeps: (index: number) => boolean;
  at: (index: number) => Placed | undefined;
  /** Resolves at the next message, the end, or when somebody has all who wait look again. */
  more: () => Promise<void>;
  wake: () => void;
};

const openFeed = (store: EventStore, prefixes: readonly string[], signal: AbortSignal): Feed => {
  let messages: Placed[] = [];
  /** Number of the first that is kept. */
  let first = 0;
  /** Everything after this is kept; null before it is known where the feed begins. */
  let floor: bigint | null = null;
  let head = 0n;
  let waiting = Promise.withResolvers<void>();

  const wake = (): void => {
    waiting.resolve();
    waiting = Promise.withResolvers();
  };

  const take = (message: Placed): void => {
    head = positionOf(message);
    messages.push(message);
    if (messages.length >= 2 * KEPT) {
      const dropped = messages[KEPT - 1];
      if (dropped) floor = positionOf(dropped);
      messages = messages.slice(KEPT);
      first += KEPT;
    }
    wake();
  };

  const run = async (): Promise<void> => {
    try {
      head = await store.tail();
      floor = head;
      for await (const message of store.subscribe({ prefixes, after: head, signal })) {
        if (message.kind !== 'caughtUp') take(message);
      }
      feed.failure = new Error('the shared subscription ended');
    } catch (error) {
      feed.failure = error;
    }
    floor = null;
    wake();
  };

  const feed: Feed = {
    failure: undefined,
    has: (position) => floor !== null && floor <= position && position <= head,
    indexAfter: (position) => {
      let index = messages.length;
      for (let last = messages[index - 1]; last && positionOf(last) > position; last = messages[index - 1]) index--;
      return first + index;
    },
    keeps: (index) => index >= first,
    at: (index) => messages[index - first],
    more: () => waiting.promise,
    wake,
  };
  void run();
  return feed;
};

const positionOf = (message: Placed): bigint => (message.kind === 'event' ? message.event.position : message.position);
