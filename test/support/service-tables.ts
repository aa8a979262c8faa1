import { setTimeout as delay } from 'node:timers/promises';
import type { RunFile } from '@privatelink/embedded/run-file';
import type { ServiceName } from '@privatelink/embedded/service-names';
import pg from 'pg';
import { connections } from '../../services/connection-broker/src/read-models/connections.ts';
import { schemaName } from '../../services/ops/src/read-models/schema.ts';

/** What a service keeps in PostgreSQL besides its read models. */
export type ServiceTables = Readonly<{
  /** Resolves once everything up to this position is done with. */
  reaches: (service: ServiceName, checkpoint: string, position: bigint) => Promise<void>;
  /** Who holds a lease, and for which time. */
  lease: (service: ServiceName, name: string) => Promise<Readonly<{ holder: string; epoch: bigint }>>;
  /** The revisions that the consumer service has of connections, by id. */
  foreignRevisions: () => Promise<ReadonlyMap<string, bigint>>;
  /** Those that the operators' service has. */
  opsRevisions: () => Promise<ReadonlyMap<string, bigint>>;
  /** How many readings there are of what has gone through a connection. */
  trafficRows: (connectionId: string) => Promise<number>;
  /** Breaks a row of the broker's connections, as a bug or a hand might. */
  spoil: (connectionId: string) => Promise<void>;
  /** Looks again until it is so. */
  until: (condition: () => Promise<boolean>, what: string) => Promise<void>;
  close: () => Promise<void>;
}>;

const PATIENCE_MS = 25_000;
const LOOK_EVERY_MS = 25;

export const openServiceTables = (run: Pick<RunFile, 'postgres'>): ServiceTables => {
  const pool = new pg.Pool({ connectionString: run.postgres.url, max: 2 });
  // A server that went away is a failure of the next query, not of the process.
  pool.on('error', () => undefined);
  const query = async <R extends object>(text: string, values: unknown[] = []): Promise<readonly R[]> =>
    (await pool.query(text, values)).rows as R[];
  const until: ServiceTables['until'] = async (condition, what) => {
    const giveUpAt = performance.now() + PATIENCE_MS;
    while (!(await condition())) {
      if (performance.now() > giveUpAt) throw new Error(`not so within ${PATIENCE_MS} ms: ${what}`);
      await delay(LOOK_EVERY_MS);
    }
  };
  const revisionsIn = async (schema: string): Promise<ReadonlyMap<string, bigint>> => {
    const rows = await query<{ key: string; revision: string }>(
      `select key, revision from ${schema}.foreign_broker_connection`,
    );
    return new Map(rows.map(({ key, revision }) => [key, BigInt(revision)]));
  };
  return {
    until,
    reaches: (service, checkpoint, position) =>
      until(async () => {
        const sql = `select position from ${service}.checkpoint where name = $1`;
        const [row] = await query<{ position: string }>(sql, [checkpoint]);
        return BigInt(row?.position ?? -1) >= position;
      }, `${checkpoint} of ${service} at ${position}`),
    lease: async (service, name) => {
      const sql = `select holder, epoch from ${service}.lease where name = $1`;
      const [row] = await query<{ holder: string; epoch: string }>(sql, [name]);
      return { holder: row?.holder ?? '', epoch: BigInt(row?.epoch ?? 0) };
    },
    foreignRevisions: () => revisionsIn('consumer'),
    opsRevisions: () => revisionsIn(schemaName),
    trafficRows: async (connectionId) =>
      (await query('select from broker.traffic where connection_id = $1', [connectionId])).length,
    spoil: async (connectionId) => {
      await query(
        `update broker.${connections.table} set state = jsonb_set(state, '{status}', '"DISCONNECTED"') where key = $1`,
        [connectionId],
      );
    },
    close: () => pool.end(),
  };
};
