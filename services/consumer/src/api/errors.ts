import { status } from '@grpc/grpc-js';
import type { MomentRejection } from '@privatelink/shared/app/moment';
import { momentErrors } from '@privatelink/shared/grpc/as-of';
import type { ErrorCatalogue } from '@privatelink/shared/grpc/status';
import type { EndpointRejection } from '../endpoint/endpoint.rejections.ts';
import type { GatewayEndpointRejection } from '../gateway-endpoint/gateway-endpoint.ts';
import type { VpcRejection } from '../vpc/vpc.rejections.ts';

const WITHOUT_IPV6: Readonly<Record<string, string>> = { VPC: 'VPC', VSWITCH: 'vSwitch', ENDPOINT: 'endpoint' };

type Rejection = VpcRejection | EndpointRejection | GatewayEndpointRejection | MomentRejection;

/** Every reason of this service. Reasons, codes and messages are public API. */
export const errors = {
  ...momentErrors,
  VPC_NOT_FOUND: { code: status.NOT_FOUND, message: () => 'there is no such VPC' },
  VSWITCH_NOT_FOUND: {
    code: status.NOT_FOUND,
    message: ({ vswitch_id: id }) => `there is no vSwitch ${id} in the VPC`,
  },
  SECURITY_GROUP_NOT_FOUND: {
    code: status.NOT_FOUND,
    message: ({ security_group_id: id }) => `there is no security group ${id} in the VPC`,
  },
  ROUTE_TABLE_NOT_FOUND: {
    code: status.NOT_FOUND,
    message: ({ route_table_id: id }) => `there is no route table ${id} in the VPC`,
  },
  CIDR_INVALID: { code: status.INVALID_ARGUMENT, message: ({ cidr, why }) => `${cidr} is not usable: ${why}` },
  CIDR_OUTSIDE_VPC: {
    code: status.INVALID_ARGUMENT,
    message: ({ cidr, vpc_cidr: vpc }) => `${cidr} is not inside the VPC's ${vpc}`,
  },
  CIDR_OVERLAPS: {
    code: status.FAILED_PRECONDITION,
    message: ({ cidr, vswitch_id: id }) => `${cidr} overlaps the vSwitch ${id}`,
  },
  PORT_RANGE_INVALID: { code: status.INVALID_ARGUMENT, message: () => 'the last port is below the first' },
  VPC_IN_USE: { code: status.FAILED_PRECONDITION, message: ({ used_by: by }) => `the VPC is in use by ${by}` },
  VSWITCH_IN_USE: { code: status.FAILED_PRECONDITION, message: ({ used_by: by }) => `the vSwitch is in use by ${by}` },
  SECURITY_GROUP_IN_USE: {
    code: status.FAILED_PRECONDITION,
    message: ({ used_by: by }) => `the security group is in use by ${by}`,
  },
  ROUTE_TABLE_IN_USE: {
    code: status.FAILED_PRECONDITION,
    message: ({ used_by: by }) => `the route table has routes to ${by}`,
  },
  ROUTE_ALREADY_EXISTS: {
    code: status.ALREADY_EXISTS,
    message: ({ destination_cidr: cidr, next_hop: hop }) => `the route table leads to ${cidr} by ${hop} already`,
  },
  ROUTE_IN_USE: {
    code: status.FAILED_PRECONDITION,
    message: ({ next_hop: hop }) => `the route is that of ${hop}: delete that instead`,
  },
  ROUTE_TABLE_REQUIRED: { code: status.INVALID_ARGUMENT, message: () => 'at least one route table is required' },
  ZONE_REQUIRED: { code: status.INVALID_ARGUMENT, message: () => 'at least one zone is required' },
  ZONE_DUPLICATE: { code: status.INVALID_ARGUMENT, message: ({ zone_id: zone }) => `zone ${zone} is given twice` },
  ZONE_VSWITCH_MISMATCH: {
    code: status.INVALID_ARGUMENT,
    message: ({ vswitch_id: id, vswitch_zone_id: zone }) => `the vSwitch ${id} is in zone ${zone}`,
  },
  ZONE_REGION_MISMATCH: {
    code: status.FAILED_PRECONDITION,
    message: ({ zone_id: zone, zone_region: given, required }) =>
      `zone ${zone} is in the region ${given}, and the VPC in ${required}`,
  },
  SECURITY_GROUP_REQUIRED: {
    code: status.INVALID_ARGUMENT,
    message: () => 'at least one security group is required',
  },
  TARGET_REQUIRED: { code: status.INVALID_ARGUMENT, message: () => 'a REVERSE endpoint needs at least one target' },
  TARGET_DUPLICATE: {
    code: status.INVALID_ARGUMENT,
    message: ({ target }) => `the target ${target} is given twice`,
  },
  TARGET_OUTSIDE_VPC: {
    code: status.INVALID_ARGUMENT,
    message: ({ target, vpc_cidr: vpc }) => `the target ${target} is not inside the VPC's ${vpc}`,
  },
  DUAL_STACK_UNAVAILABLE: {
    code: status.FAILED_PRECONDITION,
    message: ({ missing }) => `the ${WITHOUT_IPV6[missing ?? '']} has no IPv6`,
  },
  ADDRESS_TYPE_IRREVERSIBLE: {
    code: status.FAILED_PRECONDITION,
    message: () => 'an endpoint that is dual stack stays so',
  },
  REQUESTED_ADDRESS_UNAVAILABLE: {
    code: status.FAILED_PRECONDITION,
    message: ({ ipv4_address: v4, ipv6_address: v6, why }) => `${v4 ?? v6} cannot be given: ${why}`,
  },
  ADDRESS_EXHAUSTED: {
    code: status.RESOURCE_EXHAUSTED,
    message: ({ vswitch_id: id }) => `the vSwitch ${id} has no free address`,
  },
  QUOTA_EXCEEDED: {
    code: status.RESOURCE_EXHAUSTED,
    message: ({ quota, limit }) => `the quota of ${limit} ${quota} is used up`,
  },
  ENDPOINT_NOT_FOUND: { code: status.NOT_FOUND, message: () => 'there is no such endpoint' },
  GATEWAY_ENDPOINT_NOT_FOUND: { code: status.NOT_FOUND, message: () => 'there is no such gateway endpoint' },
  ENDPOINT_CREATION_ABANDONED: {
    code: status.ABORTED,
    message: () => 'the creation took too long and was undone: ask again with another request id',
  },
  ENDPOINT_CHANGE_ABANDONED: {
    code: status.ABORTED,
    message: () => 'the change took too long and was undone: ask again with another request id',
  },
  ENDPOINT_NOT_ACTIVE: {
    code: status.FAILED_PRECONDITION,
    message: ({ status: is }) => `the endpoint is ${is}: it can be changed while it is ACTIVE or CHANGING`,
  },
  ENDPOINT_PROTECTED: {
    code: status.FAILED_PRECONDITION,
    message: () => 'the endpoint is protected: only who created it may change or delete it',
  },
  ENDPOINT_LOCKED: {
    code: status.FAILED_PRECONDITION,
    message: ({ message, business_status: status }) => {
      const why = status === 'FINANCIAL_LOCKED' ? 'a payment for the endpoint is overdue' : 'an operator locked it';
      return `${why}${message ? `: ${message}` : ''}; it can only be read and deleted`;
    },
  },
  ENDPOINT_TYPE_MISMATCH: {
    code: status.FAILED_PRECONDITION,
    message: ({ required, given }) => `this needs an endpoint of type ${required}, not ${given}`,
  },
  ENDPOINT_IS_NEXT_HOP: {
    code: status.FAILED_PRECONDITION,
    message: ({ used_by: by }) => `the endpoint is the next hop of ${by}: remove these routes, or force`,
  },
  ENDPOINT_DELETION_PENDING: {
    code: status.FAILED_PRECONDITION,
    message: ({ endpoint_id: id }) => `a deletion of the endpoint ${id} was asked for and is not settled: try again`,
  },
  PAYER_MISMATCH: {
    code: status.FAILED_PRECONDITION,
    message: ({ payer, expected }) => `the payer of the service is ${payer}, not ${expected}`,
  },
  ZONE_COUNT: {
    code: status.FAILED_PRECONDITION,
    message: ({ endpoint_type: type, required }) => `a ${type} endpoint has exactly ${required} zone`,
  },
  ZONE_ALREADY_ADDED: {
    code: status.ALREADY_EXISTS,
    message: ({ zone_id: zone, vswitch_id: id, ipv4_address: address }) =>
      `the endpoint is in zone ${zone} already: with ${address} in the vSwitch ${id}`,
  },
  ZONE_BEING_REMOVED: {
    code: status.FAILED_PRECONDITION,
    message: ({ zone_id: zone }) => `the endpoint's zone ${zone} is being removed: add it again once it is gone`,
  },
  LAST_ZONE: {
    code: status.FAILED_PRECONDITION,
    message: ({ zone_id: zone }) => `zone ${zone} is the endpoint's last one: delete the endpoint instead`,
  },
  LAST_ENABLED_ZONE: {
    code: status.FAILED_PRECONDITION,
    message: ({ zone_id: zone }) => `zone ${zone} is the last one that the provider has on`,
  },
  LAST_SECURITY_GROUP: {
    code: status.FAILED_PRECONDITION,
    message: ({ security_group_id: id }) => `${id} is the endpoint's last security group`,
  },
  CUSTOM_DOMAIN_IN_USE: {
    code: status.ALREADY_EXISTS,
    message: ({ domain_name: name, endpoint_id: id }) => `the endpoint ${id} of the VPC has the name ${name}`,
  },
  CUSTOM_DOMAIN_NOT_VERIFIED: {
    code: status.FAILED_PRECONDITION,
    message: ({ service_id: id }) => `the service ${id} has no custom domain that is verified`,
  },
  ENDPOINT_NOT_DELETING: {
    code: status.FAILED_PRECONDITION,
    message: ({ status: is }) => `the endpoint is ${is}`,
  },
} satisfies Record<Rejection, ErrorCatalogue[string]>;
