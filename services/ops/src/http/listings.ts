import type { Clock } from '@privatelink/shared/eventing/ports';
import type { Fields } from '@privatelink/shared/filter/fields';
import type { Condition } from '@privatelink/shared/postgres/condition';
import type { Db } from '@privatelink/shared/postgres/connect';
import { type ForeignTable, getAllForeign } from '@privatelink/shared/postgres/foreign-table';
import type { Row } from '@privatelink/shared/postgres/row-table';
import {
  type ConnectionJson,
  connectionFields,
  connections,
  isInTransition,
  STUCK_AFTER_MS,
} from '../read-models/connections.ts';
import { endpointServiceFields, endpointServices } from '../read-models/endpoint-services.ts';
import { type EndpointJson, endpointFields, endpoints } from '../read-models/endpoints.ts';
import type { Kept } from '../read-models/kept.ts';
import type { Scope } from '../views/caller-view.ts';
import { connectionFor, sideOf } from '../views/connection-view.ts';

export type ListingDeps = Readonly<{ db: Db; clock: Clock }>;

/** A message of the contract in protobuf's JSON. */
export type Shown = Readonly<Record<string, unknown>>;

/** A list of resources: what it is asked by, and what of each row a caller is shown. */
export type Listing<C extends string = string> = Readonly<{
  path: string;
  summary: string;
  /** Whoever may call this RPC may list here. */
  rpc: string;
  table: ForeignTable<Kept<never>, C>;
  fields: Fields<C>;
  /** What all ids begin with: a search for what begins so looks at ids alone, which are found by how they begin. */
  idPrefix: string;
  /** Columns that a search looks for the whole of. */
  searched: readonly C[];
  ofAccount: (accountId: string) => Condition<C>;
  show: (deps: ListingDeps, rows: readonly Row<Kept<never>>[], scope: Scope) => Promise<readonly Shown[]>;
  /** Fields of a row in a table of text. */
  csv: readonly string[];
}>;

const equals = <C extends string>(column: C, to: string): Condition<C> => ({ is: 'compared', column, by: '=', to });

/** It was announced at the moment of its last fact; it may have got stuck since. */
const asOfNow = (connection: ConnectionJson, now: Date): ConnectionJson => ({
  ...connection,
  stuck: isInTransition(connection) && now.getTime() - Date.parse(connection.statusTime ?? '') > STUCK_AFTER_MS,
});

/** Whoever may call it sees the facts of what it lists. */
export const connectionList = 'privatelink.broker.v1.BrokerService/ListConnections';

const connectionListing: Listing<keyof (typeof connections)['columns']> = {
  path: 'connections',
  summary: 'Connections, each as `privatelink.broker.v1.Connection`',
  rpc: connectionList,
  table: connections,
  fields: connectionFields,
  idPrefix: 'ep-',
  searched: ['service_id', 'service_name', 'endpoint_account_id', 'service_account_id', 'vpc_id'],
  ofAccount: (value) => ({ is: 'containing', column: 'account_ids', value }),
  show: async ({ clock }, rows, scope) =>
    rows.map(({ state }) => {
      const connection = asOfNow(state.resource, clock.now());
      return connectionFor(connection, sideOf(connection, scope));
    }),
  csv: [
    ...['connectionId', 'status', 'decision', 'holds', 'serviceId', 'serviceName', 'endpointAccountId'],
    ...['serviceAccountId', 'vpcId', 'endpointType', 'payer', 'generation', 'degraded', 'stuck', 'createTime'],
    'statusTime',
  ],
};

const endpointListing: Listing<keyof (typeof endpoints)['columns']> = {
  path: 'endpoints',
  summary: 'Endpoints with the status of their connections, each as `privatelink.consumer.v1.Endpoint`',
  rpc: 'privatelink.consumer.v1.ConsumerService/ListEndpoints',
  table: endpoints,
  fields: endpointFields,
  idPrefix: 'ep-',
  searched: ['account_id', 'service_id', 'service_name', 'vpc_id'],
  ofAccount: (accountId) => equals('account_id', accountId),
  show: async ({ db }, rows, scope) => {
    const found = await getAllForeign(
      db,
      connections,
      rows.map(({ key }) => key),
    );
    const connectionOf = new Map(found.map(({ key, state }) => [key, state.resource]));
    return rows.map(({ key, state }) => {
      const connection = connectionOf.get(key);
      return connection
        ? withConnection(state.resource, connectionFor(connection, sideOf(connection, scope)))
        : state.resource;
    });
  },
  csv: [
    ...['endpointId', 'status', 'connectionStatus', 'usable', 'businessStatus', 'accountId', 'serviceId'],
    ...['serviceName', 'vpcId', 'endpointType', 'addressType', 'createTime', 'updateTime'],
  ],
};

const withConnection = (endpoint: EndpointJson, { status, holds }: ConnectionJson) => ({
  ...endpoint,
  connectionStatus: status,
  holds,
  usable: endpoint.status === 'ENDPOINT_STATUS_ACTIVE' && status === 'CONNECTION_STATUS_CONNECTED',
});

const serviceListing: Listing<keyof (typeof endpointServices)['columns']> = {
  path: 'endpoint-services',
  summary: 'Endpoint services, each as `privatelink.provider.v1.EndpointService`',
  rpc: 'privatelink.provider.v1.ProviderService/ListEndpointServices',
  table: endpointServices,
  fields: endpointServiceFields,
  idPrefix: 'epsrv-',
  searched: ['account_id', 'service_name'],
  ofAccount: (accountId) => equals('account_id', accountId),
  show: async (_deps, rows) => rows.map(({ state }) => state.resource),
  csv: [
    ...['serviceId', 'serviceName', 'status', 'businessStatus', 'accountId', 'serviceType', 'autoAccept', 'payer'],
    ...['addressType', 'zoneIds', 'createTime', 'updateTime'],
  ],
};

export const listings = [connectionListing, endpointListing, serviceListing] as readonly Listing[];
