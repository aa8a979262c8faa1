import { Decision, HoldReason, ConnectionStatus as Status } from '@privatelink/proto/broker/v1/connection';
import { EndpointType, Payer, TrafficControlMode } from '@privatelink/proto/common/v1/common';
import type { Clock } from '@privatelink/shared/eventing/ports';
import type { Fields } from '@privatelink/shared/filter/fields';
import { enumNames } from '@privatelink/shared/grpc/enums';
import { aggregateReadModel } from '@privatelink/shared/postgres/aggregate-read-model';
import type { Db } from '@privatelink/shared/postgres/connect';
import { waitForPosition } from '@privatelink/shared/postgres/read-position';
import { countRows, queryRows, type Row } from '@privatelink/shared/postgres/row-table';
import { connectionCodec } from '../connection/connection.codec.ts';
import { connection } from '../connection/connection.decide.ts';
import type { Connection } from '../connection/connection.ts';
import type { ConnectionStatus } from '../connection/connection-status.ts';
import { holdsOf } from '../connection/holds.ts';

/** All connections that exist. */
export const connections = aggregateReadModel({
  name: 'connections',
  decider: connection,
  codec: connectionCodec,
  exists: (state) => state.status !== 'GONE',
  // Also examined, so that the table is known to be complete up to a fact that is to be told.
  alsoExamined: ['facts-'],
  columns: {
    service_id: { type: 'text', of: (state) => state.serviceId, indexed: true },
    account_ids: { type: 'text[]', of: (state) => [state.endpointAccountId, state.serviceAccountId], indexed: true },
    payer_account_id: {
      type: 'text',
      of: (state) => (state.payer === 'ENDPOINT' ? state.endpointAccountId : state.serviceAccountId),
      indexed: true,
    },
    zone_ids: { type: 'text[]', of: (state) => Object.keys(state.zones), indexed: true },
    status: { type: 'text', of: (state) => state.status },
    teardown: { type: 'text', of: (state) => state.teardown },
    service_name: { type: 'text', of: (state) => state.serviceName },
    endpoint_account_id: { type: 'text', of: (state) => state.endpointAccountId },
    service_account_id: { type: 'text', of: (state) => state.serviceAccountId },
    endpoint_type: { type: 'text', of: (state) => state.endpointType },
    vpc_id: { type: 'text', of: (state) => state.vpcId },
    endpoint_region: { type: 'text', of: (state) => state.endpointRegion },
    service_region: { type: 'text', of: (state) => state.serviceRegion },
    payer: { type: 'text', of: (state) => state.payer },
    decision: { type: 'text', of: (state) => state.decision },
    traffic_control_mode: { type: 'text', of: ({ bandwidth }) => bandwidth?.mode ?? null },
    limit_mbps: { type: 'bigint', of: ({ bandwidth }) => (bandwidth?.limitMbps ? BigInt(bandwidth.limitMbps) : null) },
    hold_reasons: { type: 'text[]', of: (state) => holdsOf(state).map(({ reason }) => reason) },
    create_time: { type: 'timestamptz', of: (state) => state.createdAt },
    status_time: { type: 'timestamptz', of: (state) => state.statusAt },
  },
  edition: 3,
});

/** What a list may be filtered and sorted by: what both sides of a connection see. */
export const connectionFields: Fields<keyof (typeof connections)['columns']> = {
  connection_id: { column: 'key', type: 'text', ordered: true },
  service_id: { column: 'service_id', type: 'text', ordered: true },
  service_name: { column: 'service_name', type: 'text', ordered: true },
  endpoint_account_id: { column: 'endpoint_account_id', type: 'text', ordered: true },
  service_account_id: { column: 'service_account_id', type: 'text', ordered: true },
  endpoint_type: { column: 'endpoint_type', type: 'text', values: enumNames(EndpointType) },
  vpc_id: { column: 'vpc_id', type: 'text', ordered: true },
  endpoint_region: { column: 'endpoint_region', type: 'text', ordered: true },
  service_region: { column: 'service_region', type: 'text', ordered: true },
  payer: { column: 'payer', type: 'text', values: enumNames(Payer) },
  status: { column: 'status', type: 'text', values: enumNames(Status), ordered: true },
  decision: { column: 'decision', type: 'text', values: enumNames(Decision) },
  hold_reasons: { column: 'hold_reasons', type: 'list', values: enumNames(HoldReason) },
  zone_ids: { column: 'zone_ids', type: 'list' },
  traffic_control_mode: { column: 'traffic_control_mode', type: 'text', values: enumNames(TrafficControlMode) },
  limit_mbps: { column: 'limit_mbps', type: 'number' },
  create_time: { column: 'create_time', type: 'time', ordered: true },
  status_time: { column: 'status_time', type: 'time', ordered: true },
};

const UP: readonly ConnectionStatus[] = ['CONNECTING', 'CHANGING', 'CONNECTED', 'DISCONNECTING'];

/** What the processes ask of the table; they decide on nothing of it, but find by it whom to tell. */
export type ConnectionsQuery = Readonly<{
  waitFor: (position: bigint) => Promise<void>;
  /** Connections that a scope concerns, by id: an endpoint's own, a service's, or those an account pays for. */
  ofScope: (scope: string, after: string, limit: number) => Promise<readonly Row<Connection>[]>;
  /** Connections of a service that are up; of one region alone, or of all where that is null. */
  blockersOf: (
    serviceId: string,
    regionId: string | null,
    limit: number,
  ) => Promise<Readonly<{ rows: readonly Row<Connection>[]; count: number }>>;
  teardownOf: (serviceId: string, regionId: string | null) => Promise<Readonly<{ pending: number; total: number }>>;
}>;

const PATIENCE_MS = 20_000;

const ofService = (serviceId: string, regionId: string | null) => ({
  service_id: serviceId,
  ...(regionId === null ? {} : { endpoint_region: regionId }),
});

export const connectionsQuery = (db: Db, clock: Clock): ConnectionsQuery => ({
  waitFor: (position) =>
    waitForPosition({ db, readModel: connections, position, deadline: clock.now().getTime() + PATIENCE_MS, clock }),
  ofScope: (scope, after, limit) => {
    const page = { limit, ...(after === '' ? {} : { after }) };
    if (scope.startsWith('ep-')) return queryRows(db, connections, { ...page, key: scope });
    const where = scope.startsWith('epsrv-') ? { service_id: scope } : { payer_account_id: scope };
    return queryRows(db, connections, { ...page, where });
  },
  blockersOf: async (serviceId, regionId, limit) => {
    const where = { ...ofService(serviceId, regionId), status: UP };
    const [rows, count] = await Promise.all([
      queryRows(db, connections, { where, limit }),
      countRows(db, connections, where),
    ]);
    return { rows, count };
  },
  teardownOf: async (serviceId, regionId) => {
    const where = ofService(serviceId, regionId);
    const [total, done] = await Promise.all([
      countRows(db, connections, where),
      countRows(db, connections, { ...where, status: 'SERVICE_DELETED', teardown: 'DONE' }),
    ]);
    return { pending: total - done, total };
  },
});
