import {
  type Connection,
  Decision,
  HoldReason,
  ConnectionStatus as Status,
} from '@privatelink/proto/broker/v1/connection';
import { EndpointType, Payer } from '@privatelink/proto/common/v1/common';
import type { Fields } from '@privatelink/shared/filter/fields';
import { enumNames } from '@privatelink/shared/grpc/enums';
import { defineForeignTable } from '@privatelink/shared/postgres/foreign-table';
import { gone, type JsonOf, type Kept, named, shortName, text, time } from './kept.ts';

export type ConnectionJson = JsonOf<Connection>;

const of = { text: text<ConnectionJson>, named: named<ConnectionJson>, time: time<ConnectionJson> };

const IN_TRANSITION = /_(CONNECTING|CHANGING|DISCONNECTING|DELETING)$/;

/** As the broker calls a connection stuck. */
export const STUCK_AFTER_MS = 60_000;

/** Held until a payment; as an index has it. */
export const OVERDUE = "hold_reasons && '{ENDPOINT_PAYMENT_OVERDUE,SERVICE_PAYMENT_OVERDUE}'";

/** On its way to another status, or its forwarding to being closed. */
export const isInTransition = ({ status, teardown }: Pick<ConnectionJson, 'status' | 'teardown'>): boolean =>
  IN_TRANSITION.test(status) || teardown === 'TEARDOWN_PENDING';

/** Connections of all accounts, as the broker announced them. */
export const connections = defineForeignTable({
  source: 'broker',
  noun: 'connection',
  columns: {
    gone,
    service_id: of.text('serviceId', true),
    service_name: of.text('serviceName'),
    account_ids: {
      type: 'text[]',
      of: ({ resource }: Kept<ConnectionJson>) => [resource.endpointAccountId, resource.serviceAccountId],
      indexed: true,
    },
    endpoint_account_id: of.text('endpointAccountId'),
    service_account_id: of.text('serviceAccountId'),
    endpoint_type: of.named('endpointType', 'ENDPOINT_TYPE_'),
    vpc_id: of.text('vpcId'),
    payer: of.named('payer', 'PAYER_'),
    status: of.named('status', 'CONNECTION_STATUS_'),
    decision: of.named('decision', 'DECISION_'),
    hold_reasons: {
      type: 'text[]',
      of: ({ resource }: Kept<ConnectionJson>) => resource.holds.map(({ reason }) => shortName(reason, 'HOLD_REASON_')),
      indexed: true,
    },
    zone_ids: {
      type: 'text[]',
      of: ({ resource }: Kept<ConnectionJson>) => resource.zones.map(({ zoneId }) => zoneId),
    },
    degraded: { type: 'boolean', of: ({ resource }: Kept<ConnectionJson>) => resource.degraded },
    /** Stuck when it stays so. */
    in_transition: {
      type: 'boolean',
      of: ({ resource }: Kept<ConnectionJson>) => isInTransition(resource),
    },
    create_time: of.time('createTime'),
    status_time: of.time('statusTime'),
  },
});

export const connectionFields: Fields<keyof (typeof connections)['columns']> = {
  connection_id: { column: 'key', type: 'text', ordered: true },
  service_id: { column: 'service_id', type: 'text', ordered: true },
  service_name: { column: 'service_name', type: 'text', ordered: true },
  endpoint_account_id: { column: 'endpoint_account_id', type: 'text', ordered: true },
  service_account_id: { column: 'service_account_id', type: 'text', ordered: true },
  endpoint_type: { column: 'endpoint_type', type: 'text', values: enumNames(EndpointType) },
  vpc_id: { column: 'vpc_id', type: 'text', ordered: true },
  payer: { column: 'payer', type: 'text', values: enumNames(Payer) },
  status: { column: 'status', type: 'text', values: enumNames(Status), ordered: true },
  decision: { column: 'decision', type: 'text', values: enumNames(Decision) },
  hold_reasons: { column: 'hold_reasons', type: 'list', values: enumNames(HoldReason) },
  zone_ids: { column: 'zone_ids', type: 'list' },
  degraded: { column: 'degraded', type: 'boolean' },
  create_time: { column: 'create_time', type: 'time', ordered: true },
  status_time: { column: 'status_time', type: 'time', ordered: true },
};
