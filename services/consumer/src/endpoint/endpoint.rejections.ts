import { Rejected } from '@privatelink/shared/eventing/rejected';

export type EndpointRejection =
  | 'ENDPOINT_NOT_FOUND'
  | 'ENDPOINT_CREATION_ABANDONED'
  | 'ENDPOINT_CHANGE_ABANDONED'
  | 'ENDPOINT_NOT_DELETING'
  | 'ENDPOINT_NOT_ACTIVE'
  | 'ENDPOINT_PROTECTED'
  | 'ENDPOINT_LOCKED'
  | 'ENDPOINT_TYPE_MISMATCH'
  | 'PAYER_MISMATCH'
  | 'ZONE_COUNT'
  | 'ZONE_ALREADY_ADDED'
  | 'ZONE_BEING_REMOVED'
  | 'LAST_ZONE'
  | 'LAST_ENABLED_ZONE'
  | 'LAST_SECURITY_GROUP'
  | 'TARGET_REQUIRED'
  | 'ADDRESS_TYPE_IRREVERSIBLE'
  | 'CUSTOM_DOMAIN_NOT_VERIFIED'
  | 'QUOTA_EXCEEDED';

export const reject = (reason: EndpointRejection, facts: Record<string, string>) => new Rejected(reason, facts);

export const notFound = () => reject('ENDPOINT_NOT_FOUND', { field: 'endpoint_id' });

export const noVerifiedDomain = (serviceId: string) =>
  reject('CUSTOM_DOMAIN_NOT_VERIFIED', { service_id: serviceId, field: 'custom_domain_enabled' });
