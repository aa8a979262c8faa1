import type { RunFile } from '@privatelink/embedded/run-file';
import { runSubscription } from '@privatelink/shared/app/run-subscription';
import { isSnapshot } from '@privatelink/shared/eventing/codec';
import { categoryOfStream, idOfStream } from '@privatelink/shared/eventing/decider';
import type { StoredEvent } from '@privatelink/shared/eventing/message';
import { connectEventStore } from '@privatelink/shared/kurrent/event-store';
import { systemClock } from '@privatelink/shared/runtime/clock';
import { createLog } from '@privatelink/shared/runtime/log';

/** Those whose events are announced. */
export const ANNOUNCED = ['endpointService', 'endpoint', 'gatewayEndpoint', 'connection', 'nameSet'] as const;
const CATEGORIES = [
  ...ANNOUNCED,
  'serviceAdmissions',
  'accountServices',
  'vpc',
  'facts',
  'fanOut',
  'allocation',
] as const;
export type Category = (typeof CATEGORIES)[number];

type Move = Readonly<{ from: string | null; to: string; because: string }>;

export type Logged = Omit<StoredEvent, 'data'> &
  Readonly<{
    category: Category;
    /** The part of the stream's name after its category. */
    owner: string;
    data: Readonly<Record<string, unknown>>;
    move: Move | null;
  }>;

/** Everything that all services have recorded, in order, as it is recorded; over every loss of connection. */
export type EventLog = Readonly<{
  all: readonly Logged[];
  of: (category: Category, owner: string) => readonly Logged[];
  /** Resolves once all that is recorded is so. */
  until: (condition: (history: readonly Logged[]) => boolean, what: string) => Promise<void>;
  /** Resolves with the first event that fits, of those recorded so far and those to come. */
  next: (fits: (event: Logged) => boolean, what: string) => Promise<Logged>;
  /** Resolves with the first event of this type in a stream. */
  records: (category: Category, owner: string, type: string) => Promise<Logged>;
  close: () => Promise<void>;
}>;

const PATIENCE_MS = 25_000;

export const openEventLog = (run: Pick<RunFile, 'eventStore'>): EventLog => {
  const all: Logged[] = [];
  const listeners = new Set<() => void>();
  const store = connectEventStore(run.eventStore.url, CATEGORIES);
  const stop = new AbortController();
  const log = createLog({ service: 'test', instance: 'event-log', level: 'silent' });
  const following = runSubscription(
    { store, clock: systemClock, log, signal: stop.signal },
    {
      name: 'event-log',
      prefixes: CATEGORIES.map((category) => `${category}-`),
      resumeAfter: async () => all.at(-1)?.position ?? null,
      handle: async (messages) => {
        for (const message of messages) {
          if (message.kind !== 'event') continue;
          all.push(toLogged(message.event));
        }
        for (const listener of [...listeners]) listener();
      },
      onFailure: 'retry',
    },
  );
  const until = async (condition: (history: readonly Logged[]) => boolean, what: string): Promise<void> => {
    if (condition(all)) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const listener = (): void => {
      if (condition(all)) resolve();
    };
    const timer = setTimeout(() => reject(new Error(`not recorded within ${PATIENCE_MS} ms: ${what}`)), PATIENCE_MS);
    listeners.add(listener);
    await promise.finally(() => {
      clearTimeout(timer);
      listeners.delete(listener);
    });
  };
  const next: EventLog['next'] = async (fits, what) => {
    let found: Logged | undefined;
    await until((history) => {
      found ??= history.find(fits);
      return found !== undefined;
    }, what);
    return found as unknown as Logged;
  };
  return {
    all,
    until,
    next,
    of: (category, owner) => all.filter((event) => event.category === category && event.owner === owner),
    records: (category, owner, type) =>
      next(
        (event) => event.category === category && event.owner === owner && typeOf(event) === type,
        `${type} in ${category}-${owner}`,
      ),
    close: async () => {
      stop.abort();
      await following;
      await store.close();
    },
  };
};

/** Without the version of its stored form. */
export const typeOf = ({ type }: Pick<Logged, 'type'>): string => type.replace(/\.v\d+$/, '');

export const toLogged = (event: StoredEvent): Logged => {
  const data = event.data as Record<string, unknown>;
  return {
    ...event,
    data,
    category: categoryOfStream(event.stream) as Category,
    owner: idOfStream(event.stream),
    move: isSnapshot(event.type) ? null : ((data['move'] as Move | null | undefined) ?? null),
  };
};
