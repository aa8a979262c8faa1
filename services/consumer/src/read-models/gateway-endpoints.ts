import { EndpointStatus } from '@privatelink/proto/consumer/v1/endpoint';
import { type Fields, tagEntries } from '@privatelink/shared/filter/fields';
import { enumNames } from '@privatelink/shared/grpc/enums';
import { aggregateReadModel } from '@privatelink/shared/postgres/aggregate-read-model';
import { gatewayEndpointCodec } from '../gateway-endpoint/gateway-endpoint.codec.ts';
import { gatewayEndpoint } from '../gateway-endpoint/gateway-endpoint.ts';

/** All gateway endpoints that exist. */
export const gatewayEndpoints = aggregateReadModel({
  name: 'gateway_endpoints',
  decider: gatewayEndpoint,
  codec: gatewayEndpointCodec,
  exists: ({ status }) => status !== 'GONE' && status !== 'ABANDONED',
  columns: {
    account_id: { type: 'text', of: (state) => state.accountId, indexed: true },
    vpc_id: { type: 'text', of: (state) => state.vpcId, indexed: true },
    status: { type: 'text', of: (state) => state.status },
    route_table_ids: { type: 'text[]', of: (state) => state.routeTableIds },
    service_name: { type: 'text', of: (state) => state.serviceName },
    tags: { type: 'text[]', of: (state) => tagEntries(state.tags) },
    create_time: { type: 'timestamptz', of: (state) => state.createdAt },
    update_time: { type: 'timestamptz', of: (state) => state.updatedAt },
  },
});

/** What a list may be filtered and sorted by: all of it is the owner's. */
export const gatewayEndpointFields: Fields<keyof (typeof gatewayEndpoints)['columns']> = {
  gateway_endpoint_id: { column: 'key', type: 'text', ordered: true },
  account_id: { column: 'account_id', type: 'text', ordered: true },
  status: { column: 'status', type: 'text', values: enumNames(EndpointStatus), ordered: true },
  vpc_id: { column: 'vpc_id', type: 'text', ordered: true },
  route_table_ids: { column: 'route_table_ids', type: 'list' },
  service_name: { column: 'service_name', type: 'text', ordered: true },
  tags: { column: 'tags', type: 'tags' },
  create_time: { column: 'create_time', type: 'time', ordered: true },
  update_time: { column: 'update_time', type: 'time', ordered: true },
};
