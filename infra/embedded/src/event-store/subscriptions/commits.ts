import type { StoredEvent } from '../storage/records.ts';

export type Subscriber = {
  /** Resolves at the next commit of interest, at once if there was one since the last call, or when closed. */
  next(): Promise<void>;
  close(): void;
};

/** Tells subscriptions that something was committed; what it was they read for themselves, in order. */
export type Commits = {
  publish(events: readonly StoredEvent[]): void;
  /** Subscribes to one stream, or to all. */
  subscribe(stream?: string): Subscriber;
};

type Wake = () => void;

export function createCommits(): Commits {
  const all = new Set<Wake>();
  const byStream = new Map<string, Set<Wake>>();

  const groupOf = (stream: string | undefined): Set<Wake> => {
    if (stream === undefined) return all;
    const group = byStream.get(stream) ?? new Set();
    byStream.set(stream, group);
    return group;
  };

  return {
    publish(events) {
      for (const wake of all) wake();
      if (byStream.size === 0) return;
      for (const { stream } of events) {
        for (const wake of byStream.get(stream) ?? []) wake();
      }
    },
    subscribe(stream) {
      let pending = false;
      let resume: Wake | undefined;
      const wake = (): void => {
        pending = true;
        resume?.();
        resume = undefined;
      };
      groupOf(stream).add(wake);
      return {
        async next() {
          if (!pending) {
            await new Promise<void>((resolve) => {
              resume = resolve;
            });
          }
          pending = false;
        },
        close() {
          wake();
          const group = groupOf(stream);
          group.delete(wake);
          if (stream !== undefined && group.size === 0) byStream.delete(stream);
        },
      };
    },
  };
}
