import type { Clock } from '../eventing/ports.ts';
import type { Followed } from './run-subscription.ts';

type Deps = Readonly<{ store: Followed; clock: Clock; signal: AbortSignal }>;

/**
 * Position of the first event after `received` that a new subscription gets. When the old one has still not got it a
 * while later, its connection is lost, however alive it looks. Null when there is no such event, and when nobody can say.
 */
export const findOverdue = async (
  { store, clock, signal }: Deps,
  prefixes: readonly string[],
  received: bigint,
  patienceMs: number,
): Promise<bigint | null> => {
  const found = new AbortController();
  const stop = new AbortController();
  void clock.sleep(patienceMs, AbortSignal.any([signal, found.signal])).then(() => stop.abort());
  try {
    if ((await store.tail()) <= received) return null;
    const after = received < 0n ? null : received;
    for await (const message of store.subscribe({ prefixes, after, signal: stop.signal })) {
      if (message.kind === 'event') return message.event.position;
      if (message.kind === 'caughtUp') return null;
    }
    return null;
  } catch {
    return null;
  } finally {
    found.abort();
  }
};
