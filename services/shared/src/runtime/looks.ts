import { sql } from 'kysely';
import type { Reactor } from '../app/run-reactor.ts';
import type { AnyEvent } from '../eventing/message.ts';
import type { EventStore } from '../eventing/ports.ts';
import type { Nats } from '../nats/connect.ts';
import type { DeadLetters } from '../nats/dead-letters.ts';
import type { Db, Postgres } from '../postgres/connect.ts';
import type { ReadModel } from '../postgres/read-model.ts';
import { reactors, readModels, servers, subscriptions } from '../telemetry/metrics.ts';
import type { Look } from '../telemetry/serve-metrics.ts';

/** What is measured of a service's connections to servers. */
export const lookAtConnections =
  ({ nats, postgres }: Readonly<{ nats: Nats; postgres: Postgres }>): Look =>
  () => {
    for (const [state, count] of Object.entries(postgres.connections())) servers.postgres.set({ state }, count);
    servers.nats.set(nats.isConnected() ? 1 : 0);
  };

/** How far the event store goes. */
export const lookAtStore =
  ({ store }: Readonly<{ store: EventStore }>): Look =>
  async () =>
    subscriptions.tail.set(Number(await store.tail()));

/** Of what is tried again after so many failures in a row, for some minutes, an operator should know. */
const MANY_FAILURES = 10;

/** How much of a reactor's work fails and fails. */
export const lookAtWork =
  ({ db }: Readonly<{ db: Db }>, { name }: Pick<Reactor, 'name'>): Look =>
  async () => {
    const { count } = await db
      .selectFrom('work')
      .select(({ fn }) => fn.countAll<bigint>().as('count'))
      .where('reactor', '=', name)
      .where('attempt', '>=', MANY_FAILURES)
      .executeTakeFirstOrThrow();
    reactors.failing.set({ reactor: name }, Number(count));
  };

/** How many messages of each consumer wait for an operator. */
export const lookAtDeadLetters =
  (letters: DeadLetters, consumers: ReadonlyMap<string, unknown>): Look =>
  async () => {
    const counts = await letters.count();
    servers.deadLetters.reset();
    for (const consumer of new Set([...consumers.keys(), ...counts.keys()])) {
      servers.deadLetters.set({ consumer }, counts.get(consumer) ?? 0);
    }
  };

/** How many rows of a read model are in which status, and for how long. Of one without statuses, nothing. */
export const lookAtRows =
  <E extends AnyEvent, R, C extends string>(
    { db }: Readonly<{ db: Db }>,
    { name, table, columns }: ReadModel<E, R, C>,
  ): Look =>
  async () => {
    if (!('status' in columns)) return;
    const since = sql.id('status_time' in columns ? 'status_time' : 'updated_at');
    const { rows } = await sql<{ status: string; count: bigint; age: number }>`
      select coalesce(status, '') as status, count(*) as count,
        extract(epoch from now() - min(${since}))::float8 as age
      from ${sql.id(table)} group by 1`.execute(db);
    for (const gauge of Object.values(readModels)) gauge.remove({ read_model: name });
    for (const { status, count, age } of rows) {
      readModels.rows.set({ read_model: name, status }, Number(count));
      readModels.oldest.set({ read_model: name, status }, Math.max(0, age));
    }
  };
