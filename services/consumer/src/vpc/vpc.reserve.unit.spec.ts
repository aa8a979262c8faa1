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
import { reservationOf } from './vpc.ts';

describe('a reservation', () => {
  it('takes everything in one event, zones in order', () => {
    given(...inventory)
      .when(
        reserve({
          zones: [zone('vsw-b', '10.0.1.77'), zone('vsw-a', '', 'zone-a')],
          securityGroupIds: ['sg-2', 'sg-1', 'sg-2'],
        }),
      )
      .thenEvents({
        type: 'EndpointReserved',
        data: {
          endpointId: 'ep-new',
          endpointType: 'INTERFACE',
          serviceId: 'epsrv-1',
          zones: [
            { zoneId: 'zone-a', vswitchId: 'vsw-a', eniId: 'eni-vsw-a', ipv4: '10.0.0.4', ipv6: '' },
            { zoneId: 'zone-b', vswitchId: 'vsw-b', eniId: 'eni-vsw-b', ipv4: '10.0.1.77', ipv6: '' },
          ],
          securityGroupIds: ['sg-2', 'sg-1'],
          customDomains: null,
          at,
        },
      });
  });

  it('is made once', () => {
    given(...inventory, reserved('ep-new', held('10.0.0.4')))
      .when(reserve({ zones: [zone('vsw-b')] }))
      .thenNothing();
  });

  it('is read by its endpoint', () => {
    const ledger = evolveAll(vpc, vpc.initial, [...inventory, reserved('ep-1', held('10.0.0.4'))]);
    expect(reservationOf(ledger, 'ep-1')).toEqual({
      endpointType: 'INTERFACE',
      serviceId: 'epsrv-1',
      zones: [held('10.0.0.4')],
      securityGroups: { 'sg-1': 'sg-1' },
      closings: [],
      customDomains: {},
      ipv6: {},
      at: later(-300_000),
      additions: {},
    });
    expect(reservationOf(ledger, 'ep-2')).toBeNull();
    expect(reservationOf(ledger, 'constructor')).toBeNull();
  });

  it('is released once', () => {
    given(...inventory, reserved('ep-1', held('10.0.0.4')))
      .when(release('ep-1'))
      .thenEvents(released('ep-1', at));
    given(...inventory)
      .when(release('ep-1'))
      .thenNothing();
  });
});

describe('zones and security groups', () => {
  it.each<[string, Partial<Reserve>, string, Record<string, string>]>([
    ['no zone', { zones: [] }, 'ZONE_REQUIRED', { field: 'zones' }],
    [
      'eleven zones',
      { zones: many(11, () => zone('vsw-a')) },
      'QUOTA_EXCEEDED',
      { quota: 'zones per endpoint', limit: '10', current: '11', field: 'zones' },
    ],
    [
      'an unknown vSwitch',
      { zones: [zone('vsw-a'), zone('vsw-x')] },
      'VSWITCH_NOT_FOUND',
      { vswitch_id: 'vsw-x', field: 'zones[1].vswitch_id' },
    ],
    [
      'a vSwitch that only the language knows',
      { zones: [zone('constructor')] },
      'VSWITCH_NOT_FOUND',
      { vswitch_id: 'constructor', field: 'zones[0].vswitch_id' },
    ],
    [
      "another zone than the vSwitch's",
      { zones: [zone('vsw-a', '', 'zone-b')] },
      'ZONE_VSWITCH_MISMATCH',
      { zone_id: 'zone-b', vswitch_id: 'vsw-a', vswitch_zone_id: 'zone-a', field: 'zones[0].zone_id' },
    ],
    [
      'a zone twice',
      { zones: [zone('vsw-b'), zone('vsw-a'), zone('vsw-b2', '', 'zone-b')] },
      'ZONE_DUPLICATE',
      { zone_id: 'zone-b', field: 'zones[2].zone_id' },
    ],
    ['no security group', { securityGroupIds: [] }, 'SECURITY_GROUP_REQUIRED', { field: 'security_group_ids' }],
    [
      'eleven security groups',
      { securityGroupIds: many(11, (i) => `sg-${i}`) },
      'QUOTA_EXCEEDED',
      { quota: 'security groups per endpoint', limit: '10', current: '11', field: 'security_group_ids' },
    ],
    [
      'an unknown security group',
      { securityGroupIds: ['sg-1', 'sg-x'] },
      'SECURITY_GROUP_NOT_FOUND',
      { security_group_id: 'sg-x', field: 'security_group_ids[1]' },
    ],
  ])('%s is refused', (_name, change, reason, facts) => {
    given(...inventory)
      .when(reserve(change))
      .thenRejected(reason, facts);
  });

  it('ten of each are taken', () => {
    const zones = many(10, (i) => vswitch(`vsw-${i}`, `z${i}`, `10.0.${100 + i}.0/24`));
    const groups = many(10, (i) => group(`sg-${i}`));
    given(registered(''), ...zones, ...groups)
      .when(reserve({ zones: many(10, (i) => zone(`vsw-${i}`)), securityGroupIds: many(10, (i) => `sg-${i}`) }))
      .thenTypes('EndpointReserved');
  });
});

describe('the quota of a VPC', () => {
  const address = (i: number) => `10.0.${128 + Math.floor(i / 256)}.${i % 256}`;
  const full = many(1_000, (i) => reserved(`ep-${i}`, held(address(i + 4), { vswitchId: 'vsw-big' })));
  const history = [...inventory, vswitch('vsw-big', 'zone-a', '10.0.128.0/17'), ...full];

  it('is 1,000 endpoints', () => {
    given(...history)
      .when(reserve())
      .thenRejected('QUOTA_EXCEEDED', { quota: 'endpoints per VPC', limit: '1000', current: '1000' });
    given(...history.slice(0, -1))
      .when(reserve())
      .thenTypes('EndpointReserved');
  });

  it('is given back by a release', () => {
    given(...history, released('ep-7', at))
      .when(reserve())
      .thenTypes('EndpointReserved');
  });
});
