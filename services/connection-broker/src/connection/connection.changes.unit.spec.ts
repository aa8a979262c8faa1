import { evolveAll } from '@privatelink/shared/eventing/decider';
import { deciderSpec } from '@privatelink/shared/testing/decider-spec';
import { describe, expect, it } from 'vitest';
import { connection } from './connection.decide.ts';
import * as the from './connection.fixtures.ts';
import { isUpdated, missing } from './connection.progress.ts';
import type { ConnectionEvent } from './connection.ts';
import { desiredForwarding } from './forwarding.ts';
import { zoneStatus } from './zone-status.ts';

const { givenAll } = deciderSpec(connection, the.at);
const { at, move, report } = the;

const after = (history: readonly ConnectionEvent[]) => evolveAll(connection, connection.initial, history);
const zonesAfter = (history: readonly ConnectionEvent[]) => {
  const state = after(history);
  return Object.fromEntries(
    Object.values(state.zones).map((zone) => [zone.zoneId, [zoneStatus(state, zone), desiredForwarding(state, zone)]]),
  );
};
const changing = move('CONNECTED', 'changed', 'CHANGING', 2);
const started: ConnectionEvent = { type: 'ChangeStarted', data: { at, move: changing } };
const completed: ConnectionEvent = {
  type: 'ChangeCompleted',
  data: { at, move: move('CHANGING', 'confirmed', 'CONNECTED', 2) },
};
const ofZone = (type: 'ZoneRemovalStarted' | 'ZoneRemoved', zoneId: string): ConnectionEvent => ({
  type,
  data: { zoneId, at },
});
const switchedAs = (type: 'ZoneEnabled' | 'ZoneDisabled', zoneId: string): ConnectionEvent => ({
  type,
  data: { zoneId, actor: 'user:paula', at },
});
const added = (zoneId: string): ConnectionEvent => ({
  type: 'ZoneAdded',
  data: { zone: the.requestedZone(zoneId), at },
});
const updatedAs = (revision: number, ...zoneIds: readonly string[]): ConnectionEvent => ({
  type: 'ConnectionUpdated',
  data: { revision, resources: zoneIds.map((zoneId) => the.resource(zoneId)), actor: 'user:carl', at },
});

describe('a zone switched off', () => {
  const off = [...the.connected, switchedAs('ZoneDisabled', 'i'), started];

  it('changes the connection', () =>
    givenAll(the.connected)
      .when(the.switched('DisableZone', 'i'))
      .thenEvents(switchedAs('ZoneDisabled', 'i'), started));

  it('stays open until the names have left it', () => {
    expect(zonesAfter(off)).toEqual({ h: ['CONNECTED', 'READY'], i: ['DISCONNECTING', 'READY'] });
    const named = [...off, the.namesAs('NamesPublished', 2)];
    expect(zonesAfter(named)).toEqual({ h: ['CONNECTED', 'READY'], i: ['DISCONNECTING', 'CLOSED'] });
  });

  it('is off when that is confirmed, and stays so over reconnects', () => {
    const rest = givenAll(off)
      .when(report(2, { zones: [the.zone('h', 'READY'), the.zone('i', 'CLOSED')], names: 'PUBLISHED' }))
      .thenTypes('ZoneConnected', 'ZoneDisconnected', 'NamesPublished', 'ChangeCompleted');
    expect(zonesAfter([...off, ...rest])).toEqual({ h: ['CONNECTED', 'READY'], i: ['DISCONNECTED', 'CLOSED'] });
    const down = move('CONNECTED', 'firstHoldPlaced', 'DISCONNECTING', 3, 'ENDPOINT_PAYMENT_OVERDUE');
    const held = [...off, ...rest, the.holdAs(the.placed(1), null), the.movedAs('DisconnectingStarted', down)];
    expect(zonesAfter(held)).toEqual({ h: ['DISCONNECTING', 'READY'], i: ['DISCONNECTED', 'CLOSED'] });
  });

  it('again changes nothing; the last one is refused, an unknown one too, and all of it unless connected', () => {
    givenAll([...off, completed])
      .when(the.switched('DisableZone', 'i'))
      .thenNothing();
    givenAll([...off, completed])
      .when(the.switched('DisableZone', 'h'))
      .thenRejected('LAST_ENABLED_ZONE');
    givenAll(the.connected).when(the.switched('DisableZone', 'z')).thenRejected('ZONE_NOT_FOUND');
    givenAll(the.disconnected).when(the.switched('DisableZone', 'i')).thenRejected('CONNECTION_STATUS_CONFLICT');
    givenAll(off).when(the.switched('EnableZone', 'i')).thenRejected('CONNECTION_STATUS_CONFLICT');
  });

  it('is switched on again', () => {
    const on = move('CONNECTED', 'changed', 'CHANGING', 3);
    givenAll([...off, completed])
      .when(the.switched('EnableZone', 'i'))
      .thenEvents(switchedAs('ZoneEnabled', 'i'), { type: 'ChangeStarted', data: { at, move: on } });
  });
});

describe('an acceptance', () => {
  it('of some zones switches the others off', () =>
    givenAll(the.awaiting)
      .when(the.accept('yes', '', 'h'))
      .thenEvents(
        the.acceptedAs(null),
        switchedAs('ZoneDisabled', 'i'),
        the.movedAs('ConnectingStarted', move('DISCONNECTED', 'lastHoldLifted', 'CONNECTING', 2)),
      ));

  it('of zones that are not there is refused', () =>
    givenAll(the.awaiting)
      .when(the.accept('yes', '', 'z'))
      .thenRejected('ZONE_NOT_FOUND'));

  const later = '2026-01-02T04:00:00.000Z';
  it('cannot run out before it is given', () => {
    givenAll(the.awaiting).when(the.accept('yes', the.at)).thenRejected('EXPIRE_TIME_PASSED');
    givenAll(the.awaiting).when(the.accept('yes', later)).thenTypes('ConnectionAccepted', 'ConnectingStarted');
  });

  it('runs out at its time: not before, not when a newer one was given, not twice', () => {
    const accepted: ConnectionEvent = {
      type: 'ConnectionAccepted',
      data: { automatic: false, actor: 'user:paula', message: 'yes', expiresAt: the.at, at, move: null },
    };
    const expire = (expiresAt: string) => ({ type: 'ExpireApproval', data: { expiresAt } }) as const;
    const history = [...the.connected, accepted];
    const down = move('CONNECTED', 'firstHoldPlaced', 'DISCONNECTING', 2, 'APPROVAL_EXPIRED');
    const expired: readonly ConnectionEvent[] = [
      { type: 'ApprovalExpired', data: { at, move: null } },
      the.movedAs('DisconnectingStarted', down),
    ];
    givenAll(history)
      .when(expire(the.at))
      .thenEvents(...expired);
    givenAll([...history, ...expired])
      .when(expire(the.at))
      .thenNothing();
    givenAll([...history, the.acceptedAs(null)])
      .when(expire(the.at))
      .thenNothing();
    const lasting = { ...accepted, data: { ...accepted.data, expiresAt: later } } as ConnectionEvent;
    givenAll([...the.connected, lasting])
      .when(expire(later))
      .thenNothing();
  });
});

describe('a pause', () => {
  it('of each side is its own: both must resume', () => {
    const [one] = givenAll(the.connected).when(the.pause('CONSUMER')).thenTypes('HoldPlaced', 'DisconnectingStarted');
    if (!one) throw new Error('no event');
    const paused = [...the.awaiting, the.acceptedAs(null), one];
    const two = givenAll(paused).when(the.pause('PROVIDER')).thenTypes('HoldPlaced');
    givenAll([...paused, ...two])
      .when(the.resume('CONSUMER'))
      .thenEvents({
        type: 'HoldLifted',
        data: {
          ...{ reason: 'PAUSED_BY_CONSUMER', source: 'consumer', revision: 2, actor: 'user:carl', message: '', at },
          move: move('DISCONNECTED', 'holdLifted', 'DISCONNECTED', 1, 'PAUSED_BY_PROVIDER'),
        },
      });
  });

  it('again changes nothing, with other words it says those; a resume without one changes nothing', () => {
    const paused = [
      ...the.connected,
      ...givenAll(the.connected).when(the.pause('CONSUMER')).thenTypes('HoldPlaced', 'DisconnectingStarted'),
    ];
    givenAll(paused).when(the.pause('CONSUMER')).thenNothing();
    givenAll(paused).when(the.pause('CONSUMER', 'maintenance')).thenTypes('HoldPlaced');
    givenAll(the.connected).when(the.resume('CONSUMER')).thenNothing();
  });

  it('of what is deleted is refused', () => {
    givenAll(the.ofDeletedService).when(the.pause('CONSUMER')).thenRejected('CONNECTION_STATUS_CONFLICT');
    givenAll(the.gone).when(the.resume('CONSUMER')).thenRejected('CONNECTION_NOT_FOUND');
  });
});

describe('bandwidth', () => {
  const set = (limitMbps: number) =>
    ({
      type: 'SetBandwidth',
      data: { bandwidth: { mode: 'BANDWIDTH_LIMIT', limitMbps }, actor: 'user:paula' },
    }) as const;

  it('is a change of what is up, and kept for later otherwise', () => {
    expect(after(the.connected).bandwidth).toEqual({ mode: 'SCALABILITY', limitMbps: 0 });
    const { bandwidth, actor } = set(100).data;
    const changed: ConnectionEvent = { type: 'BandwidthChanged', data: { bandwidth, actor, at } };
    givenAll(the.connected).when(set(100)).thenEvents(changed, started);
    expect(after([...the.connected, changed, started])).toMatchObject({ bandwidth, status: 'CHANGING', generation: 2 });
    for (const waiting of [the.awaiting, the.disconnecting, the.disconnected, the.connecting]) {
      givenAll(waiting).when(set(50_000)).thenTypes('BandwidthChanged', 'ChangeStarted');
    }
  });

  it('is within what the service had at admission, and of reverse connections none', () => {
    const facts = { connection_id: 'ep-1', min_mbps: '100', max_mbps: '50000' };
    for (const limit of [99, 50_001]) {
      givenAll(the.connected).when(set(limit)).thenRejected('BANDWIDTH_UNSUPPORTED', facts);
    }
    const [requested, ...rest] = the.connected;
    const reverse = { ...requested, data: { ...requested?.data, bandwidthTerms: null } } as ConnectionEvent;
    givenAll([reverse, ...rest])
      .when(set(100))
      .thenRejected('BANDWIDTH_UNSUPPORTED', { traffic_control_modes: '' });
    for (const ended of [the.ofDeletedService, the.deleting]) {
      givenAll(ended).when(set(100)).thenRejected('CONNECTION_STATUS_CONFLICT');
    }
  });
});

describe('an update of the endpoint', () => {
  const grown = [...the.connected, updatedAs(2, 'h', 'i', 'j'), added('j'), started];
  const shrunk = [...the.connected, updatedAs(2, 'h'), ofZone('ZoneRemovalStarted', 'i'), started];

  it('that adds a zone keeps the others up', () => {
    givenAll(the.connected)
      .when(the.updated(2, ['h', 'i', 'j']))
      .thenEvents(updatedAs(2, 'h', 'i', 'j'), added('j'), started);
    expect(zonesAfter(grown)).toEqual({
      ...{ h: ['CONNECTED', 'READY'], i: ['CONNECTED', 'READY'], j: ['CONNECTING', 'READY'] },
    });
    expect(missing(after(grown))).toContain('resource READY in j');
    expect(isUpdated(after(grown))).toBe(false);
  });

  it('that takes one away is done when no name and no agent has it any more', () => {
    givenAll(the.connected)
      .when(the.updated(2, ['h']))
      .thenEvents(updatedAs(2, 'h'), ofZone('ZoneRemovalStarted', 'i'), started);
    expect(zonesAfter(shrunk)['i']).toEqual(['DELETING', 'READY']);
    const named = [...shrunk, the.namesAs('NamesPublished', 2)];
    expect(zonesAfter(named)['i']).toEqual(['DELETING', 'CLOSED']);
    const done = givenAll(named)
      .when(report(2, { zones: [the.zone('h', 'READY'), the.zone('i', 'CLOSED')] }))
      .thenTypes('ZoneConnected', 'ZoneDisconnected', 'ZoneRemoved', 'ChangeCompleted');
    const state = after([...named, ...done]);
    expect([state.status, Object.keys(state.zones), state.formerZones]).toEqual(['CONNECTED', ['h'], ['i']]);
    expect(isUpdated(state)).toBe(true);
    const returned = { type: 'RecordZoneUnassigned', data: { zoneId: 'i' } } as const;
    expect(state.unreturned).toEqual({ i: 'eni-i' });
    const gone = givenAll([...named, ...done])
      .when(returned)
      .thenTypes('ZoneResourceUnassigned');
    expect(after([...named, ...done, ...gone]).unreturned).toEqual({});
    givenAll(the.connected).when(returned).thenNothing();
  });

  it('gets no zone more once its service is gone', () =>
    givenAll(the.ofDeletedService)
      .when(the.updated(2, ['h', 'i', 'j']))
      .thenEvents(updatedAs(2, 'h', 'i', 'j')));

  it('is kept for later while disconnected: a zone waits, one that is gone goes with its name', () => {
    const kept = move('DISCONNECTED', 'changed', 'DISCONNECTED', 3, 'ENDPOINT_PAYMENT_OVERDUE');
    const changed: ConnectionEvent = { type: 'ChangeStarted', data: { at, move: kept } };
    const history = [
      ...the.disconnected,
      updatedAs(2, 'h', 'j'),
      added('j'),
      ofZone('ZoneRemovalStarted', 'i'),
      changed,
    ];
    givenAll(the.disconnected)
      .when(the.updated(2, ['h', 'j']))
      .thenEvents(...history.slice(the.disconnected.length));
    expect(zonesAfter(history)).toEqual({ h: ['WAIT', 'CLOSED'], i: ['DELETING', 'CLOSED'], j: ['WAIT', 'CLOSED'] });
    givenAll(history)
      .when(report(3, { names: 'WITHDRAWN' }))
      .thenTypes('NamesWithdrawn', 'ZoneRemoved');
  });

  it('that is older, or of what is going, changes nothing', () => {
    givenAll(grown)
      .when(the.updated(2, ['h']))
      .thenNothing();
    givenAll(the.deleting)
      .when(the.updated(9, ['h']))
      .thenNothing();
    givenAll([])
      .when(the.updated(9, ['h']))
      .thenRejected('CONNECTION_NOT_FOUND');
  });

  it('locks and unlocks', () => {
    const locked = givenAll(the.connected)
      .when(the.updated(2, ['h', 'i'], true))
      .thenTypes('ConnectionUpdated', 'HoldPlaced', 'DisconnectingStarted');
    expect(zonesAfter([...the.connected, ...locked])).toEqual({
      ...{ h: ['DISCONNECTING', 'CLOSED'], i: ['DISCONNECTING', 'CLOSED'] },
    });
    givenAll([...the.connected, ...locked])
      .when(the.updated(3, ['h', 'i']))
      .thenTypes('ConnectionUpdated', 'HoldLifted');
  });

  it('is told to be done once', () => {
    const inform = { type: 'RecordEndpointInformed', data: { revision: 2 } } as const;
    const informed: ConnectionEvent = { type: 'EndpointInformed', data: { revision: 2, at } };
    givenAll(grown).when(inform).thenEvents(informed);
    givenAll([...grown, informed])
      .when(inform)
      .thenNothing();
  });
});
