import { Connection } from '@privatelink/proto/broker/v1/connection';
import { defineForeignTable } from '@privatelink/shared/postgres/foreign-table';

/** Connections as the broker announced them, in protobuf's JSON: shown where the broker does not answer, and in lists. */
export const brokerConnections = defineForeignTable<unknown>({ source: 'broker', noun: 'connection', columns: {} });

export const readConnection = (state: unknown): Connection => Connection.fromJSON(state);

export const writeConnection = (connection: Connection): unknown => Connection.toJSON(connection);
