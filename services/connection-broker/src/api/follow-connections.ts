import { idOfStream, streamName } from '@privatelink/shared/eventing/decider';
import type { EventStore } from '@privatelink/shared/eventing/ports';
import type { Db } from '@privatelink/shared/postgres/connect';
import { readPosition } from '@privatelink/shared/postgres/read-position';
import { queryRows, type RowQuery } from '@privatelink/shared/postgres/row-table';
import { TRACEPARENT } from '@privatelink/shared/telemetry/trace';
import type { Connection } from '../connection/connection.ts';
import { connections as table } from '../read-models/connections.ts';
import type { Repositories } from '../repositories.ts';

export type FollowDeps = Readonly<{ store: EventStore; db: Db }>;

type Where = NonNullable<RowQuery<keyof (typeof table)['columns']>['where']>;

export type Followed =
  | Readonly<{
      kind: 'connection';
      id: string;
      state: Connection;
      revision: bigint;
      position: bigint;
      /** Of what changed it, where that was traced. */
      traceparent: string;
    }>
  /** Everything has been told as it was at this position. */
  | Readonly<{ kind: 'synced'; position: bigint }>;

export type FollowOptions = Readonly<{
  where: Where;
  /** Only this connection. */
  id?: string | undefined;
  signal: AbortSignal;
}>;

const PAGE = 200;

/**
 * Connections as they are, and from then on each that changes, in order for each connection. What is told after
 * `synced` is of any connection: `where` does not apply to it.
 */
export async function* followConnections(
  { store, db }: FollowDeps,
  repository: Repositories['connections'],
  { where, id, signal }: FollowOptions,
): AsyncIterable<Followed> {
  const told = new Map<string, bigint>();
  const from = await readPosition(db, table);
  let last: string | undefined;
  for (;;) {
    const page = { where, limit: PAGE, ...(id ? { key: id } : {}), ...(last ? { after: last } : {}) };
    const rows = await queryRows(db, table, page);
    for (const { key, state, revision } of rows) {
      told.set(key, revision);
      yield { kind: 'connection', id: key, state, revision, position: 0n, traceparent: '' };
    }
    last = rows.at(-1)?.key;
    if (rows.length < PAGE) break;
  }
  yield { kind: 'synced', position: from ?? 0n };
  const prefix = id ? streamName('connection', id) : 'connection-';
  for await (const message of store.subscribe({ prefixes: [prefix], after: from, signal })) {
    if (message.kind !== 'event') continue;
    const { stream, revision: at, position, metadata } = message.event;
    const traceparent = metadata[TRACEPARENT] ?? '';
    const changed = idOfStream(stream);
    if ((told.get(changed) ?? -1n) >= at) continue;
    const { state, revision } = await repository.fold(changed, at);
    told.set(changed, revision ?? at);
    yield { kind: 'connection', id: changed, state, revision: revision ?? at, position, traceparent };
  }
}
