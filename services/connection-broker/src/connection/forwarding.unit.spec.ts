import { evolveAll } from '@privatelink/shared/eventing/decider';
import { deciderSpec } from '@privatelink/shared/testing/decider-spec';
import { describe, expect, it } from 'vitest';
import { connection } from './connection.decide.ts';
import * as the from './connection.fixtures.ts';
import type { ConnectionEvent } from './connection.ts';
import { desiredForwarding, zoneBandwidth } from './forwarding.ts';

const { givenAll } = deciderSpec(connection, the.at);

const desiredAfter = (...history: readonly ConnectionEvent[]) => {
  const state = evolveAll(connection, connection.initial, history);
  return [...new Set(Object.values(state.zones).map((zone) => desiredForwarding(state, zone)))].join();
};

const lock = the.placed(1, 'operator', 'SERVICE_SECURITY_LOCK');
const move = the.move('CONNECTED', 'firstHoldPlaced', 'DISCONNECTING', 2, 'SERVICE_SECURITY_LOCK');
const graceElapsed: ConnectionEvent = { type: 'NamesGraceElapsed', data: { generation: 2, at: the.at } };

describe('what zone agents are told', () => {
  it.each([
    ['a connection that awaits acceptance', 'CLOSED', the.awaiting],
    ['a connection that is wanted', 'READY', the.connecting],
    ['an established one', 'READY', the.connected],
    ['one that goes down while its names may still answer', 'READY', the.disconnecting],
    ['one whose names are gone', 'CLOSED', [...the.disconnecting, the.namesAs('NamesWithdrawn', 2)]],
    ['one whose names have had their time', 'CLOSED', [...the.disconnecting, graceElapsed]],
    [
      'one that a security lock holds',
      'CLOSED',
      [...the.connected, the.holdAs(lock, null), the.movedAs('DisconnectingStarted', move)],
    ],
    ['one that is down', 'CLOSED', the.disconnected],
    ['that of a deleted service, whatever its names', 'CLOSED', the.ofDeletedService],
    ['that of an endpoint being deleted, while its names answer', 'READY', the.deleting],
    ['that of an endpoint being deleted, without them', 'CLOSED', [...the.deleting, the.namesAs('NamesWithdrawn', 2)]],
    ['one that is gone', 'CLOSED', the.gone],
  ] as const)('%s: %s', (_of, desired, history) => {
    expect(desiredAfter(...history)).toBe(desired);
  });

  it('closes at once what was never open', () => {
    const [requested, accepted] = the.connecting;
    if (!requested || !accepted) throw new Error('the fixture has changed');
    const down = the.move('CONNECTING', 'firstHoldPlaced', 'DISCONNECTING', 2, 'ENDPOINT_PAYMENT_OVERDUE');
    const history = [requested, accepted, the.holdAs(the.placed(1), null), the.movedAs('DisconnectingStarted', down)];
    expect(desiredAfter(...history)).toBe('CLOSED');
  });
});

describe('what a zone may carry', () => {
  const limited: ConnectionEvent = {
    type: 'BandwidthChanged',
    data: { bandwidth: { mode: 'BANDWIDTH_LIMIT', limitMbps: 101 }, actor: 'user:paula', at: the.at },
  };
  const after = (...events: readonly ConnectionEvent[]) =>
    zoneBandwidth(evolveAll(connection, connection.initial, [...the.connected, ...events]))?.limitMbps;
  const off = (zoneId: string): ConnectionEvent => ({
    type: 'ZoneDisabled',
    data: { zoneId, actor: 'user:paula', at: the.at },
  });

  it('is an equal share of the limit for each zone that is on, rounded up, and no limit where there is none', () => {
    expect(after(limited)).toBe(51);
    expect(after(limited, off('i'))).toBe(101);
    expect(after(limited, off('h'), off('i'))).toBe(101);
    expect(after()).toBe(0);
  });
});

describe('names whose time is over', () => {
  it('are recorded once, for this generation, while they are waited for', () => {
    givenAll(the.disconnecting)
      .when(the.report(2, { namesGraceOver: true }))
      .thenEvents(graceElapsed);
    givenAll([...the.disconnecting, graceElapsed])
      .when(the.report(2, { namesGraceOver: true }))
      .thenNothing();
    givenAll(the.disconnecting)
      .when(the.report(1, { namesGraceOver: true }))
      .thenNothing();
    givenAll(the.connected)
      .when(the.report(1, { namesGraceOver: true }))
      .thenNothing();
  });

  it('must still be confirmed', () =>
    givenAll([...the.disconnecting, graceElapsed])
      .when(the.report(2, { zones: the.zones('CLOSED') }))
      .thenEvents(...the.zonesAs('ZoneDisconnected', 2)));
});
