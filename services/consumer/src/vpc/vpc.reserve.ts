import { assignableRange, type Cidr, formatAddress, hasAddress, type IpFamily, parseAddress } from './cidr.ts';
import type { ConsumerQuotas } from './quotas.ts';
import { exceeded, reject, typeMismatch } from './vpc.rejections.ts';
import {
  byZone,
  entryOf,
  heldAddresses,
  type Ipv6Addresses,
  type RequestedZone,
  type Reservation,
  type ReservedZone,
  registeredCidr,
  restingAt,
  type Vpc,
  type VpcCommand,
} from './vpc.ts';

type Request = Extract<VpcCommand, { type: 'ReserveEndpoint' }>['data'];

type Placed = RequestedZone &
  Readonly<{
    vswitch: Vpc['vswitches'][string];
    /** Where the request says this of the zone. */
    fieldOf: (name: string) => string;
  }>;

/** The addresses that cannot be given out now. */
type Unavailable = Readonly<{ held: ReadonlySet<string>; resting: Readonly<Record<string, string>> }>;

/** Everything that an endpoint needs of its VPC; or a rejection, and nothing of it. */
export const reserve = (ledger: Vpc, request: Request, now: string, quotas: ConsumerQuotas) => {
  const { endpointId, endpointType, serviceId, customDomains, dualStack } = request;
  const current = Object.keys(ledger.reservations).length;
  const { endpointsPerVpc, zonesPerEndpoint } = quotas;
  if (current >= endpointsPerVpc) throw exceeded('endpoints per VPC', endpointsPerVpc, current);
  if (request.zones.length === 0) throw reject('ZONE_REQUIRED', { field: 'zones' });
  if (request.zones.length > zonesPerEndpoint) {
    throw exceeded('zones per endpoint', zonesPerEndpoint, request.zones.length, 'zones');
  }
  const placed = request.zones.map((zone, index) => placeZone(ledger, zone, (name) => `zones[${index}].${name}`));
  checkDistinct(placed);
  const securityGroupIds = checkSecurityGroups(ledger, request, quotas);
  checkTargets(ledger, request);
  requireFree(ledger, endpointId, customDomains?.domainNames ?? []);
  const zones = assign(ledger, placed, dualStack, now);
  return { endpointId, endpointType, serviceId, zones: zones.toSorted(byZone), securityGroupIds, customDomains };
};

/** A name leads to one endpoint of the VPC. One that is more specific than a wildcard is another name. */
export const requireFree = (ledger: Vpc, endpointId: string, domainNames: readonly string[]): void => {
  for (const [holder, { customDomains }] of Object.entries(ledger.reservations)) {
    if (holder === endpointId) continue;
    const taken = Object.values(customDomains)
      .flat()
      .find((name) => domainNames.includes(name));
    if (taken === undefined) continue;
    const facts = { domain_name: taken, endpoint_id: holder, field: 'custom_domain_enabled' };
    throw reject('CUSTOM_DOMAIN_IN_USE', facts);
  }
};

/** One zone more, or a rejection. Which zones an endpoint has is its own to decide: here is only what it takes up. */
export const reserveZone = (
  ledger: Vpc,
  reservation: Reservation,
  requested: RequestedZone,
  dualStack: boolean,
  now: string,
  { zonesPerEndpoint }: ConsumerQuotas,
): ReservedZone => {
  const current = reservation.zones.length;
  if (current >= zonesPerEndpoint) throw exceeded('zones per endpoint', zonesPerEndpoint, current);
  const [zone] = assign(ledger, [placeZone(ledger, requested, (name) => `zone.${name}`)], dualStack, now);
  if (!zone) throw new Error('a zone was placed and not assigned');
  return zone;
};

/** An IPv6 address for each zone of an endpoint that has none. */
export const reserveIpv6 = (ledger: Vpc, reservation: Reservation, now: string): Ipv6Addresses => {
  // Its vSwitches are there as long as it is.
  const placed = reservation.zones.map((zone) => {
    return placeZone(ledger, { ...zone, requestedIpv4: '', requestedIpv6: '' }, () => 'address_type');
  });
  checkDualStack(ledger, placed, 'address_type');
  const { held, resting } = unavailableIn(ledger, now);
  const taken = new Set(held);
  return placed.map((zone) => {
    const ipv6 = addressFor(zone, 6, { held: taken, resting });
    taken.add(ipv6);
    return { eniId: zone.eniId, ipv6 };
  });
};

/** Addresses for all of them. */
const assign = (ledger: Vpc, placed: readonly Placed[], dualStack: boolean, now: string): readonly ReservedZone[] => {
  if (dualStack) checkDualStack(ledger, placed);
  const unavailable = unavailableIn(ledger, now);
  return placed.map((zone) => {
    const { zoneId, vswitchId, eniId } = zone;
    if (!dualStack && zone.requestedIpv6 !== '') throw unavailableAs(zone, 6, 'NOT_DUAL_STACK');
    const ipv4 = addressFor(zone, 4, unavailable);
    return { zoneId, vswitchId, eniId, ipv4, ipv6: dualStack ? addressFor(zone, 6, unavailable) : '' };
  });
};

const unavailableIn = (ledger: Vpc, now: string): Unavailable => ({
  held: heldAddresses(ledger),
  resting: restingAt(ledger, now),
});

const requestedOf = (zone: RequestedZone, family: IpFamily): string =>
  family === 4 ? zone.requestedIpv4 : zone.requestedIpv6;

const addressFor = (zone: Placed, family: IpFamily, unavailable: Unavailable): string =>
  requestedOf(zone, family) === '' ? choose(zone, family, unavailable) : checkRequested(zone, family, unavailable);

const placeZone = (ledger: Vpc, requested: RequestedZone, fieldOf: Placed['fieldOf']): Placed => {
  const { vswitchId } = requested;
  const vswitch = entryOf(ledger.vswitches, vswitchId);
  if (!vswitch) throw reject('VSWITCH_NOT_FOUND', { vswitch_id: vswitchId, field: fieldOf('vswitch_id') });
  const zoneId = requested.zoneId || vswitch.zoneId;
  if (zoneId !== vswitch.zoneId) {
    const facts = { zone_id: zoneId, vswitch_id: vswitchId, vswitch_zone_id: vswitch.zoneId };
    throw reject('ZONE_VSWITCH_MISMATCH', { ...facts, field: fieldOf('zone_id') });
  }
  return { ...requested, zoneId, vswitch, fieldOf };
};

const checkDistinct = (placed: readonly Placed[]): void => {
  const seen = new Set<string>();
  for (const { zoneId, fieldOf } of placed) {
    if (seen.has(zoneId)) throw reject('ZONE_DUPLICATE', { zone_id: zoneId, field: fieldOf('zone_id') });
    seen.add(zoneId);
  }
};

const checkSecurityGroups = (
  ledger: Vpc,
  { endpointType, securityGroupIds: requested }: Request,
  { securityGroupsPerEndpoint }: ConsumerQuotas,
): readonly string[] => {
  const field = 'security_group_ids';
  const ids = [...new Set(requested)];
  // What passes through is neither from nor for its interface: there is nothing to let in.
  if (endpointType === 'GATEWAY_LOAD_BALANCER') {
    if (ids.length > 0) throw typeMismatch('INTERFACE or REVERSE', endpointType, field);
    return ids;
  }
  if (ids.length === 0) throw reject('SECURITY_GROUP_REQUIRED', { field });
  if (ids.length > securityGroupsPerEndpoint) {
    throw exceeded('security groups per endpoint', securityGroupsPerEndpoint, ids.length, field);
  }
  const missing = ids.find((id) => !entryOf(ledger.securityGroups, id));
  if (missing !== undefined) {
    const path = `${field}[${requested.indexOf(missing)}]`;
    throw reject('SECURITY_GROUP_NOT_FOUND', { security_group_id: missing, field: path });
  }
  return ids;
};

/** Only a REVERSE endpoint has targets: addresses of its VPC, whoever has them. */
const checkTargets = (ledger: Vpc, { endpointType, targets }: Request): void => {
  if (endpointType !== 'REVERSE') {
    if (targets.length > 0) throw typeMismatch('REVERSE', endpointType, 'targets');
    return;
  }
  if (targets.length === 0) throw reject('TARGET_REQUIRED', { field: 'targets' });
  const inside = registeredCidr(ledger.ipv4Cidr, 4);
  const seen = new Set<string>();
  for (const [index, { ip, port }] of targets.entries()) {
    const facts = { target: `${ip}:${port}`, field: `targets[${index}].ip` };
    if (!hasAddress(inside, ip)) throw reject('TARGET_OUTSIDE_VPC', { ...facts, vpc_cidr: ledger.ipv4Cidr });
    if (seen.has(facts.target)) throw reject('TARGET_DUPLICATE', { ...facts, field: `targets[${index}]` });
    seen.add(facts.target);
  }
};

const checkDualStack = (ledger: Vpc, placed: readonly Placed[], field = 'vpc_id'): void => {
  if (ledger.ipv6Cidr === '') {
    throw reject('DUAL_STACK_UNAVAILABLE', { missing: 'VPC', vpc_id: ledger.vpcId, field });
  }
  const without = placed.find(({ vswitch }) => vswitch.ipv6Cidr === '');
  if (without) {
    const facts = { missing: 'VSWITCH', vswitch_id: without.vswitchId };
    throw reject('DUAL_STACK_UNAVAILABLE', { ...facts, field: without.fieldOf('vswitch_id') });
  }
};

const rangeOf = ({ vswitch }: Placed, family: IpFamily): Cidr =>
  registeredCidr(family === 4 ? vswitch.ipv4Cidr : vswitch.ipv6Cidr, family);

/** The lowest one, so that the same ledger always gives the same answer. */
const choose = (zone: Placed, family: IpFamily, { held, resting }: Unavailable): string => {
  const range = rangeOf(zone, family);
  const { first, last } = assignableRange(range);
  for (let value = first; value <= last; value++) {
    const address = formatAddress(family, value);
    if (!held.has(address) && !(address in resting)) return address;
  }
  const restingHere = Object.keys(resting).filter((address) => hasAddress(range, address)).length;
  const facts = { vswitch_id: zone.vswitchId, resting: String(restingHere) };
  throw reject('ADDRESS_EXHAUSTED', { ...facts, field: zone.fieldOf('vswitch_id') });
};

const unavailableAs = (zone: Placed, family: IpFamily, why: string, more: Record<string, string> = {}) =>
  reject('REQUESTED_ADDRESS_UNAVAILABLE', {
    ...{ vswitch_id: zone.vswitchId, [`ipv${family}_address`]: requestedOf(zone, family), why, ...more },
    field: zone.fieldOf(`ipv${family}_address`),
  });

const checkRequested = (zone: Placed, family: IpFamily, { held, resting }: Unavailable): string => {
  const requested = requestedOf(zone, family);
  const no = (why: string, more: Record<string, string> = {}) => unavailableAs(zone, family, why, more);
  const parsed = parseAddress(requested);
  if (parsed?.family !== family) throw no('MALFORMED');
  const range = rangeOf(zone, family);
  if (!hasAddress(range, requested)) throw no('OUTSIDE_VSWITCH');
  const { first, last } = assignableRange(range);
  if (parsed.value < first || parsed.value > last) throw no('RESERVED');
  if (held.has(requested)) throw no('IN_USE');
  const until = entryOf(resting, requested);
  if (until !== undefined) throw no('RESTING', { free_at: until });
  return requested;
};
