import { evolveAll } from '@privatelink/shared/eventing/decider';
import { describe, expect, it } from 'vitest';
import {
  at,
  given,
  group,
  held,
  inventory,
  later,
  many,
  type Reserve,
  registered,
  release,
  released,
  reserve,
  reserved,
  vswitch,
  zone,
} from './testing/history.ts';
import { vpc } from './vpc.decide.ts';
import { availableIpCount, type VpcCommand, type VpcEvent } from './vpc.ts';

const addresses = (events: readonly VpcEvent[]) =>
  events.flatMap((event) => (event.type === 'EndpointReserved' ? event.data.zones.map(({ ipv4 }) => ipv4) : []));

describe('addresses', () => {
  it('the lowest free one is chosen', () => {
    const events = given(...inventory, reserved('ep-1', held('10.0.0.4')), reserved('ep-2', held('10.0.0.6')))
      .when(reserve())
      .thenTypes('EndpointReserved');
    expect(addresses(events)).toEqual(['10.0.0.5']);
  });

  it.each([
    ['10.0.0', 'MALFORMED'],
    ['010.0.0.5', 'MALFORMED'],
    ['2001:db8::5', 'MALFORMED'],
    ['10.0.0.8', 'OUTSIDE_VSWITCH'],
    ['10.0.0.0', 'RESERVED'],
    ['10.0.0.3', 'RESERVED'],
    ['10.0.0.7', 'RESERVED'],
    ['10.0.0.4', 'IN_USE'],
  ])('a requested %j is %s', (ipv4, why) => {
    given(...inventory, reserved('ep-1', held('10.0.0.4')))
      .when(reserve({ zones: [zone('vsw-b'), zone('vsw-a', ipv4)] }))
      .thenRejected('REQUESTED_ADDRESS_UNAVAILABLE', {
        vswitch_id: 'vsw-a',
        ipv4_address: ipv4,
        why,
        field: 'zones[1].ipv4_address',
      });
  });

  it.each(['10.0.0.4', '10.0.0.6'])('a requested %s is given', (ipv4) => {
    const events = given(...inventory)
      .when(reserve({ zones: [zone('vsw-a', ipv4)] }))
      .thenTypes('EndpointReserved');
    expect(addresses(events)).toEqual([ipv4]);
  });

  it('a released one rests 120 s', () => {
    const until = (ms: number) => [
      ...inventory,
      reserved('ep-1', held('10.0.0.4')),
      released('ep-1', later(ms - 120_000)),
    ];
    const requested = reserve({ zones: [zone('vsw-a', '10.0.0.4')] });
    given(...until(1))
      .when(requested)
      .thenRejected('REQUESTED_ADDRESS_UNAVAILABLE', { why: 'RESTING', free_at: later(1) });
    expect(
      addresses(
        given(...until(1))
          .when(reserve())
          .thenTypes('EndpointReserved'),
      ),
    ).toEqual(['10.0.0.5']);
    given(...until(0))
      .when(requested)
      .thenTypes('EndpointReserved');
    expect(
      addresses(
        given(...until(0))
          .when(reserve())
          .thenTypes('EndpointReserved'),
      ),
    ).toEqual(['10.0.0.4']);
  });

  it('rests also when another vSwitch takes over the range', () => {
    given(
      ...inventory,
      reserved('ep-1', held('10.0.0.4')),
      released('ep-1', later(-1_000)),
      { type: 'VSwitchDeregistered', data: { vswitchId: 'vsw-a', at: later(-900) } },
      vswitch('vsw-c', 'zone-c', '10.0.0.0/28', '', later(-800)),
    )
      .when(reserve({ zones: [zone('vsw-c', '10.0.0.4')] }))
      .thenRejected('REQUESTED_ADDRESS_UNAVAILABLE', { why: 'RESTING' });
  });

  it('exhaustion names the vSwitch, and nothing of the request is taken', () => {
    given(
      ...inventory,
      reserved('ep-1', held('10.0.0.4')),
      reserved('ep-2', held('10.0.0.5')),
      reserved('ep-3', held('10.0.0.6')),
      released('ep-3', later(-1_000)),
    )
      .when(reserve({ zones: [zone('vsw-b'), zone('vsw-a')] }))
      .thenRejected('ADDRESS_EXHAUSTED', { vswitch_id: 'vsw-a', resting: '1', field: 'zones[1].vswitch_id' });
  });

  it('are counted', () => {
    const ledger = evolveAll(vpc, vpc.initial, [
      ...inventory,
      reserved('ep-1', held('10.0.0.4')),
      reserved('ep-2', held('10.0.0.5')),
      released('ep-2', at),
    ]);
    expect(availableIpCount(ledger, 'vsw-a', later(119_999))).toBe(1);
    expect(availableIpCount(ledger, 'vsw-a', later(120_000))).toBe(2);
    expect(availableIpCount(ledger, 'vsw-b', at)).toBe(251);
    expect(availableIpCount(ledger, 'vsw-x', at)).toBe(0);
    expect(availableIpCount(ledger, 'constructor', at)).toBe(0);
  });
});

describe('dual stack', () => {
  const dual = (...zones: Reserve['zones']) => reserve({ zones, dualStack: true });

  it('gives an address of each family', () => {
    const before = held('10.0.0.4', { ipv6: '2001:db8::4' });
    const [event] = given(...inventory, reserved('ep-1', before))
      .when(dual(zone('vsw-a')))
      .thenTypes('EndpointReserved');
    expect(event?.data).toMatchObject({ zones: [{ ipv4: '10.0.0.5', ipv6: '2001:db8::5' }] });
  });

  it('lets both addresses rest', () => {
    const before = held('10.0.0.4', { ipv6: '2001:db8::4' });
    const [event] = given(...inventory, reserved('ep-1', before), released('ep-1', later(-1_000)))
      .when(dual(zone('vsw-a')))
      .thenTypes('EndpointReserved');
    expect(event?.data).toMatchObject({ zones: [{ ipv4: '10.0.0.5', ipv6: '2001:db8::5' }] });
  });

  it('needs IPv6 on the vSwitch and on the VPC', () => {
    given(...inventory)
      .when(dual(zone('vsw-a'), zone('vsw-b')))
      .thenRejected('DUAL_STACK_UNAVAILABLE', {
        ...{ missing: 'VSWITCH', vswitch_id: 'vsw-b', field: 'zones[1].vswitch_id' },
      });
    given(registered(''), vswitch('vsw-a', 'zone-a', '10.0.0.0/29'), group('sg-1'))
      .when(dual(zone('vsw-a')))
      .thenRejected('DUAL_STACK_UNAVAILABLE', { missing: 'VPC', vpc_id: 'vpc-1', field: 'vpc_id' });
  });

  it('gives the IPv6 address that is asked for', () => {
    const [event] = given(...inventory)
      .when(dual(zone('vsw-a', '', '', '2001:db8::77')))
      .thenTypes('EndpointReserved');
    expect(event?.data).toMatchObject({ zones: [{ ipv4: '10.0.0.4', ipv6: '2001:db8::77' }] });
  });

  it.each([
    ['2001:db8::3', 'RESERVED'],
    ['2001:db8:0:1::5', 'OUTSIDE_VSWITCH'],
    ['10.0.0.5', 'MALFORMED'],
    ['2001:db8::4', 'IN_USE'],
    ['2001:db8::5', 'RESTING'],
  ])('cannot give %s: %s', (ipv6, why) => {
    const there = held('10.0.0.4', { ipv6: '2001:db8::4' });
    const gone = held('10.0.0.5', { ipv6: '2001:db8::5' });
    given(...inventory, reserved('ep-1', there), reserved('ep-2', gone), released('ep-2', later(-1_000)))
      .when(dual(zone('vsw-a', '', '', ipv6)))
      .thenRejected('REQUESTED_ADDRESS_UNAVAILABLE', {
        ...{ vswitch_id: 'vsw-a', ipv6_address: ipv6, why, field: 'zones[0].ipv6_address' },
      });
  });

  it('is what an IPv6 address is asked for with', () => {
    given(...inventory)
      .when(reserve({ zones: [zone('vsw-a', '', '', '2001:db8::77')] }))
      .thenRejected('REQUESTED_ADDRESS_UNAVAILABLE', { why: 'NOT_DUAL_STACK', field: 'zones[0].ipv6_address' });
  });
});

it('a large vSwitch that is nearly full is searched at once', () => {
  const taken = many(60_000, (i) => held(`10.0.${Math.floor((i + 4) / 256)}.${(i + 4) % 256}`));
  const history = [
    registered(''),
    vswitch('vsw-a', 'zone-a', '10.0.0.0/16'),
    group('sg-1'),
    // A few reservations of many zones: only the number of addresses matters here.
    ...many(60, (i) => reserved(`ep-${i}`, ...taken.slice(i * 1_000, (i + 1) * 1_000))),
  ];
  const ledger = evolveAll(vpc, vpc.initial, history);
  const started = performance.now();
  const events = vpc.decide(reserve(), ledger, at);
  const elapsed = performance.now() - started;
  expect(addresses(events)).toEqual(['10.0.234.100']);
  // About 20 ms; a search that compares each candidate with each address takes minutes.
  expect(elapsed).toBeLessThan(20_000);
});

describe('IPv6 addresses of an endpoint that had none', () => {
  const become = (endpointId: string, reservationId: string): VpcCommand => ({
    type: 'ReserveIpv6',
    data: { endpointId, reservationId },
  });
  const became = (endpointId: string, reservationId: string, ...addresses: readonly string[]): VpcEvent => ({
    type: 'Ipv6Reserved',
    data: {
      ...{ endpointId, reservationId, at },
      addresses: addresses.map((ipv6) => ({ eniId: 'eni-10.0.0.4', ipv6 })),
    },
  });
  const drop = (endpointId: string, ...partIds: readonly string[]): VpcCommand => ({
    type: 'ReleaseParts',
    data: { endpointId, partIds },
  });
  const there = [...inventory, reserved('ep-1', held('10.0.0.4'))];

  it('are reserved for each of its zones, once for each try, and never twice', () => {
    given(...there)
      .when(become('ep-1', 'r-1'))
      .thenEvents(became('ep-1', 'r-1', '2001:db8::4'));
    given(...there, became('ep-1', 'r-1', '2001:db8::4'))
      .when(become('ep-1', 'r-2'))
      .thenEvents(became('ep-1', 'r-2', '2001:db8::5'));
    given(...there)
      .when(become('ep-9', 'r-1'))
      .thenRejected('ENDPOINT_NOT_FOUND');
  });

  it('are refused where a vSwitch of a zone has no IPv6', () =>
    given(...inventory, reserved('ep-1', held('10.0.1.4', { zoneId: 'zone-b', vswitchId: 'vsw-b' })))
      .when(become('ep-1', 'r-1'))
      .thenRejected('DUAL_STACK_UNAVAILABLE', { missing: 'VSWITCH', vswitch_id: 'vsw-b', field: 'address_type' }));

  it('rest once they are released: by themselves, with their zone, or with their endpoint', () => {
    const both = [...there, became('ep-1', 'r-1', '2001:db8::4')];
    const wanted = () => reserve({ zones: [zone('vsw-a', '', '', '2001:db8::4')], dualStack: true });
    given(...both)
      .when(wanted())
      .thenRejected('REQUESTED_ADDRESS_UNAVAILABLE', { why: 'IN_USE' });
    for (const dropping of [drop('ep-1', 'r-1'), drop('ep-1', 'eni-10.0.0.4'), release('ep-1')]) {
      const state = evolveAll(vpc, vpc.initial, both);
      const released = vpc.decide(dropping, state, at);
      expect(released).toHaveLength(1);
      given(...both, ...released)
        .when(wanted())
        .thenRejected('REQUESTED_ADDRESS_UNAVAILABLE', { why: 'RESTING' });
    }
  });
});
