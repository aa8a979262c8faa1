import { AddressType, EndpointType } from '@privatelink/proto/common/v1/common';
import { EndpointStatus } from '@privatelink/proto/consumer/v1/endpoint';
import { type Fields, tagEntries } from '@privatelink/shared/filter/fields';
import { enumNames } from '@privatelink/shared/grpc/enums';
import { aggregateReadModel } from '@privatelink/shared/postgres/aggregate-read-model';
import { endpointCodec } from '../endpoint/endpoint.codec.ts';
import { endpoint } from '../endpoint/endpoint.decide.ts';

/** All endpoints that exist. */
export const endpoints = aggregateReadModel({
  name: 'endpoints',
  decider: endpoint,
  codec: endpointCodec,
  exists: ({ status }) => status !== 'GONE' && status !== 'ABANDONED',
  columns: {
    account_id: { type: 'text', of: (state) => state.accountId, indexed: true },
    service_id: { type: 'text', of: (state) => state.admission.serviceId, indexed: true },
    status: { type: 'text', of: (state) => state.status },
    endpoint_type: { type: 'text', of: (state) => state.endpointType },
    service_name: { type: 'text', of: (state) => state.admission.serviceName },
    vpc_id: { type: 'text', of: (state) => state.vpcId },
    region_id: { type: 'text', of: (state) => state.regionId },
    service_region: { type: 'text', of: (state) => state.admission.serviceRegion },
    zone_ids: { type: 'text[]', of: (state) => state.zones.map(({ zoneId }) => zoneId) },
    security_group_ids: { type: 'text[]', of: (state) => state.securityGroupIds },
    address_type: { type: 'text', of: (state) => state.addressType },
    description: { type: 'text', of: (state) => state.description },
    protected: { type: 'boolean', of: (state) => state.protected },
    tags: { type: 'text[]', of: (state) => tagEntries(state.tags) },
    create_time: { type: 'timestamptz', of: (state) => state.createdAt },
    update_time: { type: 'timestamptz', of: (state) => state.updatedAt },
  },
  edition: 2,
});

/** What a list may be filtered and sorted by: all of it is the owner's. */
export const endpointFields: Fields<keyof (typeof endpoints)['columns']> = {
  endpoint_id: { column: 'key', type: 'text', ordered: true },
  account_id: { column: 'account_id', type: 'text', ordered: true },
  endpoint_type: { column: 'endpoint_type', type: 'text', values: enumNames(EndpointType) },
  status: { column: 'status', type: 'text', values: enumNames(EndpointStatus), ordered: true },
  service_id: { column: 'service_id', type: 'text', ordered: true },
  service_name: { column: 'service_name', type: 'text', ordered: true },
  vpc_id: { column: 'vpc_id', type: 'text', ordered: true },
  region_id: { column: 'region_id', type: 'text', ordered: true },
  service_region: { column: 'service_region', type: 'text', ordered: true },
  zone_ids: { column: 'zone_ids', type: 'list' },
  security_group_ids: { column: 'security_group_ids', type: 'list' },
  address_type: { column: 'address_type', type: 'text', values: enumNames(AddressType) },
  description: { column: 'description', type: 'text' },
  protected: { column: 'protected', type: 'boolean' },
  tags: { column: 'tags', type: 'tags' },
  create_time: { column: 'create_time', type: 'time', ordered: true },
  update_time: { column: 'update_time', type: 'time', ordered: true },
};
