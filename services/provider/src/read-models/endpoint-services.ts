import { AddressType, BusinessStatus, EndpointType, Payer } from '@privatelink/proto/common/v1/common';
import { EndpointServiceStatus } from '@privatelink/proto/provider/v1/endpoint_service';
import { type Fields, tagEntries } from '@privatelink/shared/filter/fields';
import { enumNames } from '@privatelink/shared/grpc/enums';
import { aggregateReadModel } from '@privatelink/shared/postgres/aggregate-read-model';
import { endpointServiceCodec } from '../endpoint-service/endpoint-service.codec.ts';
import { endpointService } from '../endpoint-service/endpoint-service.decide.ts';
import { businessStatusOf } from '../endpoint-service/endpoint-service.locks.ts';
import { regionsIn } from '../endpoint-service/endpoint-service.regions.ts';
import { offeredZones } from '../endpoint-service/endpoint-service.ts';

/** All services that exist. */
export const endpointServices = aggregateReadModel({
  name: 'endpoint_services',
  decider: endpointService,
  codec: endpointServiceCodec,
  exists: (service) => service.status !== 'GONE',
  columns: {
    account_id: { type: 'text', of: (service) => service.accountId, indexed: true },
    /** Accounts that may connect, and `*` for all of them. */
    listed: { type: 'text[]', of: (service) => Object.keys(service.users), indexed: true },
    status: { type: 'text', of: (service) => service.status },
    service_name: { type: 'text', of: (service) => service.serviceName },
    service_type: { type: 'text', of: (service) => service.serviceType },
    business_status: { type: 'text', of: businessStatusOf },
    payer: { type: 'text', of: (service) => service.payer },
    address_type: { type: 'text', of: (service) => service.addressType },
    auto_accept: { type: 'boolean', of: (service) => service.autoAccept },
    zone_ids: { type: 'text[]', of: (service) => offeredZones(service) },
    /** Those that are available. */
    supported_regions: { type: 'text[]', of: (service) => regionsIn(service, 'AVAILABLE') },
    description: { type: 'text', of: (service) => service.description },
    tags: { type: 'text[]', of: (service) => tagEntries(service.tags) },
    create_time: { type: 'timestamptz', of: (service) => service.createdAt },
    update_time: { type: 'timestamptz', of: (service) => service.updatedAt },
  },
  edition: 4,
});

type Column = keyof (typeof endpointServices)['columns'];

/** What everybody may ask who sees a service. */
export const visibleServiceFields: Fields<Column> = {
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
  supported_regions: { column: 'supported_regions', type: 'list' },
  create_time: { column: 'create_time', type: 'time', ordered: true },
  update_time: { column: 'update_time', type: 'time', ordered: true },
};

/** What its owner may ask besides. */
export const ownServiceFields: Fields<Column> = {
  ...visibleServiceFields,
  description: { column: 'description', type: 'text' },
  tags: { column: 'tags', type: 'tags' },
};
