import { evolveAll } from '@privatelink/shared/eventing/decider';
import { describe, expect, it } from 'vitest';
import { at, given, held, inventory, later, many, release, reserved, vswitch, zone } from './testing/history.ts';
import { vpc } from './vpc.decide.ts';
import { type ReservedZone, reservationOf, type VpcCommand, type VpcEvent } from './vpc.ts';

const reserveZone = (requested = zone('vsw-b'), dualStack = false): VpcCommand => ({
  type: 'ReserveZone',
  data: { endpointId: 'ep-1', zone: requested, dualStack },
});
const reserveGroup = (securityGroupId: string, attachmentId = `sga-${securityGroupId}`): VpcCommand => ({
  type: 'ReserveSecurityGroup',
  data: { endpointId: 'ep-1', securityGroupId, attachmentId },
});
const releaseParts = (...partIds: string[]): VpcCommand => ({
  type: 'ReleaseParts',
  data: { endpointId: 'ep-1', partIds },
});

const inB: ReservedZone = { zoneId: 'zone-b', vswitchId: 'vsw-b', eniId: 'eni-vsw-b', ipv4: '10.0.1.4', ipv6: '' };
const zoneReserved = (reservedZone = inB, when = later(-1_000)): VpcEvent => ({
  type: 'ZoneReserved',
  data: { endpointId: 'ep-1', zone: reservedZone, at: when },
});
const groupReserved = (securityGroupId: string, attachmentId = `sga-${securityGroupId}`): VpcEvent => ({
  type: 'SecurityGroupReserved',
  data: { endpointId: 'ep-1', securityGroupId, attachmentId, at: later(-1_000) },
});
const history = [...inventory, reserved('ep-1', held('10.0.0.4'))];
const ledgerAfter = (...events: VpcEvent[]) => evolveAll(vpc, vpc.initial, [...history, ...events]);

describe('a zone more', () => {
  it('is reserved with an address, chosen or requested', () => {
    given(...history)
      .when(reserveZone())
      .thenEvents(zoneReserved(inB, at));
    given(...history)
      .when(reserveZone(zone('vsw-b', '10.0.1.77', 'zone-b')))
      .thenEvents(zoneReserved({ ...inB, ipv4: '10.0.1.77' }, at));
  });

  it('is part of the reservation, and remembers when it came', () => {
    expect(reservationOf(ledgerAfter(zoneReserved()), 'ep-1')).toMatchObject({
      zones: [held('10.0.0.4'), inB],
      additions: { 'eni-vsw-b': later(-1_000) },
    });
  });

  it('is reserved once for one interface; for another one in the same zone anew, since which counts is not decided here', () => {
    given(...history, zoneReserved())
      .when(reserveZone())
      .thenNothing();
    given(...history, zoneReserved())
      .when(reserveZone({ ...zone('vsw-b'), eniId: 'eni-other' }))
      .thenEvents(zoneReserved({ ...inB, eniId: 'eni-other', ipv4: '10.0.1.5' }, at));
  });

  it.each([
    [zone('vsw-x'), 'VSWITCH_NOT_FOUND', 'zone.vswitch_id'],
    [zone('vsw-b', '', 'zone-a'), 'ZONE_VSWITCH_MISMATCH', 'zone.zone_id'],
    [zone('vsw-b', '10.0.1.0'), 'REQUESTED_ADDRESS_UNAVAILABLE', 'zone.ipv4_address'],
    [zone('vsw-a', '10.0.0.4'), 'REQUESTED_ADDRESS_UNAVAILABLE', 'zone.ipv4_address'],
  ])('is refused whole: %j', (requested, reason, field) => {
    given(...history)
      .when(reserveZone(requested))
      .thenRejected(reason, { field });
  });

  it('has both families where the endpoint has', () => {
    const [event] = given(...history)
      .when(reserveZone(zone('vsw-a'), true))
      .thenTypes('ZoneReserved');
    expect(event?.data).toMatchObject({ zone: { ipv4: '10.0.0.5', ipv6: '2001:db8::4' } });
    given(...history)
      .when(reserveZone(zone('vsw-b'), true))
      .thenRejected('DUAL_STACK_UNAVAILABLE', { field: 'zone.vswitch_id' });
  });

  it('is the tenth at most', () => {
    const nine = many(9, (i) => held(`10.0.9.${i + 4}`, { zoneId: `z${i}`, vswitchId: 'vsw-9' }));
    const many9 = [...inventory, vswitch('vsw-9', 'zone-9', '10.0.9.0/24'), reserved('ep-1', ...nine)];
    given(...many9)
      .when(reserveZone())
      .thenTypes('ZoneReserved');
    given(...many9, zoneReserved())
      .when(reserveZone(zone('vsw-a')))
      .thenRejected('QUOTA_EXCEEDED', { quota: 'zones per endpoint', limit: '10', current: '10' });
  });

  it('is not for an endpoint that has released everything', () => {
    for (const command of [reserveZone(), reserveGroup('sg-2')]) {
      given(...inventory)
        .when(command)
        .thenRejected('ENDPOINT_NOT_FOUND', { field: 'endpoint_id' });
    }
  });

  it('keeps its vSwitch', () => {
    const deregister: VpcCommand = { type: 'DeregisterVSwitch', data: { vswitchId: 'vsw-b' } };
    given(...history, zoneReserved())
      .when(deregister)
      .thenRejected('VSWITCH_IN_USE', { used_by: 'ep-1' });
  });
});

describe('a security group more', () => {
  it('is reserved once for each attaching of it', () => {
    given(...history)
      .when(reserveGroup('sg-2'))
      .thenEvents({
        type: 'SecurityGroupReserved',
        data: { endpointId: 'ep-1', securityGroupId: 'sg-2', attachmentId: 'sga-sg-2', at },
      });
    given(...history, groupReserved('sg-2'))
      .when(reserveGroup('sg-2'))
      .thenNothing();
    given(...history, groupReserved('sg-2'))
      .when(reserveGroup('sg-2', 'sga-other'))
      .thenTypes('SecurityGroupReserved');
  });

  it('is one of the VPC', () => {
    given(...history)
      .when(reserveGroup('sg-x'))
      .thenRejected('SECURITY_GROUP_NOT_FOUND', { security_group_id: 'sg-x', field: 'security_group_id' });
  });

  it('stays in use until its last attaching is released', () => {
    const deregister: VpcCommand = { type: 'DeregisterSecurityGroup', data: { securityGroupId: 'sg-2' } };
    const twice = [groupReserved('sg-2'), groupReserved('sg-2', 'sga-other')];
    const gone: VpcEvent = {
      type: 'SecurityGroupReleased',
      data: { endpointId: 'ep-1', attachmentId: 'sga-other', at },
    };
    given(...history, ...twice, gone)
      .when(deregister)
      .thenRejected('SECURITY_GROUP_IN_USE', { used_by: 'ep-1' });
    const last: VpcEvent = {
      type: 'SecurityGroupReleased',
      data: { endpointId: 'ep-1', attachmentId: 'sga-sg-2', at },
    };
    given(...history, ...twice, gone, last)
      .when(deregister)
      .thenTypes('SecurityGroupDeregistered');
  });
});

describe('a part', () => {
  it('is released once, whether it came with the endpoint or later', () => {
    const full = [...history, zoneReserved(), groupReserved('sg-2')];
    given(...full)
      .when(releaseParts('eni-vsw-b', 'sga-sg-2', 'eni-10.0.0.4', 'sg-1', 'unheard'))
      .thenEvents(
        { type: 'ZoneReleased', data: { endpointId: 'ep-1', eniId: 'eni-vsw-b', at } },
        { type: 'SecurityGroupReleased', data: { endpointId: 'ep-1', attachmentId: 'sga-sg-2', at } },
        { type: 'ZoneReleased', data: { endpointId: 'ep-1', eniId: 'eni-10.0.0.4', at } },
        { type: 'SecurityGroupReleased', data: { endpointId: 'ep-1', attachmentId: 'sg-1', at } },
      );
    given(...inventory)
      .when(releaseParts('eni-vsw-b'))
      .thenNothing();
  });

  it('that is released leaves nothing in the reservation, and its address rests', () => {
    const gone: VpcEvent = { type: 'ZoneReleased', data: { endpointId: 'ep-1', eniId: 'eni-vsw-b', at } };
    const ledger = ledgerAfter(zoneReserved(), gone);
    expect(reservationOf(ledger, 'ep-1')).toEqual(reservationOf(ledgerAfter(), 'ep-1'));
    expect(ledger.resting).toEqual({ '10.0.1.4': later(120_000) });
  });

  it('goes with the whole', () => {
    const [event] = given(...history, zoneReserved())
      .when(release('ep-1'))
      .thenTypes('ReservationReleased');
    const ledger = evolveAll(vpc, ledgerAfter(zoneReserved()), event ? [event] : []);
    expect(Object.keys(ledger.resting).sort()).toEqual(['10.0.0.4', '10.0.1.4']);
  });
});
