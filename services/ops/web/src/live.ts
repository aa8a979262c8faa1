import type { QueryClient } from '@tanstack/react-query';
import { useSyncExternalStore } from 'react';
import { type Fact, get } from './api.ts';

const KEPT = 1_000;
/** Much may happen at once: what is shown is asked for anew at most so often. */
const REFRESH_MS = 500;

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

/** Queries by what their data is about. */
const CONCERNED: Readonly<Record<string, readonly string[]>> = {
  connection: ['connections', 'connection', 'endpoints', 'overview', 'changes'],
  endpoint: ['endpoints', 'overview'],
  endpoint_service: ['endpoint-services', 'overview'],
};

/** Follows what happens for as long as somebody is signed in; the browser goes on where it was. */
export const follow = (client: QueryClient): (() => void) => {
  let source: EventSource | null = null;
  let isOver = false;
  const stale = new Set<string>();
  let timer: ReturnType<typeof setTimeout> | undefined;

  const refresh = (names: readonly string[]): void => {
    for (const name of names) stale.add(name);
    timer ??= setTimeout(() => {
      timer = undefined;
      for (const name of stale) void client.invalidateQueries({ queryKey: [name] });
      stale.clear();
    }, REFRESH_MS);
  };

  const begin = async (): Promise<void> => {
    const page = await get<Readonly<{ items: readonly Fact[]; latest: string }>>('/api/facts', { pageSize: 200 });
    if (isOver) return;
    change({ facts: page.items });
    source = new EventSource(`/api/live?after=${encodeURIComponent(page.latest)}`);
    source.addEventListener('open', () => change({ connection: 'live' }));
    source.addEventListener('error', () => change({ connection: 'lost' }));
    source.addEventListener('reset', () => void client.invalidateQueries());
    source.addEventListener('fact', ({ data }) => {
      const fact = JSON.parse(data as string) as Fact;
      change({ facts: [fact, ...state.facts].slice(0, KEPT) });
      refresh(CONCERNED[fact.resourceType] ?? []);
    });
  };
  void begin().catch(() => change({ connection: 'lost' }));

  return () => {
    isOver = true;
    clearTimeout(timer);
    source?.close();
  };
};
