import { setTimeout as delay } from 'node:timers/promises';
import { Kysely, PostgresDialect, sql } from 'kysely';
import { Pool, types } from 'pg';
import type { Logger } from 'pino';
import { StartupError } from '../runtime/startup-error.ts';
import { changeSchema } from './change-schema.ts';

/** Our bookkeeping in each service's schema. Read models and foreign tables are declared where they are used. */
export type Tables = {
  lease: { name: string; holder: string; epoch: bigint; expires_at: Date };
  checkpoint: { name: string; position: bigint; epoch: bigint; store_id: string };
  work: { reactor: string; key: string; due: Date; attempt: number };
  foreign_position: { source: string; position: bigint };
};

/** A database, or a transaction in it. */
export type Db = Kysely<Tables>;

export type Postgres = Readonly<{
  db: Db;
  /** How many connections there are; `wanted`: callers that wait for one. */
  connections: () => Readonly<Record<'busy' | 'idle' | 'wanted', number>>;
  close: () => Promise<void>;
}>;

type Options = Readonly<{ url: string; schema: string; poolMax: number; log: Logger; waitMs?: number }>;

const RETRY_MS = 250;
/** Waiting does not help: wrong credentials, no such database, no rights. */
const HOPELESS = /^(28|3D|42)/;

/**
 * Connects and prepares the service's schema. Waits a bounded time for a server that does not answer yet.
 *
 * @throws StartupError: one line that names the server and the reason, without the password
 */
export const connectPostgres = async ({ url, schema, poolMax, log, waitMs = 15_000 }: Options): Promise<Postgres> => {
  if (!/^[a-z][a-z0-9_]*$/.test(schema)) throw new Error(`not a schema name: ${schema}`);
  const pool = new Pool({
    connectionString: url,
    max: poolMax,
    options: `-c search_path=${schema}`,
    connectionTimeoutMillis: 5_000,
    query_timeout: 60_000,
    // A frozen process must not keep its rows locked against the one that takes over.
    idle_in_transaction_session_timeout: 10_000,
    keepAlive: true,
    types: {
      getTypeParser: (oid, format) => (oid === types.builtins.INT8 ? BigInt : types.getTypeParser(oid, format)),
    },
  });
  // A connection may break at any moment, also between two statements, when nobody waits for its answer.
  pool.on('connect', (client) => client.on('error', (err) => log.warn({ err }, 'PostgreSQL connection lost')));
  // Said again of those that were idle, and an end of the process when nobody listens.
  pool.on('error', () => undefined);
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  const giveUpAt = Date.now() + waitMs;
  for (;;) {
    try {
      await prepareSchema(db, schema);
      const connections = () => {
        const { totalCount, idleCount: idle, waitingCount: wanted } = pool;
        return { busy: totalCount - idle, idle, wanted };
      };
      return { db, connections, close: () => db.destroy() };
    } catch (cause) {
      if (Date.now() + RETRY_MS < giveUpAt && !HOPELESS.test(codeOf(cause))) {
        await delay(RETRY_MS);
        continue;
      }
      await db.destroy();
      const { hostname, port, pathname } = new URL(url);
      throw new StartupError(
        `PostgreSQL at ${hostname}:${port || 5432}${pathname} cannot be used: ${reasonOf(cause)}`,
        {
          cause,
        },
      );
    }
  }
};

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';

const reasonOf = (error: unknown): string =>
  (error instanceof Error && error.message) || codeOf(error) || 'no reason given';

/** Creates what every service keeps in its schema, unless it is there. */
export const prepareSchema = (db: Db, schema: string): Promise<void> =>
  changeSchema(db, async (tx) => {
    await sql`create schema if not exists ${sql.id(schema)}`.execute(tx);
    await sql`create table if not exists lease (
      name text primary key, holder text not null, epoch bigint not null, expires_at timestamptz not null)`.execute(tx);
    await sql`create table if not exists checkpoint (
      name text primary key, position bigint not null, epoch bigint not null, store_id text not null)`.execute(tx);
    await sql`create table if not exists work (
      reactor text, key text, due timestamptz not null, attempt integer not null, primary key (reactor, key))`.execute(
      tx,
    );
    await sql`create index if not exists work_due on work (reactor, due)`.execute(tx);
    await sql`create table if not exists foreign_position (
      source text primary key, position bigint not null)`.execute(tx);
  });
