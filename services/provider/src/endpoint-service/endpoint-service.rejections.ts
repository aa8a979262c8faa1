import { Rejected } from '@privatelink/shared/eventing/rejected';
import { locksOf } from './endpoint-service.locks.ts';
import type { EndpointService } from './endpoint-service.ts';

export type EndpointServiceRejection =
  | 'ENDPOINT_SERVICE_NOT_FOUND'
  | 'ENDPOINT_SERVICE_CREATION_ABANDONED'
  | 'SERVICE_NOT_ACTIVE'
  | 'SERVICE_LOCKED'
  | 'ENDPOINT_SERVICE_OWNER_REQUIRED'
  | 'RESOURCE_NOT_FOUND'
  | 'RESOURCE_TYPE_MISMATCH'
  | 'RESOURCE_ALREADY_ATTACHED'
  | 'RESOURCE_DETACHING'
  | 'DUAL_STACK_UNAVAILABLE'
  | 'BANDWIDTH_UNSUPPORTED'
  | 'ADDRESS_TYPE_IRREVERSIBLE'
  | 'LAST_AUTO_ALLOCATED_RESOURCE'
  | 'SERVICE_TYPE_MISMATCH'
  | 'CUSTOM_DOMAIN_NOT_FOUND'
  | 'SUPPORTED_REGION_DELETING'
  | 'QUOTA_EXCEEDED';

export const reject = (reason: EndpointServiceRejection, facts: Record<string, string>) => new Rejected(reason, facts);

export const notActive = ({ serviceId, status }: EndpointService) =>
  reject('SERVICE_NOT_ACTIVE', { service_id: serviceId, status: String(status) });

/** @param current how many there are; or are asked for, where that alone is too many */
export const quota = (name: string, limit: number, current: number, field: string) =>
  reject('QUOTA_EXCEEDED', { quota: name, limit: String(limit), current: String(current), field });

/** Whether the owner may change anything but delete it. */
export const requireChangeable = (service: EndpointService): void => {
  if (service.status === 'DELETING') throw notActive(service);
  const [lock] = locksOf(service);
  if (lock) throw reject('SERVICE_LOCKED', { service_id: service.serviceId, business_status: lock.kind });
};
