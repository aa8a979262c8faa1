import { setTimeout as delay } from 'node:timers/promises';
import type { RunFile } from '@privatelink/embedded/run-file';
import { runSubscription } from '@privatelink/shared/app/run-subscription';
import { idOfStream } from '@privatelink/shared/eventing/decider';
import { connectEventStore } from '@privatelink/shared/kurrent/event-store';
import { systemClock } from '@privatelink/shared/runtime/clock';
import { createLog } from '@privatelink/shared/runtime/log';
import { BenchError } from './bench-error.ts';

/** What is counted: an event that moves a connection, or places or lifts a hold of it. */
const COUNTED = [
  ...['ConnectionEstablished', 'HoldPlaced', 'DisconnectingStarted', 'ConnectionDisconnected'],
  ...['HoldLifted', 'ConnectingStarted'],
];

const PATIENCE_MS = 60_000;
/** Connections that a complaint names. */
const SHOWN = 5;

/** How often each of them is stored of each connection, followed in the store itself. */
export type Counts = Readonly<{
  /**
   * Resolves once so many connections have an event of the type.
   *
   * @throws BenchError when nothing at all is recorded for a minute
   */
  reached: (type: string, connections: number) => Promise<void>;
  /** Connections that have an event of the type not just once, and all events stored since the last look. */
  take: (types: readonly string[], connections: number) => Readonly<{ wrong: number; events: number }>;
  close: () => Promise<void>;
}>;

export const followCounts = (run: Pick<RunFile, 'eventStore'>): Counts => {
  const store = connectEventStore(run.eventStore.url, ['connection']);
  const stop = new AbortController();
  let counts = new Map<string, Map<string, number>>();
  const known = new Set<string>();
  let events = 0;
  let position: bigint | null = null;
  let wake = Promise.withResolvers<void>();
  const following = runSubscription(
    {
      ...{ store, clock: systemClock, signal: stop.signal },
      log: createLog({ service: 'bench', instance: 'counts', level: 'silent' }),
    },
    {
      name: 'bench',
      prefixes: ['connection-'],
      resumeAfter: async () => position,
      handle: async (messages) => {
        for (const message of messages) {
          if (message.kind !== 'event') continue;
          position = message.event.position;
          const type = message.event.type.replace(/\.v\d+$/, '');
          events++;
          if (!COUNTED.includes(type)) continue;
          const ofType = counts.get(type) ?? new Map<string, number>();
          counts.set(type, ofType);
          const id = idOfStream(message.event.stream);
          ofType.set(id, (ofType.get(id) ?? 0) + 1);
          known.add(id);
        }
        wake.resolve();
        wake = Promise.withResolvers();
      },
      onFailure: 'retry',
    },
  );
  return {
    reached: async (type, connections) => {
      for (let of = counts.get(type); (of?.size ?? 0) < connections; of = counts.get(type)) {
        const waiting = new AbortController();
        const patience = delay(PATIENCE_MS, 'stalled', { signal: waiting.signal }).catch(() => 'aborted');
        const woken = await Promise.race([wake.promise, patience]);
        waiting.abort();
        if (woken !== 'stalled') continue;
        const lacking = [...known].filter((id) => !counts.get(type)?.has(id));
        const some = lacking.slice(0, SHOWN).join(', ');
        const what = `${connections - (of?.size ?? 0)} of ${connections} connections lack ${type}: ${some}`;
        throw new BenchError(`nothing is recorded for ${PATIENCE_MS / 1_000} s, and ${what}`, 1);
      }
    },
    take: (types, connections) => {
      const wrong = types.reduce((sum, type) => {
        const each = [...(counts.get(type)?.values() ?? [])];
        return sum + Math.abs(connections - each.length) + each.filter((count) => count !== 1).length;
      }, 0);
      const taken = { wrong, events };
      counts = new Map();
      events = 0;
      return taken;
    },
    close: async () => {
      stop.abort();
      await following;
      await store.close();
    },
  };
};
