import type { Repository } from '@privatelink/shared/app/repository';
import type { Endpoint, EndpointCommand, EndpointEvent } from './endpoint/endpoint.ts';
import type {
  GatewayEndpoint,
  GatewayEndpointCommand,
  GatewayEndpointEvent,
} from './gateway-endpoint/gateway-endpoint.ts';
import type { Vpc, VpcCommand, VpcEvent } from './vpc/vpc.ts';

/** The aggregates of this service. */
export type Repositories = Readonly<{
  vpcs: Repository<VpcCommand, VpcEvent, Vpc>;
  endpoints: Repository<EndpointCommand, EndpointEvent, Endpoint>;
  gateways: Repository<GatewayEndpointCommand, GatewayEndpointEvent, GatewayEndpoint>;
}>;
