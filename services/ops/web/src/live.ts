import type { QueryClient } from '@tanstack/react-query';
import { useSyncExternalStore } from 'react';
import { type Fact, type FactPage, get, type ListName } from './api.ts';

/** Much may happen at once: what is shown is asked for anew at most so often, the first time at once. */
const REFRESH_MS = 500;
/** Facts of one command come together. */
const GATHER_MS = 50;
const RETRY_MS = 2_000;

/** While it is asked where the feed goes on, what is read may be from before that place. */
type Connection = 'asking' | 'connecting' | 'live' | 'lost';

let connection: Connection = 'asking';
const listeners = new Set<() => void>();

const change = (next: Connection): void => {
  connection = next;
  for (const listener of listeners) listener();
};

const subscribe = (listener: () => void): (() => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

/** Whether facts come as they happen. */
export const useConnection = (): Connection => useSyncExternalStore(subscribe, () => connection);

/** What is shown of a resource: rows of lists, and other queries by the beginning of their keys. */
type Shown = Readonly<{ lists: readonly ListName[]; queries: readonly string[] }>;

const NOTHING: Shown = { lists: [], queries: [] };
const SHOWN: Readonly<Record<string, Shown>> = {
  connection: {
    lists: ['connections', 'endpoints'],
    queries: ['connection', 'count', 'overview', 'changes', 'topology'],
  },
  endpoint: { lists: ['endpoints'], queries: ['count', 'overview', 'topology'] },
  endpoint_service: { lists: ['endpoint-services'], queries: ['service', 'count', 'overview', 'topology'] },
  endpoint_names: { lists: [], queries: ['connection'] },
  payments: { lists: [], queries: ['overview'] },
};

/** Ids of what has changed; null when it is not known what has. */
type Changed = ReadonlySet<string> | null;
type Follower = Readonly<{ list: ListName; onChanged: (changed: Changed) => void }>;
const followers = new Set<Follower>();

/** Tells of changes to what a list has rows of, until the function is called that it returns. */
export const followList = (list: ListName, onChanged: Follower['onChanged']): (() => void) => {
  const follower = { list, onChanged };
  followers.add(follower);
  return () => followers.delete(follower);
};

/** Facts that came together; null when some were missed. */
type FactFollower = (facts: readonly Fact[] | null) => void;
const factFollowers = new Set<FactFollower>();

/** Tells of facts as they come, until the function is called that it returns. */
export const followFacts = (follower: FactFollower): (() => void) => {
  factFollowers.add(follower);
  return () => factFollowers.delete(follower);
};

/** Asks for everything anew; lists, which may be long, decide for themselves how. */
export const refreshAll = (client: QueryClient): void => {
  void client.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'list' });
  for (const { onChanged } of followers) onChanged(null);
  for (const onFacts of factFollowers) onFacts(null);
};

/** Facts that came since the last refresh, and a refresh soon that takes them together. */
const refresher = (client: QueryClient) => {
  let pending: Fact[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  let last = Number.NEGATIVE_INFINITY;

  const refresh = (): void => {
    timer = undefined;
    last = performance.now();
    const facts = pending;
    pending = [];
    const changed = facts.map(({ resourceType, resourceId }) => ({ ...(SHOWN[resourceType] ?? NOTHING), resourceId }));
    for (const name of new Set(changed.flatMap(({ queries }) => queries))) {
      void client.invalidateQueries({ queryKey: [name] });
    }
    for (const { list, onChanged } of followers) {
      const ids = changed.filter(({ lists }) => lists.includes(list)).map(({ resourceId }) => resourceId);
      if (ids.length > 0) onChanged(new Set(ids));
    }
    for (const onFacts of factFollowers) onFacts(facts);
  };

  return {
    take: (fact: Fact): void => {
      pending.push(fact);
      timer ??= setTimeout(refresh, Math.max(GATHER_MS, last + REFRESH_MS - performance.now()));
    },
    stop: () => clearTimeout(timer),
  };
};

/** Follows what happens for as long as somebody is signed in, and goes on where it was. */
export const follow = (client: QueryClient): (() => void) => {
  const { take, stop } = refresher(client);
  let source: EventSource | null = null;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let isOver = false;

  const begin = async (): Promise<void> => {
    const { latest } = await get<FactPage>('/api/facts', { pageSize: 1 });
    if (isOver) return;
    change('connecting');
    open(latest);
  };
  const beginAnew = async (): Promise<void> => {
    await begin();
    refreshAll(client);
  };
  const beginSoon = (first: () => Promise<void> | void): void => {
    change('lost');
    retry = setTimeout(() => void Promise.resolve(first()).catch(() => beginSoon(beginAnew)), RETRY_MS);
  };

  const open = (after: string): void => {
    let place = after;
    const own = new EventSource(`/api/live?after=${encodeURIComponent(after)}`);
    source = own;
    own.addEventListener('open', () => change('live'));
    own.addEventListener('error', () => {
      change('lost');
      // The browser goes on by itself unless it was answered with an error, as by a proxy.
      if (own.readyState === EventSource.CLOSED && !isOver) beginSoon(() => open(place));
    });
    own.addEventListener('reset', () => {
      own.close();
      beginSoon(beginAnew);
    });
    own.addEventListener('fact', ({ data, lastEventId }) => {
      place = lastEventId;
      take(JSON.parse(data as string) as Fact);
    });
  };
  void begin().catch(() => beginSoon(beginAnew));

  return () => {
    isOver = true;
    change('asking');
    clearTimeout(retry);
    stop();
    source?.close();
  };
};
