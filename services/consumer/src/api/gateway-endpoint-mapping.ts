import { EndpointStatus } from '@privatelink/proto/consumer/v1/endpoint';
import type { GatewayEndpoint as GatewayEndpointMessage } from '@privatelink/proto/consumer/v1/gateway_endpoint';
import { timestamp } from '@privatelink/shared/grpc/timestamp';
import type { GatewayEndpoint } from '../gateway-endpoint/gateway-endpoint.ts';

export const toGatewayEndpoint = (gateway: GatewayEndpoint, revision: bigint): GatewayEndpointMessage => ({
  gatewayEndpointId: gateway.gatewayEndpointId,
  accountId: gateway.accountId,
  status: toStatus(gateway.status),
  vpcId: gateway.vpcId,
  routeTableIds: [...gateway.routeTableIds],
  serviceName: gateway.serviceName,
  policy: gateway.policy,
  tags: [...gateway.tags],
  createTime: timestamp(gateway.createdAt),
  updateTime: timestamp(gateway.updatedAt),
  revision,
});

/** One that is gone is only ever shown as being deleted. */
const toStatus = (status: GatewayEndpoint['status']): EndpointStatus => {
  if (status === null || status === 'ABANDONED') return EndpointStatus.UNSPECIFIED;
  return EndpointStatus[status === 'GONE' ? 'DELETING' : status];
};
