import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import type { Ev, Recorded } from '../eventing/message.ts';
import type { Clock, EventStore } from '../eventing/ports.ts';
import { systemClock } from '../runtime/clock.ts';
import { createMemoryStore, type MemoryStore } from '../testing/memory-store.ts';
import { type PostgresServer, startPostgres } from '../testing/servers.ts';
import { connectPostgres, type Postgres } from './connect.ts';
import { defineReadModel } from './read-model.ts';
import { waitForPosition } from './read-position.ts';
import { queryRows, type RowQuery } from './row-table.ts';
import { runReadModel } from './run-read-model.ts';

/** A read model of lamps and a world to project it in: a real PostgreSQL, a schema and an event store per test. */
type LampEvent = Ev<'Lit', { colour: string }> | Ev<'Dimmed', { by: number }> | Ev<'Broken', { why: string }>;
type Lamp = { colour: string; level: number; changes: number };

export const defineLamps = (evolve?: (lamp: Lamp, event: Recorded<LampEvent>) => Lamp | null) =>
  defineReadModel<LampEvent, Lamp, 'colour' | 'level' | 'bright'>({
    name: 'lamps',
    version: 1,
    prefixes: ['lamp-'],
    key: (event) => event.meta.stream.slice('lamp-'.length),
    initial: { colour: '', level: 0, changes: 0 },
    decode: ({ type, data, ...meta }) =>
      type.includes('.snapshot.') ? null : ({ type, data, meta } as unknown as Recorded<LampEvent>),
    evolve:
      evolve ??
      ((lamp, event) => {
        const changes = lamp.changes + 1;
        if (event.type === 'Lit') return { colour: event.data.colour, level: 100, changes };
        return event.type === 'Dimmed' ? { ...lamp, level: lamp.level - event.data.by, changes } : null;
      }),
    columns: {
      colour: { type: 'text', of: (lamp) => lamp.colour || null, indexed: true },
      level: { type: 'bigint', of: (lamp) => BigInt(lamp.level), indexed: true },
      bright: { type: 'boolean', of: (lamp) => lamp.level > 50 },
    },
  });

export const lamps = defineLamps();
export const silent = pino({ level: 'silent' });
let server: PostgresServer;
let schemas = 0;
export let postgres: Postgres;
let schema: string;
export let store: MemoryStore;
export let stops: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server?.stop());
export const connect = () => connectPostgres({ url: server.url, schema, poolMax: 5, log: silent });
beforeEach(async () => {
  schema = `spec_${++schemas}`;
  postgres = await connect();
  store = createMemoryStore();
});
afterEach(async () => {
  await Promise.all(stops.map((stop) => stop()));
  stops = [];
  await postgres.close();
});

export const append = async (to: EventStore, stream: string, ...events: LampEvent[]): Promise<bigint> => {
  let expected: bigint | 'no-stream' = 'no-stream';
  for await (const last of to.read(stream, { from: 'end', direction: 'backwards', maxCount: 1 }))
    expected = last.revision;
  const metadata = {
    $correlationId: 'c',
    $causationId: 'c',
    accountId: 'a',
    actor: 'user:u',
    requestId: 'r',
    fingerprint: 'f',
    producer: 'p',
  };
  return (
    await to.append(
      stream,
      events.map((event) => ({ id: randomUUID(), ...event, metadata })),
      expected,
    )
  ).position;
};
export const lit = (colour: string): LampEvent => ({ type: 'Lit', data: { colour } });
export const dimmed = (by: number): LampEvent => ({ type: 'Dimmed', data: { by } });
export const broken: LampEvent = { type: 'Broken', data: { why: 'fell' } };

export const run = (
  options: {
    model?: typeof lamps;
    log?: typeof silent;
    holder?: string;
    from?: Postgres;
    of?: EventStore;
    clock?: Clock;
  } = {},
) => {
  const stop = new AbortController();
  const { model = lamps, log = silent, holder = 'a', from = postgres, of = store, clock = systemClock } = options;
  const deps = { db: from.db, store: of, clock, log, signal: stop.signal, holder };
  const done = runReadModel(deps, model);
  const end = async () => {
    stop.abort();
    await done.catch(() => undefined);
  };
  stops.push(end);
  return { done, end };
};
export const reached = (position: bigint, within = 10_000, db = postgres.db) =>
  waitForPosition({ db, readModel: lamps, position, deadline: Date.now() + within, clock: systemClock });
export const all = () => queryRows(postgres.db, lamps, { limit: 1000 });
export const keysOf = async (query: RowQuery<'colour' | 'level' | 'bright'>) =>
  (await queryRows(postgres.db, lamps, query)).map((row) => row.key);
export const shown = async () => Object.fromEntries((await all()).map((row) => [row.key, row.state]));
