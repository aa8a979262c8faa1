import type { QueryClient } from '@tanstack/react-query';
import { useSyncExternalStore } from 'react';
import { type Fact, get, type ListName } from './api.ts';

const KEPT = 1_000;
/** Much may happen at once: what is shown is asked for anew at most so often, the first time at once. */
const REFRESH_MS = 500;
/** Facts of one command come together. */
const GATHER_MS = 50;
const RETRY_MS = 2_000;

type State = Readonly<{ facts: readonly Fact[]; connection: 'connecting' | 'live' | 'lost' }>;

let state: State = { facts: [], connection: 'connecting' };
const listeners = new Set<() => void>();

const change = (next: Partial<State>): void => {
  state = { ...state, ...next };
  for (const listener of listeners) listener();
};

const subscribe = (listener: () => void): (() => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

/** The latest facts first, and whether they come as they happen. */
export const useLive = (): State => useSyncExternalStore(subscribe, () => state);

/** What is shown of a resource: rows of lists, and other queries by the beginning of their keys. */
type Shown = Readonly<{ lists: readonly ListName[]; queries: readonly string[] }>;

const SHOWN: Readonly<Record<string, Shown>> = {
  connection: { lists: ['connections', 'endpoints'], queries: ['connection', 'overview', 'changes', 'topology'] },
  endpoint: { lists: ['endpoints'], queries: ['overview', 'topology'] },
  endpoint_service: { lists: ['endpoint-services'], queries: ['service', 'overview', 'topology'] },
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

/** Asks for everything anew; lists, which may be long, decide for themselves how. */
export const refreshAll = (client: QueryClient): void => {
  void client.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'list' });
  for (const { onChanged } of followers) onChanged(null);
};

/** Facts that came since the last refresh, and a refresh soon that takes them together. */
const refresher = (client: QueryClient) => {
  const pending = new Map<string, Set<string>>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let last = Number.NEGATIVE_INFINITY;

  const refresh = (): void => {
    timer = undefined;
    last = performance.now();
    const changed = [...pending].map(([type, ids]) => ({ ...(SHOWN[type] ?? { lists: [], queries: [] }), ids }));
    pending.clear();
    for (const name of new Set(changed.flatMap(({ queries }) => queries))) {
      void client.invalidateQueries({ queryKey: [name] });
    }
    for (const { list, onChanged } of followers) {
      const ids = changed.filter(({ lists }) => lists.includes(list)).flatMap((one) => [...one.ids]);
      if (ids.length > 0) onChanged(new Set(ids));
    }
  };

  return {
    take: ({ resourceType, resourceId }: Fact): void => {
      pending.set(resourceType, (pending.get(resourceType) ?? new Set()).add(resourceId));
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
    const page = await get<Readonly<{ items: readonly Fact[]; latest: string }>>('/api/facts', { pageSize: 200 });
    if (isOver) return;
    change({ facts: page.items });
    open(page.latest);
  };
  const beginSoon = (first: () => Promise<void> | void): void => {
    change({ connection: 'lost' });
    retry = setTimeout(() => void Promise.resolve(first()).catch(() => beginSoon(begin)), RETRY_MS);
  };

  const open = (after: string): void => {
    let place = after;
    const own = new EventSource(`/api/live?after=${encodeURIComponent(after)}`);
    source = own;
    own.addEventListener('open', () => change({ connection: 'live' }));
    own.addEventListener('error', () => {
      change({ connection: 'lost' });
      // The browser goes on by itself unless it was answered with an error, as by a proxy.
      if (own.readyState === EventSource.CLOSED && !isOver) beginSoon(() => open(place));
    });
    own.addEventListener('reset', () => {
      own.close();
      refreshAll(client);
      beginSoon(begin);
    });
    own.addEventListener('fact', ({ data, lastEventId }) => {
      const fact = JSON.parse(data as string) as Fact;
      place = lastEventId;
      change({ facts: [fact, ...state.facts].slice(0, KEPT) });
      take(fact);
    });
  };
  void begin().catch(() => beginSoon(begin));

  return () => {
    isOver = true;
    clearTimeout(retry);
    stop();
    source?.close();
  };
};
