import type { Cmd, Ev } from '@privatelink/shared/eventing/message';
import { assignableRange, type Cidr, hasAddress, type IpFamily, parseCidr } from './cidr.ts';

export type SecurityGroupRule = Readonly<{
  policy: 'ALLOW' | 'DENY';
  protocol: 'tcp' | 'udp' | 'all';
  fromPort: number;
  toPort: number;
  sourceCidr: string;
  priority: number;
}>;

export type RequestedZone = Readonly<{
  /** Empty: the vSwitch's. */
  zoneId: string;
  vswitchId: string;
  eniId: string;
  /** Empty: chosen. */
  requestedIpv4: string;
  /** In canonical form. Empty: chosen, or none unless dual stack. */
  requestedIpv6: string;
}>;

/** Where the provider of a REVERSE endpoint connects. */
export type Target = Readonly<{ ip: string; port: number }>;

/** `ipv6` is empty unless dual stack. */
export type ReservedZone = Readonly<{ zoneId: string; vswitchId: string; eniId: string; ipv4: string; ipv6: string }>;

export type Tag = Readonly<{ key: string; value: string }>;

/** Of everything that is registered: labels, sorted by key. */
type Tagged = Readonly<{ tags: readonly Tag[] }>;
type VSwitch = Tagged & Readonly<{ zoneId: string; ipv4Cidr: string; ipv6Cidr: string }>;
type SecurityGroup = Tagged & Readonly<{ rules: readonly SecurityGroupRule[] }>;
/** Destination → the endpoint, or gateway endpoint, that its traffic goes to. */
type RouteTable = Tagged & Readonly<{ routes: Readonly<Record<string, string>> }>;
export type Route = Readonly<{ routeTableId: string; destinationCidr: string; nextHop: string }>;

export type EndpointType = 'INTERFACE' | 'GATEWAY_LOAD_BALANCER' | 'REVERSE';

type VpcParticulars = Tagged &
  Readonly<{ vpcId: string; accountId: string; regionId: string; ipv4Cidr: string; ipv6Cidr: string }>;

export type VpcEvent =
  | Ev<'VpcRegistered', VpcParticulars & { at: string }>
  | Ev<'VSwitchRegistered', VSwitch & { vswitchId: string; at: string }>
  | Ev<'VSwitchDeregistered', { vswitchId: string; at: string }>
  | Ev<'SecurityGroupRegistered', SecurityGroup & { securityGroupId: string; at: string }>
  | Ev<'SecurityGroupDeregistered', { securityGroupId: string; at: string }>
  | Ev<'RouteTableRegistered', Tagged & { routeTableId: string; at: string }>
  | Ev<'RouteTableDeregistered', { routeTableId: string; at: string }>
  | Ev<'RouteAdded', Route & { at: string }>
  | Ev<'RouteRemoved', { routeTableId: string; destinationCidr: string; at: string }>
  | Ev<'VpcDeregistered', { at: string }>
  | Ev<
      'EndpointReserved',
      {
        endpointId: string;
        endpointType: EndpointType;
        serviceId: string;
        zones: readonly ReservedZone[];
        securityGroupIds: readonly string[];
        /** Null where the endpoint has none. */
        customDomains: DomainReservation | null;
        at: string;
      }
    >
  | Ev<'ReservationReleased', { endpointId: string; at: string }>
  | Ev<'ZoneReserved', { endpointId: string; zone: ReservedZone; at: string }>
  | Ev<'ZoneReleased', { endpointId: string; eniId: string; at: string }>
  | Ev<'SecurityGroupReserved', Attachment & { endpointId: string; at: string }>
  | Ev<'SecurityGroupReleased', { endpointId: string; attachmentId: string; at: string }>
  | Ev<'NextHopClosed', { endpointId: string; closingId: string; at: string }>
  | Ev<'NextHopReopened', { endpointId: string; closingId: string; at: string }>
  | Ev<'CustomDomainsReserved', DomainReservation & { endpointId: string; at: string }>
  | Ev<'CustomDomainsReleased', { endpointId: string; reservationId: string; at: string }>
  | Ev<'Ipv6Reserved', Ipv6Reservation & { endpointId: string; at: string }>
  | Ev<'Ipv6Released', { endpointId: string; reservationId: string; at: string }>
  | Ev<'GatewayEndpointReserved', { gatewayEndpointId: string; routeTableIds: readonly string[]; at: string }>
  | Ev<'GatewayEndpointReleased', { gatewayEndpointId: string; at: string }>;

/** Names that an endpoint has in the VPC; switched on again, they are another reservation. */
export type DomainReservation = Readonly<{ reservationId: string; domainNames: readonly string[] }>;

/** IPv6 addresses of an endpoint that had none; each try to become dual stack is another reservation. */
export type Ipv6Reservation = Readonly<{ reservationId: string; addresses: Ipv6Addresses }>;
export type Ipv6Addresses = readonly Readonly<{ eniId: string; ipv6: string }>[];

/** One attaching of a security group to an endpoint: the same group attached again is another one. */
export type Attachment = Readonly<{ securityGroupId: string; attachmentId: string }>;

/**
 * Its parts are zones, each with the id of its interface, security groups, each with the id of its attachment, custom
 * domains, each time of having them with its own id, IPv6 addresses, each try to have them with its own id, and
 * closings, each of one request to delete the endpoint.
 */
export type Reservation = Readonly<{
  endpointType: EndpointType;
  serviceId: string;
  /** Sorted by zone. One that is added and one that is not released yet can be in the same zone. */
  zones: readonly ReservedZone[];
  /** Attachment id → security group id. What is reserved with the endpoint is its own attachment. */
  securityGroups: Readonly<Record<string, string>>;
  /** While there is any, no route to the endpoint is added. */
  closings: readonly string[];
  /** Reservation id → names. */
  customDomains: Readonly<Record<string, readonly string[]>>;
  /** Reservation id → addresses besides those of its zones. */
  ipv6: Readonly<Record<string, Ipv6Addresses>>;
  at: string;
  /** Id of each part that came later → when. */
  additions: Readonly<Record<string, string>>;
}>;

/** The ledger of one VPC: everything in it, and every address that an endpoint holds. */
export type Vpc = Readonly<{
  vpcId: string;
  /** Empty before it is registered. */
  accountId: string;
  regionId: string;
  ipv4Cidr: string;
  /** Empty when it has none. */
  ipv6Cidr: string;
  tags: readonly Tag[];
  deregistered: boolean;
  vswitches: Readonly<Record<string, VSwitch>>;
  securityGroups: Readonly<Record<string, SecurityGroup>>;
  routeTables: Readonly<Record<string, RouteTable>>;
  reservations: Readonly<Record<string, Reservation>>;
  /** Gateway endpoint → when its routes were added. */
  gatewayEndpoints: Readonly<Record<string, string>>;
  /**
   * Released address → when it may be given out again. By address and not by vSwitch, so that it rests also when its
   * vSwitch is replaced by another one over the same range.
   */
  resting: Readonly<Record<string, string>>;
  createdAt: string;
}>;

export type VpcCommand =
  | Cmd<'RegisterVpc', VpcParticulars>
  /** `zoneRegion`: the region of the zone. */
  | Cmd<'RegisterVSwitch', VSwitch & { vswitchId: string; zoneRegion: string }>
  | Cmd<'RegisterSecurityGroup', SecurityGroup & { securityGroupId: string }>
  | Cmd<'DeregisterVSwitch', { vswitchId: string }>
  | Cmd<'DeregisterSecurityGroup', { securityGroupId: string }>
  | Cmd<'RegisterRouteTable', Tagged & { routeTableId: string }>
  | Cmd<'DeregisterRouteTable', { routeTableId: string }>
  | Cmd<'AddRoute', Route>
  | Cmd<'RemoveRoute', { routeTableId: string; destinationCidr: string }>
  | Cmd<'DeregisterVpc', object>
  | Cmd<
      'ReserveEndpoint',
      {
        endpointId: string;
        endpointType: EndpointType;
        serviceId: string;
        zones: readonly RequestedZone[];
        securityGroupIds: readonly string[];
        customDomains: DomainReservation | null;
        dualStack: boolean;
        /** Of a REVERSE endpoint. */
        targets: readonly Target[];
      }
    >
  | Cmd<'ReleaseReservation', { endpointId: string }>
  | Cmd<'ReserveZone', { endpointId: string; zone: RequestedZone; dualStack: boolean }>
  | Cmd<'ReserveSecurityGroup', Attachment & { endpointId: string }>
  | Cmd<'ReserveCustomDomains', DomainReservation & { endpointId: string }>
  /** For each of its zones. */
  | Cmd<'ReserveIpv6', { endpointId: string; reservationId: string }>
  | Cmd<'ReleaseParts', { endpointId: string; partIds: readonly string[] }>
  /** Before an endpoint is deleted; without `force` only when no route leads to it. */
  | Cmd<'CloseNextHop', { endpointId: string; closingId: string; force: boolean }>
  | Cmd<'RemoveRoutesTo', { endpointId: string }>
  | Cmd<'ReserveGatewayEndpoint', { gatewayEndpointId: string; routeTableIds: readonly string[] }>
  | Cmd<'ReleaseGatewayEndpoint', { gatewayEndpointId: string }>;

export const initialVpc: Vpc = {
  vpcId: '',
  accountId: '',
  regionId: '',
  ipv4Cidr: '',
  ipv6Cidr: '',
  tags: [],
  deregistered: false,
  vswitches: {},
  securityGroups: {},
  routeTables: {},
  reservations: {},
  gatewayEndpoints: {},
  resting: {},
  createdAt: '',
};

/** Addresses that still rest, each with the end of its rest. */
export const restingAt = (vpc: Vpc, now: string): Readonly<Record<string, string>> => {
  const at = Date.parse(now);
  return Object.fromEntries(Object.entries(vpc.resting).filter(([, until]) => Date.parse(until) > at));
};

export const byZone = (a: Readonly<{ zoneId: string }>, b: Readonly<{ zoneId: string }>): number =>
  a.zoneId < b.zoneId ? -1 : 1;

export const addressesOf = ({ zones, ipv6: later }: Pick<Reservation, 'zones' | 'ipv6'>): readonly string[] => [
  ...zones.flatMap(({ ipv4, ipv6 }) => (ipv6 === '' ? [ipv4] : [ipv4, ipv6])),
  ...Object.values(later).flatMap((addresses) => addresses.map(({ ipv6 }) => ipv6)),
];

/** Every address that an endpoint of the VPC holds. Its vSwitches are disjoint: an address is one interface's. */
export const heldAddresses = (vpc: Vpc): ReadonlySet<string> =>
  new Set(Object.values(vpc.reservations).flatMap(addressesOf));

/** Ids come from callers too: `constructor` is not one. */
export const entryOf = <T>(record: Readonly<Record<string, T>>, key: string): T | undefined =>
  Object.hasOwn(record, key) ? record[key] : undefined;

export const reservationOf = (vpc: Vpc, endpointId: string): Reservation | null =>
  entryOf(vpc.reservations, endpointId) ?? null;

export const routesTo = ({ routeTables }: Vpc, hop: string): readonly Route[] =>
  Object.entries(routeTables).flatMap(([routeTableId, { routes }]) =>
    Object.entries(routes)
      .filter(([, nextHop]) => nextHop === hop)
      .map(([destinationCidr, nextHop]) => ({ routeTableId, destinationCidr, nextHop })),
  );

/** A range that was checked when it was registered. */
export const registeredCidr = (text: string, family: IpFamily): Cidr => {
  const cidr = parseCidr(text, family);
  if (typeof cidr === 'string') throw new Error(`registered range ${text}: ${cidr}`);
  return cidr;
};

/** IPv4 addresses that could be given out now. 0 for a vSwitch that is not there. */
export const availableIpCount = (vpc: Vpc, vswitchId: string, now: string): number => {
  const vswitch = entryOf(vpc.vswitches, vswitchId);
  if (!vswitch) return 0;
  const cidr = registeredCidr(vswitch.ipv4Cidr, 4);
  const zones = Object.values(vpc.reservations).flatMap((reservation) => reservation.zones);
  const held = zones.filter((zone) => zone.vswitchId === vswitchId).length;
  const resting = Object.keys(restingAt(vpc, now)).filter((address) => hasAddress(cidr, address)).length;
  return Number(assignableRange(cidr).count) - held - resting;
};

/** IPv6 addresses as they are reserved; null where they are not. */
export const reservedIpv6 = (reservation: Reservation | null, reservationId: string): Ipv6Reservation | null => {
  const addresses = reservation && entryOf(reservation.ipv6, reservationId);
  return addresses ? { reservationId, addresses } : null;
};

/** Custom domains as they are reserved; null where they are not. */
export const reservedDomains = (reservation: Reservation | null, reservationId: string): DomainReservation | null => {
  const domainNames = reservation && entryOf(reservation.customDomains, reservationId);
  return domainNames ? { reservationId, domainNames } : null;
};
