import { AddressType, BusinessStatus, EndpointType, Payer } from '@privatelink/proto/common/v1/common';
import { type EndpointService, EndpointServiceStatus } from '@privatelink/proto/provider/v1/endpoint_service';
import type { Fields } from '@privatelink/shared/filter/fields';
import { enumNames } from '@privatelink/shared/grpc/enums';
import { defineForeignTable } from '@privatelink/shared/postgres/foreign-table';
import { gone, type JsonOf, type Kept, named, text, time } from './kept.ts';

type ServiceJson = JsonOf<EndpointService>;

const of = { text: text<ServiceJson>, named: named<ServiceJson>, time: time<ServiceJson> };

/** Endpoint services of all accounts, as the provider service announced them. */
export const endpointServices = defineForeignTable({
  source: 'provider',
  noun: 'endpoint_service',
  columns: {
    gone,
    account_id: of.text('accountId', true),
    service_name: of.text('serviceName', true),
    service_type: of.named('serviceType', 'ENDPOINT_TYPE_'),
    status: of.named('status', 'ENDPOINT_SERVICE_STATUS_'),
    business_status: of.named('businessStatus', 'BUSINESS_STATUS_'),
    payer: of.named('payer', 'PAYER_'),
    address_type: of.named('addressType', 'ADDRESS_TYPE_'),
    auto_accept: { type: 'boolean', of: ({ resource }: Kept<ServiceJson>) => resource.autoAccept },
    zone_ids: { type: 'text[]', of: ({ resource }: Kept<ServiceJson>) => resource.zoneIds },
    create_time: of.time('createTime'),
    update_time: of.time('updateTime'),
  },
});

export const endpointServiceFields: Fields<keyof (typeof endpointServices)['columns']> = {
  service_id: { column: 'key', type: 'text', ordered: true },
  service_name: { column: 'service_name', type: 'text', ordered: true },
  account_id: { column: 'account_id', type: 'text', ordered: true },
  service_type: { column: 'service_type', type: 'text', values: enumNames(EndpointType) },
  status: { column: 'status', type: 'text', values: enumNames(EndpointServiceStatus), ordered: true },
  business_status: { column: 'business_status', type: 'text', values: enumNames(BusinessStatus) },
  payer: { column: 'payer', type: 'text', values: enumNames(Payer) },
  address_type: { column: 'address_type', type: 'text', values: enumNames(AddressType) },
  auto_accept: { column: 'auto_accept', type: 'boolean' },
  zone_ids: { column: 'zone_ids', type: 'list' },
  create_time: { column: 'create_time', type: 'time', ordered: true },
  update_time: { column: 'update_time', type: 'time', ordered: true },
};
