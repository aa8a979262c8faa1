import type { FactTranslation } from '@privatelink/shared/facts/public-fact';
import { toEndpoint } from '../api/endpoint-mapping.ts';
import type { Endpoint } from '../endpoint/endpoint.ts';

/** What leaves this service on NATS. The connection's status is the broker's to announce. */
export const endpointFacts = (dnsSuffix: string): FactTranslation<Endpoint> => ({
  service: 'consumer',
  entity: 'endpoint',
  accountOf: (endpoint) => endpoint.accountId,
  resourceOf: (endpoint, revision) => ({
    $case: 'endpoint',
    value: toEndpoint(endpoint, revision, { connection: undefined, stale: false }, dnsSuffix),
  }),
});
