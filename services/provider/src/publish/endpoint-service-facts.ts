import type { FactTranslation } from '@privatelink/shared/facts/public-fact';
import { toEndpointService } from '../api/endpoint-service-mapping.ts';
import type { EndpointService } from '../endpoint-service/endpoint-service.ts';

/** What leaves this service on NATS. */
export const endpointServiceFacts: FactTranslation<EndpointService> = {
  service: 'provider',
  entity: 'endpointService',
  accountOf: (service) => service.accountId,
  resourceOf: (service, revision) => ({
    $case: 'endpointService',
    value: toEndpointService(service, revision, 'owner'),
  }),
};
