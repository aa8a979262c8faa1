import type { Relation } from '@privatelink/shared/grpc/access';
import { type EndpointService, mayConnect } from '../endpoint-service/endpoint-service.ts';
import { endpointsOf, type ServiceAdmissions } from '../service-admissions/service-admissions.ts';

/** What lets an account that is not its owner see a service: it may connect, or has an endpoint on it. */
export const usersRelations = (
  service: EndpointService,
  ledger: ServiceAdmissions,
  accountId: string,
): readonly Relation[] => [
  ...(mayConnect(service, accountId) ? (['listed'] as const) : []),
  ...(endpointsOf(ledger, accountId).length > 0 ? (['counterpart'] as const) : []),
];
