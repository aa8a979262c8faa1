import { isIP, isIPv4 } from 'node:net';
import { AddressType, EndpointType, Payer } from '@privatelink/proto/common/v1/common';
import { ResourceType } from '@privatelink/proto/provider/v1/endpoint_service';
import type {
  AddServiceUserRequest,
  CreateEndpointServiceRequest,
  ResourceSpec,
} from '@privatelink/proto/provider/v1/provider_service';
import { checkBandwidth } from '@privatelink/shared/grpc/bandwidth';
import { enumName } from '@privatelink/shared/grpc/enums';
import { checkTags } from '@privatelink/shared/grpc/tags';
import {
  checkEnum,
  checkId,
  checkName,
  checkRequestId,
  checkText,
  isAccountId,
  type Violations,
  violations,
} from '@privatelink/shared/grpc/validate';
import type { ServiceResource, UserTerms } from '../endpoint-service/endpoint-service.ts';

const MAX_DESCRIPTION = 256;
const MAX_MESSAGE = 256;
const MAX_TARGETS = 100;
const MAX_TTL_SECONDS = 3_650n * 86_400n;

export type Mutation = Readonly<{ requestId: string; serviceId: string }>;

/** What every request on one service is checked for. */
export const checkMutation = (request: Mutation, further: (v: Violations) => void = () => undefined): void => {
  const v = violations();
  checkRequestId(v, request.requestId);
  checkId(v, 'service_id', request.serviceId, 'epsrv');
  further(v);
  v.throwIfAny();
};

export const checkDescription = (v: Violations, description: string): boolean =>
  checkText(v, 'description', description, MAX_DESCRIPTION);

export const checkMessage = (v: Violations, message: string): boolean => checkText(v, 'message', message, MAX_MESSAGE);

export const checkServiceUser = (v: Violations, accountId: string): boolean =>
  v.check('account_id', accountId === '*' || isAccountId(accountId), 'must be 16 digits or *');

type Terms = Pick<AddServiceUserRequest, 'autoAccept' | 'maxConnections' | 'approvalTtl'>;

export const checkTerms = (v: Violations, { approvalTtl }: Terms): void => {
  if (!approvalTtl) return;
  const isWhole = approvalTtl.nanos >= 0 && approvalTtl.nanos < 1_000_000_000 && approvalTtl.nanos % 1_000_000 === 0;
  const { seconds } = approvalTtl;
  const isWithin = seconds >= 1n && seconds < MAX_TTL_SECONDS;
  v.check('approval_ttl', isWhole && isWithin, 'must be whole milliseconds, at least 1 second and below 3650 days');
};

export const toTerms = ({ autoAccept, maxConnections, approvalTtl }: Terms): UserTerms => ({
  autoAccept: autoAccept ?? null,
  maxConnections: maxConnections ?? null,
  approvalTtlMs: approvalTtl ? Number(approvalTtl.seconds) * 1_000 + approvalTtl.nanos / 1_000_000 : null,
});

export const checkCreate = (request: CreateEndpointServiceRequest, zones: readonly string[]): void => {
  const v = violations();
  checkRequestId(v, request.requestId);
  checkEnum(v, 'service_type', request.serviceType);
  checkEnum(v, 'payer', request.payer);
  checkEnum(v, 'address_type', request.addressType);
  checkDescription(v, request.description);
  checkTags(v, 'tags', request.tags);
  checkBandwidth(v, 'connect_bandwidth', request.connectBandwidth);
  for (const [index, resource] of request.resources.entries()) checkResource(v, `resources[${index}]`, resource, zones);
  v.throwIfAny();
};

export const checkResource = (
  v: Violations,
  field: string,
  resource: ResourceSpec | undefined,
  zones: readonly string[],
): void => {
  if (!resource) {
    v.check(field, false, 'is required');
    return;
  }
  checkName(v, `${field}.resource_id`, resource.resourceId);
  checkZone(v, `${field}.zone_id`, resource.zoneId, zones);
  v.check(`${field}.resource_type`, enumName(ResourceType, resource.resourceType) !== undefined, 'is required');
  if (resource.vpcId !== '') checkId(v, `${field}.vpc_id`, resource.vpcId, 'vpc');
  const { targets } = resource;
  if (resource.resourceType === ResourceType.EGRESS_SOURCE) {
    checkEgressSource(v, field, resource);
    return;
  }
  v.check(`${field}.targets`, targets.length >= 1 && targets.length <= MAX_TARGETS, 'must be 1 to 100');
  for (const [index, { ip, port }] of targets.slice(0, MAX_TARGETS).entries()) {
    v.check(`${field}.targets[${index}].ip`, isIP(ip) !== 0, 'must be an IPv4 or IPv6 address');
    v.check(`${field}.targets[${index}].port`, port >= 1 && port <= 65_535, 'must be 1 to 65535');
  }
};

/** It has an address and no ports: those are given to the targets that are reached from it. */
const checkEgressSource = (v: Violations, field: string, { targets, proxyProtocol }: ResourceSpec): void => {
  v.check(`${field}.targets`, targets.length === 1, 'must be the one address of the egress source');
  v.check(`${field}.targets[0].ip`, isIPv4(targets[0]?.ip ?? ''), 'must be an IPv4 address');
  v.check(`${field}.targets[0].port`, targets[0]?.port === 0, 'must be 0: ports are given to targets');
  v.check(`${field}.proxy_protocol`, !proxyProtocol, 'is of load balancers');
};

export const checkZone = (v: Violations, field: string, zoneId: string, zones: readonly string[]): boolean =>
  v.check(field, zones.includes(zoneId), `must be one of ${zones.join(', ')}`);

export const toResource = (spec: ResourceSpec): ServiceResource => ({
  resourceId: spec.resourceId,
  resourceType: enumName(ResourceType, spec.resourceType) ?? 'NLB',
  zoneId: spec.zoneId,
  targets: spec.targets.map(({ ip, port }) => ({ ip, port })),
  autoAllocated: true,
  vpcId: spec.vpcId,
  proxyProtocol: spec.proxyProtocol,
});

export const toServiceType = (type: EndpointType) => enumName(EndpointType, type) ?? 'INTERFACE';

export const toAddressType = (type: AddressType) => enumName(AddressType, type) ?? 'IPV4';

export const toPayer = (payer: Payer) => enumName(Payer, payer) ?? 'ENDPOINT';
