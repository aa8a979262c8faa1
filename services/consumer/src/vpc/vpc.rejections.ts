import { Rejected } from '@privatelink/shared/eventing/rejected';

export type VpcRejection =
  | 'VPC_NOT_FOUND'
  | 'VSWITCH_NOT_FOUND'
  | 'SECURITY_GROUP_NOT_FOUND'
  | 'ROUTE_TABLE_NOT_FOUND'
  | 'CIDR_INVALID'
  | 'CIDR_OUTSIDE_VPC'
  | 'CIDR_OVERLAPS'
  | 'PORT_RANGE_INVALID'
  | 'VPC_IN_USE'
  | 'VSWITCH_IN_USE'
  | 'SECURITY_GROUP_IN_USE'
  | 'ROUTE_TABLE_IN_USE'
  | 'ROUTE_ALREADY_EXISTS'
  | 'ROUTE_IN_USE'
  | 'ROUTE_TABLE_REQUIRED'
  | 'ZONE_REQUIRED'
  | 'ZONE_DUPLICATE'
  | 'ZONE_VSWITCH_MISMATCH'
  | 'ZONE_REGION_MISMATCH'
  | 'SECURITY_GROUP_REQUIRED'
  | 'TARGET_REQUIRED'
  | 'TARGET_DUPLICATE'
  | 'TARGET_OUTSIDE_VPC'
  | 'DUAL_STACK_UNAVAILABLE'
  | 'REQUESTED_ADDRESS_UNAVAILABLE'
  | 'ADDRESS_EXHAUSTED'
  | 'CUSTOM_DOMAIN_IN_USE'
  | 'ENDPOINT_NOT_FOUND'
  | 'ENDPOINT_DELETION_PENDING'
  | 'ENDPOINT_TYPE_MISMATCH'
  | 'ENDPOINT_IS_NEXT_HOP'
  | 'QUOTA_EXCEEDED';

export const reject = (reason: VpcRejection, facts: Record<string, string>) => new Rejected(reason, facts);

const MAX_NAMED = 10;

export const usedBy = (users: readonly string[]) => ({
  used_by: users.slice(0, MAX_NAMED).join(','),
  used_by_count: String(users.length),
});

/** @param field of the request, when the request alone is beyond the limit */
export const exceeded = (quota: string, limit: number, current: number, field?: string) =>
  reject('QUOTA_EXCEEDED', { quota, limit: String(limit), current: String(current), ...(field && { field }) });

export const typeMismatch = (required: string, given: string, field: string) =>
  reject('ENDPOINT_TYPE_MISMATCH', { required, given, field });
