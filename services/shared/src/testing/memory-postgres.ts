import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Driver,
  Kysely,
  PostgresAdapter,
  PostgresQueryCompiler,
  type QueryResult,
} from 'kysely';
import { type Db, prepareSchema, type Tables } from '../postgres/connect.ts';
import { toSqlite } from './postgres-sql.ts';

/** One process's way to the server: how long it takes, and whether the answer comes. */
export type Link = <T>(atServer: () => Promise<T>) => Promise<T>;

export type MemoryPostgres = Readonly<{
  /** The pool of one process. */
  connect: (link?: Link) => Readonly<{
    db: Db;
    /** As the server sees the end of a process: what it has not committed is undone. */
    abandon: () => void;
  }>;
  close: () => void;
}>;

/**
 * PostgreSQL as far as our read models, leases and checkpoints use it, in memory and deterministic. Transactions run
 * one after another, which is one of the orders that the real server may choose.
 */
export const createMemoryPostgres = async (clock: Readonly<{ now: () => Date }>): Promise<MemoryPostgres> => {
  const sqlite = new DatabaseSync(':memory:');
  sqlite.function('clock_timestamp', () => clock.now().getTime());
  sqlite.function('pg_advisory_xact_lock', (_key) => null);
  sqlite.function('hashtextextended', (_text, _seed) => null);
  const prepared = new Map<string, StatementSync>();
  const turn = createTurn();

  const statementOf = (text: string): StatementSync => {
    const known = prepared.get(text);
    if (known) return known;
    const statement = sqlite.prepare(toSqlite(text));
    statement.setReadBigInts(true);
    prepared.set(text, statement);
    return statement;
  };

  const run = <R>({ sql, parameters }: CompiledQuery): QueryResult<R> => {
    const statement = statementOf(sql);
    const given = parameters.map(toStored);
    if (statement.columns().length > 0) return { rows: statement.all(...given).map((row) => toRow(row) as R) };
    return { rows: [], numAffectedRows: BigInt(statement.run(...given).changes) };
  };

  const connect: MemoryPostgres['connect'] = (link = (atServer) => atServer()) => {
    let isAbandoned = false;
    const open = new Set<Transaction>();

    const driver: Driver = {
      init: async () => undefined,
      acquireConnection: async () => connectionOf({ end: null, isBroken: false }),
      beginTransaction: (connection) =>
        link(async () => {
          const transaction = transactionOf(connection);
          const leave = await turn.take();
          if (isAbandoned) return leave();
          sqlite.exec('begin');
          open.add(transaction);
          transaction.end = (how) => {
            transaction.end = null;
            open.delete(transaction);
            sqlite.exec(how);
            leave();
          };
        }),
      commitTransaction: (connection) => link(async () => transactionOf(connection).end?.('commit')),
      // The server does so by itself when the connection is lost.
      rollbackTransaction: async (connection) => transactionOf(connection).end?.('rollback'),
      releaseConnection: async (connection) => transactionOf(connection).end?.('rollback'),
      destroy: async () => undefined,
    };

    const transactions = new WeakMap<DatabaseConnection, Transaction>();
    const transactionOf = (connection: DatabaseConnection): Transaction => {
      const transaction = transactions.get(connection);
      if (!transaction) throw new Error('not a connection of this pool');
      return transaction;
    };
    const connectionOf = (transaction: Transaction): DatabaseConnection => {
      const connection: DatabaseConnection = {
        executeQuery: <R>(query: CompiledQuery) =>
          link(async () => {
            if (transaction.isBroken) throw new Error('the transaction has ended');
            if (transaction.end) return run<R>(query);
            const leave = await turn.take();
            try {
              return run<R>(query);
            } finally {
              leave();
            }
          }),
        streamQuery: () => {
          throw new Error('nothing is streamed');
        },
      };
      transactions.set(connection, transaction);
      return connection;
    };

    const dialect = {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => driver,
      createQueryCompiler: () => new PostgresQueryCompiler(),
      createIntrospector: () => {
        throw new Error('nothing is introspected');
      },
    };
    return {
      db: new Kysely<Tables>({ dialect }),
      abandon: () => {
        isAbandoned = true;
        for (const transaction of [...open]) {
          // What is still under way must not be taken for a statement of its own.
          transaction.isBroken = true;
          transaction.end?.('rollback');
        }
      },
    };
  };

  await prepareSchema(connect().db, 'memory');
  return { connect, close: () => sqlite.close() };
};

/** `end` is there while a transaction is open. */
type Transaction = { end: ((how: 'commit' | 'rollback') => void) | null; isBroken: boolean };

/** Lets one in after another, in the order of their coming. */
const createTurn = () => {
  const waiting: (() => void)[] = [];
  let isTaken = false;
  const leave = (): void => {
    const next = waiting.shift();
    if (next) next();
    else isTaken = false;
  };
  return {
    take: async (): Promise<() => void> => {
      if (isTaken) await new Promise<void>((resolve) => waiting.push(resolve));
      isTaken = true;
      return leave;
    },
  };
};

const toStored = (value: unknown): SQLInputValue => {
  if (value instanceof Date) return BigInt(value.getTime());
  if (typeof value === 'boolean') return value ? 1n : 0n;
  if (typeof value === 'number' && Number.isInteger(value)) return BigInt(value);
  if (Array.isArray(value)) return JSON.stringify(value.map((item) => (typeof item === 'bigint' ? `${item}` : item)));
  return value as SQLInputValue;
};

/** As the driver of the real server gives them. */
const toRow = (row: Readonly<Record<string, unknown>>): object =>
  Object.fromEntries(
    Object.entries(row).map(([name, value]) => {
      if (name === 'state') return [name, inJsonbOrder(JSON.parse(String(value)))];
      if (name === 'updatedAt') return [name, new Date(String(value))];
      if (name === 'updatedAtText') return ['updatedAt', value];
      return [name, name === 'attempt' ? Number(value) : value];
    }),
  );

/** `jsonb` keeps no order of keys: shorter ones come first. */
const inJsonbOrder = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(inJsonbOrder);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, held]) => [key, inJsonbOrder(held)] as const);
  return Object.fromEntries(entries.sort(([a], [b]) => a.length - b.length || (a < b ? -1 : 1)));
};
