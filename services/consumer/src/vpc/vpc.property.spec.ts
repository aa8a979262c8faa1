import { evolveAll } from '@privatelink/shared/eventing/decider';
import { Rejected } from '@privatelink/shared/eventing/rejected';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assignableRange, hasAddress, parseAddress } from './cidr.ts';
import { vpc } from './vpc.decide.ts';
import { fresh, iso, REST_MS, rangeOf, run, START } from './vpc.property.test-support.ts';
import {
  addressesOf,
  availableIpCount,
  type RequestedZone,
  type ReservedZone,
  reservationOf,
  type Vpc,
  type VpcCommand,
} from './vpc.ts';

const zoneIn = (vswitchId: string, requestedIpv4 = '', requestedIpv6 = ''): RequestedZone => ({
  zoneId: '',
  vswitchId,
  eniId: `eni-${vswitchId}`,
  requestedIpv4,
  requestedIpv6,
});
const reserveIn = (endpointId: string, zones: readonly RequestedZone[], dualStack = false): VpcCommand => ({
  type: 'ReserveEndpoint',
  data: {
    ...{ endpointId, endpointType: 'INTERFACE', serviceId: 'epsrv-1' },
    ...{ zones, securityGroupIds: ['sg-1'], customDomains: null, dualStack, targets: [] },
  },
});
const release = (endpointId: string): VpcCommand => ({ type: 'ReleaseReservation', data: { endpointId } });

const eniIdOf = (id: string, vswitchId: string, place: number): string => `eni-${id}-${vswitchId}-${place}`;
const reserveZone = (id: string, zone: RequestedZone, place: number, dualStack: boolean): VpcCommand => ({
  type: 'ReserveZone',
  data: { endpointId: id, zone: { ...zone, eniId: eniIdOf(id, zone.vswitchId, place) }, dualStack },
});
const ipv6Id = (id: string, place: number): string => `ip6-${id}-${place}`;
const reserveIpv6 = (id: string, place: number): VpcCommand => ({
  type: 'ReserveIpv6',
  data: { endpointId: id, reservationId: ipv6Id(id, place) },
});
const releaseIpv6 = (id: string, place: number): VpcCommand => ({
  type: 'ReleaseParts',
  data: { endpointId: id, partIds: [ipv6Id(id, place)] },
});
/** All that came later. */
const releaseZones = (id: string): VpcCommand => {
  const places = ['vsw-0', 'vsw-1', 'vsw-2'].flatMap((vswitchId) => [0, 1].map((place) => [vswitchId, place] as const));
  return { type: 'ReleaseParts', data: { endpointId: id, partIds: places.map((place) => eniIdOf(id, ...place)) } };
};

type Step = Readonly<{ wait: number; command: VpcCommand }>;

const endpointId = fc.integer({ min: 0, max: 5 }).map((i) => `ep-${i}`);
const requestedIpv4 = fc.oneof(
  { weight: 3, arbitrary: fc.constant('') },
  fc.integer({ min: 0, max: 32 }).map((last) => `10.0.0.${last}`),
);
const requestedIpv6 = fc.oneof(
  { weight: 3, arbitrary: fc.constant('') },
  fc
    .tuple(fc.constantFrom('', '0:1:', '0:2:'), fc.integer({ min: 3, max: 9 }))
    .map((part) => `2001:db8:${part.join(':')}`),
);
const zones = fc
  .tuple(
    fc.subarray(['vsw-0', 'vsw-1', 'vsw-2'], { minLength: 1 }),
    fc.array(requestedIpv4, { minLength: 3 }),
    fc.array(requestedIpv6, { minLength: 3 }),
  )
  .map(([ids, v4, v6]) => ids.map((id, i) => zoneIn(id, v4[i] ?? '', v6[i] ?? '')));
const step: fc.Arbitrary<Step> = fc.record({
  wait: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 40_000 }), fc.constantFrom(REST_MS - 1, REST_MS)),
  command: fc.oneof(
    { weight: 3, arbitrary: fc.tuple(endpointId, zones, fc.boolean()).map((args) => reserveIn(...args)) },
    { weight: 2, arbitrary: endpointId.map(release) },
    {
      weight: 2,
      arbitrary: fc
        .tuple(endpointId, zones, fc.nat(1), fc.boolean())
        .map(([id, [zone], place, dualStack]) => reserveZone(id, zone ?? zoneIn('vsw-0'), place, dualStack)),
    },
    { weight: 2, arbitrary: endpointId.map(releaseZones) },
    { weight: 2, arbitrary: fc.tuple(endpointId, fc.nat(1)).map((args) => reserveIpv6(...args)) },
    { weight: 1, arbitrary: fc.tuple(endpointId, fc.nat(1)).map((args) => releaseIpv6(...args)) },
  ),
});

/** What the world outside remembers: who holds each address, and until when it rests. */
type World = { holder: Map<string, string>; restsUntil: Map<string, number> };

const checkReserved = (world: World, id: string, reserved: readonly ReservedZone[], now: number): void => {
  for (const { vswitchId, ipv4, ipv6 } of reserved) {
    checkAddress(world, id, ipv4, vswitchId, now);
    if (ipv6 !== '') checkAddress(world, id, ipv6, `${vswitchId}/6`, now);
  }
};
const checkAddress = (world: World, id: string, address: string, range: string, now: number): void => {
  const value = parseAddress(address)?.value ?? -1n;
  const { first, last } = assignableRange(rangeOf(range));
  expect(value >= first && value <= last, `${address} may be given out`).toBe(true);
  expect(world.holder.get(address), `${address} is held by nobody`).toBeUndefined();
  expect(world.restsUntil.get(address) ?? 0, `${address} has rested`).toBeLessThanOrEqual(now);
  world.holder.set(address, id);
};

const freeIn = (world: World, vswitchId: string, now: number): number => {
  const range = rangeOf(vswitchId);
  const resting = [...world.restsUntil].filter(([, until]) => until > now).map(([address]) => address);
  const gone = new Set([...world.holder.keys(), ...resting].filter((address) => hasAddress(range, address)));
  return Number(assignableRange(range).count) - gone.size;
};

describe('over any sequence of reservations, releases and times', () => {
  it('no address is given out twice, a reserved one never, a released one not before its rest', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 60, size: 'max' }), (steps) => {
        const world: World = { holder: new Map(), restsUntil: new Map() };
        let ledger = fresh;
        let now = START;
        for (const { wait, command } of steps) {
          now += wait;
          const before = ledger;
          try {
            const events = vpc.decide(command, before, iso(now));
            ledger = evolveAll(vpc, before, events);
            if (events.length > 0) seen.add(command.type);
            for (const event of events) {
              if (event.type === 'EndpointReserved') checkReserved(world, event.data.endpointId, event.data.zones, now);
              if (event.type === 'ZoneReserved') checkReserved(world, event.data.endpointId, [event.data.zone], now);
              if (event.type !== 'Ipv6Reserved') continue;
              const { endpointId: id, addresses } = event.data;
              for (const { eniId, ipv6 } of addresses) {
                const zone = reservationOf(ledger, id)?.zones.find((one) => one.eniId === eniId);
                checkAddress(world, id, ipv6, `${zone?.vswitchId}/6`, now);
              }
            }
            if (command.type === 'ReleaseReservation' || command.type === 'ReleaseParts') {
              const reservation = reservationOf(ledger, command.data.endpointId);
              const kept = reservation ? addressesOf(reservation) : [];
              for (const [address, holder] of world.holder) {
                if (holder !== command.data.endpointId) continue;
                if (kept.includes(address)) continue;
                world.holder.delete(address);
                world.restsUntil.set(address, now + REST_MS);
              }
            }
          } catch (error) {
            if (!(error instanceof Rejected)) throw error;
            seen.add(error.reason);
            if (error.reason === 'ADDRESS_EXHAUSTED') {
              expect(freeIn(world, error.facts['vswitch_id'] ?? '', now)).toBe(0);
            }
          }
          for (const id of ['vsw-0', 'vsw-1', 'vsw-2']) {
            expect(availableIpCount(ledger, id, iso(now))).toBe(freeIn(world, id, now));
          }
        }
      }),
      { numRuns: 300 },
    );
    // Otherwise the sequences would be too tame to show anything.
    expect([...seen].sort()).toEqual([
      'ADDRESS_EXHAUSTED',
      'ENDPOINT_NOT_FOUND',
      'REQUESTED_ADDRESS_UNAVAILABLE',
      'ReleaseParts',
      'ReleaseReservation',
      'ReserveEndpoint',
      'ReserveIpv6',
      'ReserveZone',
    ]);
  });

  it('the same command again changes nothing', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        let ledger = fresh;
        for (const { command } of steps) {
          ledger = attempt(ledger, command, iso(START)).ledger;
          expect(attempt(ledger, command, iso(START)).ledger).toBe(ledger);
        }
      }),
    );
  });

  it('nothing of the past is kept once everything is released and has rested', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        let now = START;
        let ledger = fresh;
        for (const { wait, command } of steps) {
          now += wait;
          ledger = attempt(ledger, command, iso(now)).ledger;
        }
        ledger = run(ledger, Object.keys(ledger.reservations).map(release), iso(now));
        const group: VpcCommand = {
          type: 'RegisterSecurityGroup',
          data: { securityGroupId: 'sg-2', rules: [], tags: [] },
        };
        now += REST_MS;
        const rested = run(ledger, [group], iso(now));
        expect(rested).toEqual(run(fresh, [group], iso(now)));
      }),
    );
  });
});

/** The ledger itself when the command changes nothing. */
const attempt = (ledger: Vpc, command: VpcCommand, at: string): Readonly<{ ledger: Vpc; reason?: string }> => {
  try {
    return { ledger: evolveAll(vpc, ledger, vpc.decide(command, ledger, at)) };
  } catch (error) {
    if (!(error instanceof Rejected)) throw error;
    return { ledger, reason: error.reason };
  }
};

it('100 reservations in a /28 get the 11 addresses that it has, and then a clean no', () => {
  const at = iso(START);
  const outcomes: string[] = [];
  let ledger = fresh;
  for (let i = 0; i < 100; i++) {
    const { ledger: after, reason } = attempt(ledger, reserveIn(`ep-${i}`, [zoneIn('vsw-0')]), at);
    outcomes.push(reason ?? reservationOf(after, `ep-${i}`)?.zones[0]?.ipv4 ?? '');
    if (reason) expect(after).toBe(ledger);
    ledger = after;
  }
  expect(outcomes.slice(0, 11)).toEqual(Array.from({ length: 11 }, (_, i) => `10.0.0.${4 + i}`));
  expect(outcomes.slice(11)).toEqual(Array(89).fill('ADDRESS_EXHAUSTED'));
  expect(availableIpCount(ledger, 'vsw-0', at)).toBe(0);
});

it('whatever a caller sends, decide throws nothing but rejections and the state stays JSON', () => {
  const id = fc.constantFrom('', 'x', 'vsw-0', 'vsw-1', 'vsw-9', 'sg-1', 'ep-1', 'vpc-1', '__proto__', 'constructor');
  const cidr = fc.oneof(
    fc.constantFrom(
      '',
      '10.0.0.32/28',
      '10.0.0.64/27',
      '10.0.0.0/24',
      '2001:db8::/56',
      '2001:db8:0:9::/64',
      '::/0',
      '/',
    ),
    fc
      .tuple(fc.oneof(fc.ipV4(), fc.ipV6()), fc.integer({ min: -1, max: 130 }))
      .map(([ip, length]) => `${ip}/${length}`),
    fc.string(),
  );
  const address = fc.oneof(fc.constant(''), fc.ipV4(), fc.ipV6(), fc.string());
  const rule = fc.record({
    policy: fc.constantFrom('ALLOW' as const, 'DENY' as const),
    protocol: fc.constantFrom('tcp' as const, 'udp' as const, 'all' as const),
    fromPort: fc.nat(),
    toPort: fc.nat(),
    sourceCidr: cidr,
    priority: fc.integer(),
  });
  const as = <T extends VpcCommand['type']>(
    type: T,
    data: fc.Arbitrary<Extract<VpcCommand, { type: T }>['data']>,
  ): fc.Arbitrary<VpcCommand> => data.map((value) => ({ type, data: value }) as VpcCommand);
  const tags = fc.array(fc.record({ key: id, value: id }), { maxLength: 2 });
  const domainNames = fc.array(id, { maxLength: 2 });
  const zone = fc.record({ zoneId: id, vswitchId: id, eniId: id, requestedIpv4: address, requestedIpv6: address });
  const command = fc.oneof(
    as('RegisterVpc', fc.record({ vpcId: id, accountId: id, regionId: id, ipv4Cidr: cidr, ipv6Cidr: cidr, tags })),
    as(
      'RegisterVSwitch',
      fc.record({ vswitchId: id, zoneId: id, zoneRegion: id, ipv4Cidr: cidr, ipv6Cidr: cidr, tags }),
    ),
    as('RegisterSecurityGroup', fc.record({ securityGroupId: id, rules: fc.array(rule, { maxLength: 3 }), tags })),
    as('DeregisterVSwitch', fc.record({ vswitchId: id })),
    as('DeregisterSecurityGroup', fc.record({ securityGroupId: id })),
    as('RegisterRouteTable', fc.record({ routeTableId: id, tags })),
    as('DeregisterRouteTable', fc.record({ routeTableId: id })),
    as('AddRoute', fc.record({ routeTableId: id, destinationCidr: cidr, nextHop: id })),
    as('RemoveRoute', fc.record({ routeTableId: id, destinationCidr: cidr })),
    as('CloseNextHop', fc.record({ endpointId: id, closingId: id, force: fc.boolean() })),
    as('RemoveRoutesTo', fc.record({ endpointId: id })),
    as('ReserveGatewayEndpoint', fc.record({ gatewayEndpointId: id, routeTableIds: fc.array(id, { maxLength: 3 }) })),
    as('ReleaseGatewayEndpoint', fc.record({ gatewayEndpointId: id })),
    as('DeregisterVpc', fc.constant({})),
    as(
      'ReserveEndpoint',
      fc.record({
        endpointId: id,
        endpointType: fc.constantFrom('INTERFACE' as const, 'GATEWAY_LOAD_BALANCER' as const, 'REVERSE' as const),
        serviceId: id,
        zones: fc.array(zone, { maxLength: 3 }),
        securityGroupIds: fc.array(id, { maxLength: 3 }),
        customDomains: fc.option(fc.record({ reservationId: id, domainNames })),
        dualStack: fc.boolean(),
        targets: fc.array(fc.record({ ip: address, port: fc.nat() }), { maxLength: 2 }),
      }),
    ),
    as('ReleaseReservation', fc.record({ endpointId: id })),
    as('ReserveZone', fc.record({ endpointId: id, zone, dualStack: fc.boolean() })),
    as('ReserveSecurityGroup', fc.record({ endpointId: id, securityGroupId: id, attachmentId: id })),
    as('ReserveCustomDomains', fc.record({ endpointId: id, reservationId: id, domainNames })),
    as('ReserveIpv6', fc.record({ endpointId: id, reservationId: id })),
    as('ReleaseParts', fc.record({ endpointId: id, partIds: fc.array(id, { maxLength: 3 }) })),
  );
  fc.assert(
    fc.property(fc.constantFrom(vpc.initial, fresh), fc.array(command, { maxLength: 20 }), (start, commands) => {
      const end = commands.reduce((ledger, next) => attempt(ledger, next, iso(START)).ledger, start);
      expect(JSON.parse(JSON.stringify(end))).toEqual(end);
    }),
    { numRuns: 500 },
  );
});
