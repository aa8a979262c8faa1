import { deciderSpec } from '@privatelink/shared/testing/decider-spec';
import { vpc } from '../vpc.decide.ts';
import type { DomainReservation, ReservedZone, VpcCommand, VpcEvent } from '../vpc.ts';

export const { given, at } = deciderSpec(vpc);

/** An instant relative to that of the decision. */
export const later = (ms: number): string => new Date(Date.parse(at) + ms).toISOString();
const longAgo = later(-300_000);

export const many = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));

export const registered = (ipv6Cidr = '2001:db8::/56'): VpcEvent => ({
  type: 'VpcRegistered',
  data: {
    ...{ vpcId: 'vpc-1', accountId: '1'.repeat(16), regionId: 'cn-hangzhou' },
    ...{ ipv4Cidr: '10.0.0.0/16', ipv6Cidr, tags: [], at: longAgo },
  },
});

export const deregistered: VpcEvent = { type: 'VpcDeregistered', data: { at: longAgo } };

export const vswitch = (
  vswitchId: string,
  zoneId: string,
  ipv4Cidr: string,
  ipv6Cidr = '',
  when = longAgo,
): VpcEvent => ({
  type: 'VSwitchRegistered',
  data: { vswitchId, zoneId, ipv4Cidr, ipv6Cidr, tags: [], at: when },
});

export const group = (securityGroupId: string): VpcEvent => ({
  type: 'SecurityGroupRegistered',
  data: { securityGroupId, rules: [], tags: [], at: longAgo },
});

/** In zone-a, the zone of vsw-a. */
export const held = (ipv4: string, change: Partial<ReservedZone> = {}): ReservedZone => ({
  zoneId: 'zone-a',
  vswitchId: 'vsw-a',
  eniId: `eni-${ipv4}`,
  ipv4,
  ipv6: '',
  ...change,
});

export const reserved = (endpointId: string, ...zones: ReservedZone[]): VpcEvent => reservedWith(endpointId, zones);

export const reservedWith = (
  endpointId: string,
  zones: readonly ReservedZone[],
  customDomains: DomainReservation | null = null,
): VpcEvent => ({
  type: 'EndpointReserved',
  data: {
    ...{ endpointId, endpointType: 'INTERFACE', serviceId: 'epsrv-1' },
    ...{ zones, securityGroupIds: ['sg-1'], customDomains, at: longAgo },
  },
});

/** Of a GATEWAY_LOAD_BALANCER endpoint. */
export const nextHop = (endpointId: string, zoneOf = held('10.0.0.4')): VpcEvent => ({
  type: 'EndpointReserved',
  data: {
    ...{ endpointId, endpointType: 'GATEWAY_LOAD_BALANCER', serviceId: 'epsrv-1' },
    ...{ zones: [zoneOf], securityGroupIds: [], customDomains: null, at: longAgo },
  },
});

export const released = (endpointId: string, when: string): VpcEvent => ({
  type: 'ReservationReleased',
  data: { endpointId, at: when },
});

/** vsw-a has three addresses to give out: 10.0.0.4, .5 and .6. */
export const inventory: readonly VpcEvent[] = [
  registered(),
  vswitch('vsw-a', 'zone-a', '10.0.0.0/29', '2001:db8::/64'),
  vswitch('vsw-b', 'zone-b', '10.0.1.0/24'),
  vswitch('vsw-b2', 'zone-b', '10.0.2.0/24'),
  group('sg-1'),
  group('sg-2'),
];

export type Reserve = Extract<VpcCommand, { type: 'ReserveEndpoint' }>['data'];

export const zone = (vswitchId: string, requestedIpv4 = '', zoneId = '', requestedIpv6 = '') => ({
  ...{ zoneId, vswitchId, eniId: `eni-${vswitchId}` },
  ...{ requestedIpv4, requestedIpv6 },
});

export const reserve = (change: Partial<Reserve> = {}): VpcCommand => ({
  type: 'ReserveEndpoint',
  data: {
    endpointId: 'ep-new',
    endpointType: 'INTERFACE',
    serviceId: 'epsrv-1',
    zones: [zone('vsw-a')],
    securityGroupIds: ['sg-1'],
    customDomains: null,
    dualStack: false,
    targets: [],
    ...change,
  },
});

export const release = (endpointId: string): VpcCommand => ({ type: 'ReleaseReservation', data: { endpointId } });
