import { isIPv4 } from 'node:net';
import { AddressType, EndpointType, type Tags } from '@privatelink/proto/common/v1/common';
import type { CreateEndpointRequest, ZoneSpec } from '@privatelink/proto/consumer/v1/consumer_service';
import { type SecurityGroupRule as RuleMessage, SecurityGroupPolicy } from '@privatelink/proto/consumer/v1/network';
import { allZones, type Region } from '@privatelink/shared/app/regions';
import { enumName } from '@privatelink/shared/grpc/enums';
import { checkTags, toTags } from '@privatelink/shared/grpc/tags';
import {
  checkEnum,
  checkId,
  checkRequestId,
  checkText,
  MAX_ZONES,
  type Violations,
  violations,
} from '@privatelink/shared/grpc/validate';
import { readPolicy } from '../policy/read-policy.ts';
import { formatAddress, parseAddress, parseCidr } from '../vpc/cidr.ts';
import type { SecurityGroupRule, Tag } from '../vpc/vpc.ts';

export const MAX_DESCRIPTION = 256;
const MAX_SERVICE = 253;
const MAX_SECURITY_GROUPS = 10;
const MAX_TARGETS = 20;
const MAX_RULES = 200;

export const check = (requestId: string, further: (v: Violations) => void = () => undefined): void => {
  const v = violations();
  checkRequestId(v, requestId);
  further(v);
  v.throwIfAny();
};

/** Labels of what is registered. */
export const checkLabels = (v: Violations, tags: Tags | undefined): void => checkTags(v, 'tags.tags', tags?.tags ?? []);

export const labelsOf = (tags: Tags | undefined): readonly Tag[] => toTags(tags?.tags ?? []);

export const checkZone = (v: Violations, field: string, zoneId: string, zones: readonly string[]): boolean =>
  v.check(field, zones.includes(zoneId), `must be one of ${zones.join(', ')}`);

export const checkRegion = (v: Violations, field: string, regionId: string, regions: readonly Region[]): boolean => {
  const ids = regions.map((region) => region.regionId);
  return v.check(field, ids.includes(regionId), `must be one of ${ids.join(', ')}`);
};

export const checkCreateEndpoint = (request: CreateEndpointRequest, regions: readonly Region[]): void =>
  check(request.requestId, (v) => {
    const { service, securityGroupIds } = request;
    v.check('service', service.length >= 1 && service.length <= MAX_SERVICE, 'must be a service name or a service id');
    checkEnum(v, 'endpoint_type', request.endpointType);
    checkEnum(v, 'address_type', request.addressType);
    checkId(v, 'vpc_id', request.vpcId, 'vpc');
    if (request.serviceRegion !== undefined) checkRegion(v, 'service_region', request.serviceRegion, regions);
    checkText(v, 'description', request.description, MAX_DESCRIPTION);
    v.check('zones', request.zones.length >= 1 && request.zones.length <= MAX_ZONES, `must be 1 to ${MAX_ZONES}`);
    for (const [index, zone] of request.zones.slice(0, MAX_ZONES).entries()) {
      checkZoneSpec(v, `zones[${index}]`, zone, allZones(regions));
    }
    // How few there may be depends on the type: the VPC's ledger says.
    const isFew = securityGroupIds.length <= MAX_SECURITY_GROUPS;
    v.check('security_group_ids', isFew, `must be at most ${MAX_SECURITY_GROUPS}`);
    for (const [index, id] of securityGroupIds.slice(0, MAX_SECURITY_GROUPS).entries()) {
      checkId(v, `security_group_ids[${index}]`, id, 'sg');
    }
    const { targets } = request;
    v.check('targets', targets.length <= MAX_TARGETS, `must be at most ${MAX_TARGETS}`);
    for (const [index, { ip, port }] of targets.slice(0, MAX_TARGETS).entries()) {
      v.check(`targets[${index}].ip`, isIPv4(ip), 'must be an IPv4 address');
      v.check(`targets[${index}].port`, port >= 1 && port <= 65_535, 'must be 1 to 65535');
    }
    checkTags(v, 'tags', request.tags);
    checkEnum(v, 'expected_payer', request.expectedPayer);
    checkPolicy(v, request.policy);
  });

/** A zone may be given by its vSwitch alone. */
export const checkZoneSpec = (v: Violations, path: string, zone: ZoneSpec, zones: readonly string[]): void => {
  checkId(v, `${path}.vswitch_id`, zone.vswitchId, 'vsw');
  if (zone.zoneId !== '') checkZone(v, `${path}.zone_id`, zone.zoneId, zones);
};

/** Each fault at its JSON path. */
export const checkPolicy = (v: Violations, policy: string): void => {
  if (policy === '') return;
  for (const { path, description } of readPolicy(policy).faults) v.check(path, false, description);
};

/** Of a policy that was checked; empty for the one that allows everything. */
export const canonicalPolicy = (policy: string): string => {
  if (policy === '') return '';
  const read = readPolicy(policy);
  if (!read.policy) throw new Error('a policy was not checked');
  return read.canonical;
};

export const checkRules = (v: Violations, rules: readonly RuleMessage[]): void => {
  v.check('rules', rules.length <= MAX_RULES, 'must be at most 200');
  for (const [index, rule] of rules.slice(0, MAX_RULES).entries()) {
    const at = (field: string): string => `rules[${index}].${field}`;
    checkEnum(v, at('policy'), rule.policy);
    v.check(at('protocol'), isProtocol(rule.protocol), 'must be tcp, udp or all');
    v.check(at('from_port'), rule.fromPort <= 65_535, 'must be 0 to 65535');
    v.check(at('to_port'), rule.toPort <= 65_535 && rule.toPort >= rule.fromPort, 'must be from_port to 65535');
    v.check(at('priority'), rule.priority >= 1 && rule.priority <= 100, 'must be 1 to 100');
    const family = rule.sourceCidr.includes(':') ? 6 : 4;
    v.check(at('source_cidr'), typeof parseCidr(rule.sourceCidr, family) !== 'string', 'must be an IP range');
  }
};

const isProtocol = (protocol: string): protocol is SecurityGroupRule['protocol'] =>
  protocol === 'tcp' || protocol === 'udp' || protocol === 'all';

export const toRule = ({ policy, protocol, ...rule }: RuleMessage): SecurityGroupRule => ({
  ...rule,
  policy: enumName(SecurityGroupPolicy, policy) ?? 'ALLOW',
  protocol: isProtocol(protocol) ? protocol : 'all',
});

/** IPv6 in the one form that the ledger knows; what is none stays as it is said. */
export const requestedAddresses = ({ ipv4Address, ipv6Address }: ZoneSpec) => {
  const parsed = parseAddress(ipv6Address);
  const requestedIpv6 = parsed?.family === 6 ? formatAddress(6, parsed.value) : ipv6Address;
  return { requestedIpv4: ipv4Address, requestedIpv6 };
};

export const toAddressType = (type: AddressType) => enumName(AddressType, type) ?? 'IPV4';

export const toEndpointType = (type: EndpointType) => enumName(EndpointType, type) ?? 'INTERFACE';
