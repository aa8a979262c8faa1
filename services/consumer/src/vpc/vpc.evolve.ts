import { assertNever } from '@privatelink/shared/eventing/never';
import { addressesOf, byZone, entryOf, type Reservation, restingAt, type Vpc, type VpcEvent } from './vpc.ts';

/** Twice the TTL of a name, so that a cached one never leads to a stranger. */
const REST_MS = 120_000;

export const evolve = (before: Vpc, event: VpcEvent): Vpc => {
  const vpc = { ...before, resting: restingAt(before, event.data.at) };
  switch (event.type) {
    case 'VpcRegistered': {
      const { at, ...data } = event.data;
      return { ...vpc, ...data, createdAt: at };
    }
    case 'VSwitchRegistered': {
      const { vswitchId, at: _at, ...vswitch } = event.data;
      return { ...vpc, vswitches: { ...vpc.vswitches, [vswitchId]: vswitch } };
    }
    case 'VSwitchDeregistered':
      return { ...vpc, vswitches: without(vpc.vswitches, event.data.vswitchId) };
    case 'SecurityGroupRegistered': {
      const { securityGroupId, rules, tags } = event.data;
      return { ...vpc, securityGroups: { ...vpc.securityGroups, [securityGroupId]: { rules, tags } } };
    }
    case 'SecurityGroupDeregistered':
      return { ...vpc, securityGroups: without(vpc.securityGroups, event.data.securityGroupId) };
    case 'RouteTableRegistered': {
      const { routeTableId, tags } = event.data;
      return { ...vpc, routeTables: { ...vpc.routeTables, [routeTableId]: { tags, routes: {} } } };
    }
    case 'RouteTableDeregistered':
      return { ...vpc, routeTables: without(vpc.routeTables, event.data.routeTableId) };
    case 'RouteAdded': {
      const { routeTableId, destinationCidr, nextHop } = event.data;
      return withRoutes(vpc, routeTableId, { ...routesOf(vpc, routeTableId), [destinationCidr]: nextHop });
    }
    case 'RouteRemoved': {
      const { routeTableId, destinationCidr } = event.data;
      return withRoutes(vpc, routeTableId, without(routesOf(vpc, routeTableId), destinationCidr));
    }
    case 'VpcDeregistered':
      return { ...vpc, deregistered: true };
    case 'EndpointReserved': {
      const { endpointId, securityGroupIds, customDomains: domains, ...reserved } = event.data;
      const securityGroups = Object.fromEntries(securityGroupIds.map((id) => [id, id]));
      const customDomains = domains ? { [domains.reservationId]: domains.domainNames } : {};
      return withReservation(vpc, endpointId, {
        ...reserved,
        securityGroups,
        customDomains,
        ipv6: {},
        closings: [],
        additions: {},
      });
    }
    case 'ReservationReleased': {
      const { endpointId, at } = event.data;
      const reservations = without(vpc.reservations, endpointId);
      const released = vpc.reservations[endpointId];
      return { ...withRest(vpc, released ? addressesOf(released) : [], at), reservations };
    }
    case 'GatewayEndpointReserved': {
      const { gatewayEndpointId, at } = event.data;
      return { ...vpc, gatewayEndpoints: { ...vpc.gatewayEndpoints, [gatewayEndpointId]: at } };
    }
    case 'GatewayEndpointReleased':
      return { ...vpc, gatewayEndpoints: without(vpc.gatewayEndpoints, event.data.gatewayEndpointId) };
    case 'ZoneReserved':
    case 'ZoneReleased':
    case 'SecurityGroupReserved':
    case 'SecurityGroupReleased':
    case 'NextHopClosed':
    case 'NextHopReopened':
    case 'CustomDomainsReserved':
    case 'CustomDomainsReleased':
    case 'Ipv6Reserved':
    case 'Ipv6Released':
      return evolvePart(vpc, event);
    default:
      return assertNever(event);
  }
};

type PartEvent = Extract<
  VpcEvent,
  {
    type:
      | 'ZoneReserved'
      | 'ZoneReleased'
      | 'SecurityGroupReserved'
      | 'SecurityGroupReleased'
      | 'NextHopClosed'
      | 'NextHopReopened'
      | 'CustomDomainsReserved'
      | 'CustomDomainsReleased'
      | 'Ipv6Reserved'
      | 'Ipv6Released';
  }
>;

const evolvePart = (vpc: Vpc, event: PartEvent): Vpc => {
  const { endpointId, at } = event.data;
  const before = vpc.reservations[endpointId];
  if (!before) return vpc;
  switch (event.type) {
    case 'ZoneReserved': {
      const { zone } = event.data;
      const zones = [...before.zones, zone].toSorted(byZone);
      return withReservation(vpc, endpointId, {
        ...before,
        zones,
        additions: { ...before.additions, [zone.eniId]: at },
      });
    }
    case 'ZoneReleased': {
      const { eniId } = event.data;
      const zones = before.zones.filter((zone) => zone.eniId !== eniId);
      const ipv6 = mapValues(before.ipv6, (addresses) => addresses.filter((address) => address.eniId !== eniId));
      const after = { ...before, zones, ipv6, additions: without(before.additions, eniId) };
      const left = new Set(addressesOf(after));
      const released = addressesOf(before).filter((address) => !left.has(address));
      return withReservation(withRest(vpc, released, at), endpointId, after);
    }
    case 'SecurityGroupReserved': {
      const { securityGroupId, attachmentId } = event.data;
      const securityGroups = { ...before.securityGroups, [attachmentId]: securityGroupId };
      const additions = { ...before.additions, [attachmentId]: at };
      return withReservation(vpc, endpointId, { ...before, securityGroups, additions });
    }
    case 'SecurityGroupReleased': {
      const { attachmentId } = event.data;
      const securityGroups = without(before.securityGroups, attachmentId);
      return withReservation(vpc, endpointId, {
        ...before,
        securityGroups,
        additions: without(before.additions, attachmentId),
      });
    }
    case 'NextHopClosed': {
      const { closingId } = event.data;
      const additions = { ...before.additions, [closingId]: at };
      return withReservation(vpc, endpointId, { ...before, closings: [...before.closings, closingId], additions });
    }
    case 'NextHopReopened': {
      const { closingId } = event.data;
      const closings = before.closings.filter((id) => id !== closingId);
      return withReservation(vpc, endpointId, {
        ...before,
        closings,
        additions: without(before.additions, closingId),
      });
    }
    case 'CustomDomainsReserved': {
      const { reservationId, domainNames } = event.data;
      const customDomains = { ...before.customDomains, [reservationId]: domainNames };
      const additions = { ...before.additions, [reservationId]: at };
      return withReservation(vpc, endpointId, { ...before, customDomains, additions });
    }
    case 'CustomDomainsReleased': {
      const { reservationId } = event.data;
      return withReservation(vpc, endpointId, {
        ...before,
        customDomains: without(before.customDomains, reservationId),
        additions: without(before.additions, reservationId),
      });
    }
    case 'Ipv6Reserved': {
      const { reservationId, addresses } = event.data;
      const additions = { ...before.additions, [reservationId]: at };
      const ipv6 = { ...before.ipv6, [reservationId]: addresses };
      return withReservation(vpc, endpointId, { ...before, ipv6, additions });
    }
    case 'Ipv6Released': {
      const { reservationId } = event.data;
      const released = (before.ipv6[reservationId] ?? []).map((address) => address.ipv6);
      return withReservation(withRest(vpc, released, at), endpointId, {
        ...before,
        ipv6: without(before.ipv6, reservationId),
        additions: without(before.additions, reservationId),
      });
    }
    default:
      return assertNever(event);
  }
};

const routesOf = ({ routeTables }: Vpc, routeTableId: string) => entryOf(routeTables, routeTableId)?.routes ?? {};

const withRoutes = (vpc: Vpc, routeTableId: string, routes: Vpc['routeTables'][string]['routes']): Vpc => ({
  ...vpc,
  routeTables: { ...vpc.routeTables, [routeTableId]: { tags: vpc.routeTables[routeTableId]?.tags ?? [], routes } },
});

const withReservation = (vpc: Vpc, endpointId: string, reservation: Reservation): Vpc => ({
  ...vpc,
  reservations: { ...vpc.reservations, [endpointId]: reservation },
});

/** These addresses rest from now on. */
const withRest = (vpc: Vpc, addresses: readonly string[], at: string): Vpc => {
  const until = new Date(Date.parse(at) + REST_MS).toISOString();
  const released = addresses.map((address) => [address, until]);
  return { ...vpc, resting: { ...vpc.resting, ...Object.fromEntries(released) } };
};

const mapValues = <T>(record: Readonly<Record<string, T>>, map: (value: T) => T): Readonly<Record<string, T>> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));

const without = <T>(record: Readonly<Record<string, T>>, key: string): Readonly<Record<string, T>> => {
  const { [key]: _removed, ...rest } = record;
  return rest;
};
