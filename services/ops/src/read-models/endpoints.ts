import { AddressType, BusinessStatus, EndpointType } from '@privatelink/proto/common/v1/common';
import { type Endpoint, EndpointStatus } from '@privatelink/proto/consumer/v1/endpoint';
import type { Fields } from '@privatelink/shared/filter/fields';
import { enumNames } from '@privatelink/shared/grpc/enums';
import { defineForeignTable } from '@privatelink/shared/postgres/foreign-table';
import { gone, type JsonOf, type Kept, named, text, time } from './kept.ts';

export type EndpointJson = JsonOf<Endpoint>;

const of = { text: text<EndpointJson>, named: named<EndpointJson>, time: time<EndpointJson> };

/** Endpoints of all accounts, as the consumer service announced them: without what the broker knows. */
export const endpoints = defineForeignTable({
  source: 'consumer',
  noun: 'endpoint',
  columns: {
    gone,
    account_id: of.text('accountId', true),
    service_id: of.text('serviceId', true),
    service_name: of.text('serviceName'),
    vpc_id: of.text('vpcId'),
    endpoint_type: of.named('endpointType', 'ENDPOINT_TYPE_'),
    status: of.named('status', 'ENDPOINT_STATUS_'),
    business_status: of.named('businessStatus', 'BUSINESS_STATUS_'),
    address_type: of.named('addressType', 'ADDRESS_TYPE_'),
    zone_ids: {
      type: 'text[]',
      of: ({ resource }: Kept<EndpointJson>) => resource.zones.map(({ zoneId }) => zoneId),
    },
    create_time: of.time('createTime'),
    update_time: of.time('updateTime'),
  },
});

export const endpointFields: Fields<keyof (typeof endpoints)['columns']> = {
  endpoint_id: { column: 'key', type: 'text', ordered: true },
  account_id: { column: 'account_id', type: 'text', ordered: true },
  endpoint_type: { column: 'endpoint_type', type: 'text', values: enumNames(EndpointType) },
  status: { column: 'status', type: 'text', values: enumNames(EndpointStatus), ordered: true },
  business_status: { column: 'business_status', type: 'text', values: enumNames(BusinessStatus) },
  service_id: { column: 'service_id', type: 'text', ordered: true },
  service_name: { column: 'service_name', type: 'text', ordered: true },
  vpc_id: { column: 'vpc_id', type: 'text', ordered: true },
  address_type: { column: 'address_type', type: 'text', values: enumNames(AddressType) },
  zone_ids: { column: 'zone_ids', type: 'list' },
  create_time: { column: 'create_time', type: 'time', ordered: true },
  update_time: { column: 'update_time', type: 'time', ordered: true },
};
