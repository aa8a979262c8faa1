import type { Decider } from '@privatelink/shared/eventing/decider';
import { assertNever } from '@privatelink/shared/eventing/never';
import { type Cidr, formatCidr, type IpFamily, isInside, overlaps, parseCidr } from './cidr.ts';
import { type ConsumerQuotas, consumerQuotas } from './quotas.ts';
import { evolve } from './vpc.evolve.ts';
import { exceeded, reject, usedBy } from './vpc.rejections.ts';
import { requireFree, reserve, reserveIpv6, reserveZone } from './vpc.reserve.ts';
import { decideRoute, removeRoutesTo, requireNoNextHop, reserveGateway } from './vpc.routes.ts';
import {
  entryOf,
  initialVpc,
  type Reservation,
  registeredCidr,
  type Vpc,
  type VpcCommand,
  type VpcEvent,
} from './vpc.ts';

// The model sets no limits for these two; without any the ledger, and so its snapshots, would grow without end.
const MAX_VSWITCHES = 200;
const MAX_SECURITY_GROUPS = 100;
const MAX_RULES = 200;

type Lengths = Readonly<{ min: number; max: number }>;
const VPC_IPV4: Lengths = { min: 8, max: 28 };
const VPC_IPV6: Lengths = { min: 48, max: 64 };
const VSWITCH_IPV4: Lengths = { min: 16, max: 29 };
const VSWITCH_IPV6: Lengths = { min: 64, max: 64 };

type Data<T extends VpcCommand['type']> = Extract<VpcCommand, { type: T }>['data'];

export const vpcBy = (quotas: ConsumerQuotas): Decider<VpcCommand, VpcEvent, Vpc> => ({
  category: 'vpc',
  initial: initialVpc,
  evolve,
  decide: (command, ledger, at) => {
    switch (command.type) {
      case 'RegisterVpc':
        if (ledger.accountId !== '') return [];
        return [{ type: 'VpcRegistered', data: { ...checkVpc(command.data), at } }];

      case 'RegisterVSwitch':
        requireRegistered(ledger);
        if (entryOf(ledger.vswitches, command.data.vswitchId)) return [];
        return [{ type: 'VSwitchRegistered', data: { ...checkVSwitch(ledger, command.data), at } }];

      case 'RegisterSecurityGroup':
        requireRegistered(ledger);
        if (entryOf(ledger.securityGroups, command.data.securityGroupId)) return [];
        return [{ type: 'SecurityGroupRegistered', data: { ...checkSecurityGroup(ledger, command.data), at } }];

      case 'DeregisterVSwitch': {
        requireRegistered(ledger);
        const { vswitchId } = command.data;
        if (!entryOf(ledger.vswitches, vswitchId)) return [];
        const users = endpointsWhere(ledger, ({ zones }) => zones.some((zone) => zone.vswitchId === vswitchId));
        if (users.length > 0) throw reject('VSWITCH_IN_USE', { vswitch_id: vswitchId, ...usedBy(users) });
        return [{ type: 'VSwitchDeregistered', data: { vswitchId, at } }];
      }

      case 'DeregisterSecurityGroup': {
        requireRegistered(ledger);
        const { securityGroupId } = command.data;
        if (!entryOf(ledger.securityGroups, securityGroupId)) return [];
        const users = endpointsWhere(ledger, ({ securityGroups }) =>
          Object.values(securityGroups).includes(securityGroupId),
        );
        if (users.length > 0) {
          throw reject('SECURITY_GROUP_IN_USE', { security_group_id: securityGroupId, ...usedBy(users) });
        }
        return [{ type: 'SecurityGroupDeregistered', data: { securityGroupId, at } }];
      }

      case 'RegisterRouteTable':
      case 'DeregisterRouteTable':
      case 'AddRoute':
      case 'RemoveRoute':
        requireRegistered(ledger);
        return decideRoute(command, ledger, at);

      case 'DeregisterVpc': {
        if (ledger.deregistered) return [];
        requireRegistered(ledger);
        const { reservations, vswitches, securityGroups, routeTables } = ledger;
        const users = [reservations, vswitches, securityGroups, routeTables].flatMap((record) =>
          Object.keys(record).sort(),
        );
        if (users.length > 0) throw reject('VPC_IN_USE', { vpc_id: ledger.vpcId, ...usedBy(users) });
        return [{ type: 'VpcDeregistered', data: { at } }];
      }

      case 'ReserveEndpoint':
        // An endpoint's id derives from its request: the same id is the same request again.
        if (entryOf(ledger.reservations, command.data.endpointId)) return [];
        requireRegistered(ledger);
        return [{ type: 'EndpointReserved', data: { ...reserve(ledger, command.data, at, quotas), at } }];

      case 'ReleaseReservation': {
        const { endpointId } = command.data;
        if (!entryOf(ledger.reservations, endpointId)) return [];
        return [...removeRoutesTo(ledger, endpointId, at), { type: 'ReservationReleased', data: { endpointId, at } }];
      }

      case 'ReserveZone': {
        const { endpointId, zone, dualStack } = command.data;
        const reservation = requireReservation(ledger, endpointId);
        if (reservation.zones.some(({ eniId }) => eniId === zone.eniId)) return [];
        const reserved = reserveZone(ledger, reservation, zone, dualStack, at, quotas);
        return [{ type: 'ZoneReserved', data: { endpointId, zone: reserved, at } }];
      }

      case 'ReserveSecurityGroup': {
        const { endpointId, securityGroupId, attachmentId } = command.data;
        const reservation = requireReservation(ledger, endpointId);
        if (entryOf(reservation.securityGroups, attachmentId)) return [];
        if (!entryOf(ledger.securityGroups, securityGroupId)) {
          const facts = { security_group_id: securityGroupId, field: 'security_group_id' };
          throw reject('SECURITY_GROUP_NOT_FOUND', facts);
        }
        return [{ type: 'SecurityGroupReserved', data: { endpointId, securityGroupId, attachmentId, at } }];
      }

      case 'ReserveCustomDomains': {
        const { endpointId, reservationId, domainNames } = command.data;
        const reservation = requireReservation(ledger, endpointId);
        if (entryOf(reservation.customDomains, reservationId)) return [];
        requireFree(ledger, endpointId, domainNames);
        return [{ type: 'CustomDomainsReserved', data: { ...command.data, at } }];
      }

      case 'ReserveIpv6': {
        const { endpointId, reservationId } = command.data;
        const reservation = requireReservation(ledger, endpointId);
        if (entryOf(reservation.ipv6, reservationId)) return [];
        const addresses = reserveIpv6(ledger, reservation, at);
        return [{ type: 'Ipv6Reserved', data: { ...command.data, addresses, at } }];
      }

      case 'ReleaseParts': {
        const { endpointId, partIds } = command.data;
        const reservation = entryOf(ledger.reservations, endpointId);
        return partIds.flatMap((id): VpcEvent[] => {
          if (reservation?.zones.some(({ eniId }) => eniId === id)) {
            return [{ type: 'ZoneReleased', data: { endpointId, eniId: id, at } }];
          }
          if (reservation?.closings.includes(id)) {
            return [{ type: 'NextHopReopened', data: { endpointId, closingId: id, at } }];
          }
          if (reservation && entryOf(reservation.customDomains, id)) {
            return [{ type: 'CustomDomainsReleased', data: { endpointId, reservationId: id, at } }];
          }
          if (reservation && entryOf(reservation.ipv6, id)) {
            return [{ type: 'Ipv6Released', data: { endpointId, reservationId: id, at } }];
          }
          if (!reservation || entryOf(reservation.securityGroups, id) === undefined) return [];
          return [{ type: 'SecurityGroupReleased', data: { endpointId, attachmentId: id, at } }];
        });
      }

      case 'CloseNextHop': {
        const { endpointId, closingId, force } = command.data;
        const { closings } = requireReservation(ledger, endpointId);
        if (closings.includes(closingId)) return [];
        if (!force) requireNoNextHop(ledger, endpointId);
        return [{ type: 'NextHopClosed', data: { endpointId, closingId, at } }];
      }

      case 'ReserveGatewayEndpoint':
        requireRegistered(ledger);
        if (entryOf(ledger.gatewayEndpoints, command.data.gatewayEndpointId) !== undefined) return [];
        return reserveGateway(ledger, command.data, at);

      case 'ReleaseGatewayEndpoint': {
        const { gatewayEndpointId } = command.data;
        if (entryOf(ledger.gatewayEndpoints, gatewayEndpointId) === undefined) return [];
        const released: VpcEvent = { type: 'GatewayEndpointReleased', data: { gatewayEndpointId, at } };
        return [...removeRoutesTo(ledger, gatewayEndpointId, at), released];
      }

      case 'RemoveRoutesTo':
        return removeRoutesTo(ledger, command.data.endpointId, at);

      default:
        return assertNever(command);
    }
  },
});

export const vpc = vpcBy(consumerQuotas);

/** A VPC that is gone answers like one that never was. */
const requireRegistered = (ledger: Vpc): void => {
  if (ledger.accountId === '' || ledger.deregistered) throw reject('VPC_NOT_FOUND', { field: 'vpc_id' });
};

/** Nothing is added for an endpoint whose reservation is released: it is gone. */
const requireReservation = (ledger: Vpc, endpointId: string): Reservation => {
  const reservation = entryOf(ledger.reservations, endpointId);
  if (!reservation) throw reject('ENDPOINT_NOT_FOUND', { field: 'endpoint_id' });
  return reservation;
};

const endpointsWhere = (ledger: Vpc, uses: (reservation: Vpc['reservations'][string]) => boolean): readonly string[] =>
  Object.entries(ledger.reservations)
    .filter(([, reservation]) => uses(reservation))
    .map(([endpointId]) => endpointId)
    .sort();

const checkCidr = (field: string, text: string, family: IpFamily, { min, max }: Lengths): Cidr => {
  const cidr = parseCidr(text, family);
  if (typeof cidr === 'string') throw reject('CIDR_INVALID', { field, cidr: text, why: cidr });
  if (cidr.prefix < min || cidr.prefix > max) {
    const facts = { why: 'PREFIX_LENGTH', min_prefix_length: String(min), max_prefix_length: String(max) };
    throw reject('CIDR_INVALID', { field, cidr: text, ...facts });
  }
  return cidr;
};

const checkVpc = (command: Data<'RegisterVpc'>): Data<'RegisterVpc'> => ({
  ...command,
  ipv4Cidr: formatCidr(checkCidr('ipv4_cidr', command.ipv4Cidr, 4, VPC_IPV4)),
  ipv6Cidr: command.ipv6Cidr && formatCidr(checkCidr('ipv6_cidr', command.ipv6Cidr, 6, VPC_IPV6)),
});

const checkVSwitch = (ledger: Vpc, { zoneRegion, ...command }: Data<'RegisterVSwitch'>) => {
  if (zoneRegion !== ledger.regionId) {
    const facts = { zone_id: command.zoneId, zone_region: zoneRegion, required: ledger.regionId, field: 'zone_id' };
    throw reject('ZONE_REGION_MISMATCH', facts);
  }
  const current = Object.keys(ledger.vswitches).length;
  if (current >= MAX_VSWITCHES) throw exceeded('vSwitches per VPC', MAX_VSWITCHES, current);
  const ipv4 = checkCidr('ipv4_cidr', command.ipv4Cidr, 4, VSWITCH_IPV4);
  checkPlace(ledger, 'ipv4Cidr', ipv4);
  if (command.ipv6Cidr === '') return { ...command, ipv4Cidr: formatCidr(ipv4) };
  const ipv6 = checkCidr('ipv6_cidr', command.ipv6Cidr, 6, VSWITCH_IPV6);
  checkPlace(ledger, 'ipv6Cidr', ipv6);
  return { ...command, ipv4Cidr: formatCidr(ipv4), ipv6Cidr: formatCidr(ipv6) };
};

/** A vSwitch's range is inside its VPC's and shares no address with another vSwitch's. */
const checkPlace = (ledger: Vpc, key: 'ipv4Cidr' | 'ipv6Cidr', cidr: Cidr): void => {
  const facts = { field: key === 'ipv4Cidr' ? 'ipv4_cidr' : 'ipv6_cidr', cidr: formatCidr(cidr) };
  const outer = ledger[key];
  if (outer === '' || !isInside(cidr, registeredCidr(outer, cidr.family))) {
    throw reject('CIDR_OUTSIDE_VPC', { ...facts, vpc_cidr: outer || 'none' });
  }
  for (const [vswitchId, vswitch] of Object.entries(ledger.vswitches)) {
    if (vswitch[key] !== '' && overlaps(cidr, registeredCidr(vswitch[key], cidr.family))) {
      throw reject('CIDR_OVERLAPS', { ...facts, vswitch_id: vswitchId, vswitch_cidr: vswitch[key] });
    }
  }
};

const checkSecurityGroup = (ledger: Vpc, command: Data<'RegisterSecurityGroup'>): Data<'RegisterSecurityGroup'> => {
  const current = Object.keys(ledger.securityGroups).length;
  if (current >= MAX_SECURITY_GROUPS) throw exceeded('security groups per VPC', MAX_SECURITY_GROUPS, current);
  if (command.rules.length > MAX_RULES) {
    throw exceeded('rules per security group', MAX_RULES, command.rules.length, 'rules');
  }
  const rules = command.rules.map((rule, index) => {
    const family = rule.sourceCidr.includes(':') ? 6 : 4;
    const source = checkCidr(`rules[${index}].source_cidr`, rule.sourceCidr, family, { min: 0, max: 128 });
    if (rule.fromPort > rule.toPort) {
      const ports = { from_port: String(rule.fromPort), to_port: String(rule.toPort) };
      throw reject('PORT_RANGE_INVALID', { field: `rules[${index}].to_port`, ...ports });
    }
    return { ...rule, sourceCidr: formatCidr(source) };
  });
  return { ...command, rules: rules.toSorted((a, b) => a.priority - b.priority) };
};
