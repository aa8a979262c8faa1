import type { FactTranslation } from '@privatelink/shared/facts/public-fact';
import { toGatewayEndpoint } from '../api/gateway-endpoint-mapping.ts';
import type { GatewayEndpoint } from '../gateway-endpoint/gateway-endpoint.ts';

/** What leaves this service on NATS of a gateway endpoint. */
export const gatewayEndpointFacts: FactTranslation<GatewayEndpoint> = {
  service: 'consumer',
  entity: 'gatewayEndpoint',
  accountOf: (gateway) => gateway.accountId,
  resourceOf: (gateway, revision) => ({ $case: 'gatewayEndpoint', value: toGatewayEndpoint(gateway, revision) }),
};
