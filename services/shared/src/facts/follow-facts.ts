import { withTicks } from '../app/with-ticks.ts';
import type { Clock, EventStore } from '../eventing/ports.ts';
import { type Condition, fulfils } from '../postgres/condition.ts';
import type { Db } from '../postgres/connect.ts';
import { readPosition } from '../postgres/read-position.ts';
import { queryRows } from '../postgres/row-table.ts';
import { type Events, eventKey } from './events.ts';
import type { FactReader } from './fact-reader.ts';
import type { PublicFact } from './public-fact.ts';
import { recordedFacts } from './recorded-facts.ts';

export type FollowFactsDeps = Readonly<{
  store: EventStore;
  db: Db;
  clock: Clock;
  events: Events;
  /** What everybody follows who has caught up. */
  live: FactReader;
  /** Opens a reader of what was before. */
  openPast: () => FactReader;
}>;

type Column = keyof Events['columns'];

export type FollowFactsOptions = Readonly<{
  /** Whose facts; null for everybody's. */
  accountId: string | null;
  condition: Condition<Column> | null;
  /** 0: from the first one. */
  after: bigint;
  signal: AbortSignal;
}>;

export type FollowedFact =
  | Readonly<{ kind: 'fact'; fact: PublicFact; position: bigint }>
  /** All up to this position has been told. */
  | Readonly<{ kind: 'synced'; position: bigint }>;

const PAGE = 200;
const SYNCED_EVERY_MS = 10_000;

/**
 * Facts in the order of their positions: of the past those that the index finds, and from where the index ends each that
 * is recorded.
 */
export async function* followFacts(deps: FollowFactsDeps, options: FollowFactsOptions): AsyncIterable<FollowedFact> {
  const { store, db, clock, events, live } = deps;
  const { accountId, condition, signal } = options;
  let last = options.after;
  const indexed = (await readPosition(db, events)) ?? 0n;
  if (indexed > last) {
    yield* pastFacts(deps, options, last, indexed);
    last = indexed;
  }

  const isWanted = (fact: PublicFact): boolean => {
    if (accountId !== null && !fact.audience.includes(accountId)) return false;
    return condition === null || fulfils(events.columns, condition, rowOf(fact));
  };
  const subscribed = store.subscribe({ prefixes: events.prefixes, after: last, signal });
  let isSilent = true;
  let isSynced = false;
  for await (const message of withTicks(subscribed, SYNCED_EVERY_MS, clock, signal)) {
    if (message === null || message.kind === 'caughtUp') {
      if (message === null ? isSilent && isSynced : !isSynced) yield { kind: 'synced', position: last };
      isSynced ||= message !== null;
      isSilent = true;
      continue;
    }
    if (message.kind === 'checkpoint') {
      last = message.position;
      continue;
    }
    const { event } = message;
    last = event.position;
    const fact = await live(event);
    if (!fact || !isWanted(fact)) continue;
    isSilent = false;
    yield { kind: 'fact', fact, position: last };
  }
}

async function* pastFacts(
  { store, db, events, openPast }: FollowFactsDeps,
  { accountId, condition, signal }: FollowFactsOptions,
  after: bigint,
  upTo: bigint,
): AsyncIterable<FollowedFact> {
  const read = openPast();
  let key = eventKey(after);
  while (!signal.aborted) {
    const between: Condition<Column>[] = [
      { is: 'compared', column: 'key', by: '>', to: key },
      { is: 'compared', column: 'key', by: '<=', to: eventKey(upTo) },
    ];
    const rows = await queryRows(db, events, {
      where: accountId === null ? {} : { account_ids: accountId },
      also: { is: 'all', of: condition ? [...between, condition] : between },
      limit: PAGE,
    });
    for (const fact of await recordedFacts(store, read, rows)) {
      yield { kind: 'fact', fact, position: fact.event.position };
    }
    if (rows.length < PAGE) return;
    key = rows.at(-1)?.key ?? key;
  }
}

const rowOf = ({ event, type, resourceType, resourceId, audience }: PublicFact) => ({
  key: eventKey(event.position),
  state: {
    ...{ stream: event.stream, eventId: event.id, recordTime: event.recordedAt },
    ...{ type, resourceType, resourceId, accountIds: audience },
    correlationId: event.metadata['$correlationId'] ?? '',
  },
});
