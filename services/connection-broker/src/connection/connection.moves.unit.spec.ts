import { evolveAll } from '@privatelink/shared/eventing/decider';
import { deciderSpec } from '@privatelink/shared/testing/decider-spec';
import { describe, expect, it } from 'vitest';
import { connection } from './connection.decide.ts';
import * as the from './connection.fixtures.ts';
import type { ConnectionEvent } from './connection.ts';
import { desiredForwarding } from './forwarding.ts';
import { zoneStatus } from './zone-status.ts';

const { givenAll } = deciderSpec(connection, the.at);
const { at, move, report } = the;

const after = (history: readonly ConnectionEvent[]) => evolveAll(connection, connection.initial, history);
const zoneAfter = (history: readonly ConnectionEvent[]) => {
  const state = after(history);
  const zone = state.zones['h'];
  return zone && [zoneStatus(state, zone), desiredForwarding(state, zone), zone.resource?.resourceId];
};

const started = (generation: number, from: 'CONNECTED' | 'CHANGING' = 'CONNECTED'): ConnectionEvent => ({
  type: 'ChangeStarted',
  data: { at, move: move(from, 'changed', 'CHANGING', generation) },
});
const migrating = (resourceId: string, placement: number, force = false): ConnectionEvent => ({
  type: 'ZoneMigrationStarted',
  data: { zoneId: 'h', resource: the.resource('h', resourceId), placement, force, actor: 'user:paula', at },
});
const assigned = ['h', 'i'].map((zoneId): ConnectionEvent => {
  return { type: 'ZoneResourceAssigned', data: { zoneId, resource: the.resource(zoneId), placement: 1, at } };
});
const up = [...the.connected, ...assigned];
const put = (placement: number, force = false) => the.moved('h', `nlb-${placement}`, placement, force);
const onItsWay = [...up, migrating('nlb-2', 2), started(2)];
const forwards = report(2, { zones: the.zones('READY'), names: 'PUBLISHED' });

describe('a zone put on another resource', () => {
  it('stays open while it moves, and has moved when its agent says so: flows to the earlier one live on', () => {
    givenAll(up).when(put(2)).thenEvents(migrating('nlb-2', 2), started(2));
    expect(zoneAfter(onItsWay)).toEqual(['MIGRATING', 'READY', 'nlb-2']);
    const moved = givenAll(onItsWay)
      .when(forwards)
      .thenTypes('ZoneConnected', 'ZoneMigrationCompleted', 'ZoneConnected', 'NamesPublished', 'ChangeCompleted');
    expect(zoneAfter([...onItsWay, ...moved])).toEqual(['MIGRATED', 'READY', 'nlb-2']);
  });

  it('by force is over when its agent forwards: nothing lives on', () => {
    const forced = [...up, migrating('nlb-2', 2, true), started(2)];
    givenAll(up)
      .when(put(2, true))
      .thenEvents(...forced.slice(up.length));
    const moved = givenAll(forced)
      .when(forwards)
      .thenTypes(
        ...(['ZoneConnected', 'ZoneMigrationCompleted', 'ZoneConnected', 'NamesPublished', 'ChangeCompleted'] as const),
      );
    expect(zoneAfter([...forced, ...moved])).toEqual(['CONNECTED', 'READY', 'nlb-2']);
  });

  it('ends the flows that live on when it is put there again by force, once', () => {
    const again = [migrating('nlb-2', 2, true), started(3, 'CHANGING')];
    givenAll(onItsWay)
      .when(put(2, true))
      .thenEvents(...again);
    givenAll([...onItsWay, ...again])
      .when(put(2, true))
      .thenNothing();
    const moved = givenAll(onItsWay)
      .when(forwards)
      .thenTypes(
        ...(['ZoneConnected', 'ZoneMigrationCompleted', 'ZoneConnected', 'NamesPublished', 'ChangeCompleted'] as const),
      );
    givenAll([...onItsWay, ...moved])
      .when(put(2, true))
      .thenEvents(migrating('nlb-2', 2, true), started(3));
    givenAll(up)
      .when(the.moved('h', 'nlb-h', 1, true))
      .thenNothing();
  });

  it('an earlier word of the allocation, or the same one again, changes nothing', () => {
    givenAll(onItsWay).when(put(2)).thenNothing();
    const elsewhere = [...onItsWay, migrating('nlb-3', 3), started(3, 'CHANGING')];
    givenAll(onItsWay)
      .when(put(3))
      .thenEvents(...elsewhere.slice(onItsWay.length));
    givenAll(elsewhere).when(put(2)).thenNothing();
    givenAll(elsewhere).when(put(2, true)).thenNothing();
  });

  it('forgets the earlier one with any disconnect, whether it had moved or not', () => {
    const held: ConnectionEvent[] = [
      ...onItsWay,
      the.holdAs(the.placed(1), null),
      the.movedAs(
        'DisconnectingStarted',
        move('CHANGING', 'firstHoldPlaced', 'DISCONNECTING', 3, 'ENDPOINT_PAYMENT_OVERDUE'),
      ),
      the.namesAs('NamesWithdrawn', 3),
    ];
    const down = givenAll(held)
      .when(report(3, { zones: the.zones('CLOSED') }))
      .thenTypes('ZoneDisconnected', 'ZoneDisconnected', 'ConnectionDisconnected');
    expect(after([...held, ...down]).zones['h']).toMatchObject({ migration: null, resource: { resourceId: 'nlb-2' } });
    expect(zoneAfter([...held, ...down])).toEqual(['WAIT', 'CLOSED', 'nlb-2']);
  });

  it('is kept for later while disconnected, and moves nothing then', () => {
    const down = [...the.disconnected, ...assigned];
    const kept = givenAll(down).when(put(2)).thenTypes('ZoneMigrationStarted', 'ChangeStarted');
    expect(zoneAfter([...down, ...kept])).toEqual(['WAIT', 'CLOSED', 'nlb-2']);
    expect(after([...down, ...kept]).zones['h']?.migration).toBeNull();
  });

  it('comes with the command that it was claimed for, in one append', () => {
    const waiting = [...the.awaiting, ...assigned];
    const moves = [{ zoneId: 'h', resource: the.resource('h', 'nlb-2'), placement: 2, force: false }];
    const data = { actor: 'user:paula', message: 'yes', expiresAt: '', zoneIds: [], moves, bandwidth: null };
    const accepted = givenAll(waiting)
      .when({ type: 'AcceptConnection', data })
      .thenTypes('ConnectionAccepted', 'ZoneMigrationStarted', 'ConnectingStarted');
    expect(zoneAfter([...waiting, ...accepted])).toEqual(['CONNECTING', 'READY', 'nlb-2']);
    givenAll(up)
      .when({ type: 'PlaceZones', data: { moves, actor: 'user:paula' } })
      .thenEvents(migrating('nlb-2', 2), started(2));
    givenAll(onItsWay)
      .when({ type: 'PlaceZones', data: { moves, actor: 'user:paula' } })
      .thenNothing();
  });

  it('is refused with its command once the claim was voided, and a claim that was told is void no more', () => {
    const moves = [{ zoneId: 'h', resource: the.resource('h', 'nlb-2'), placement: 2, force: false }];
    const place = { type: 'PlaceZones', data: { moves, actor: 'user:paula' } } as const;
    const voidIt = { type: 'VoidPlacement', data: { zoneId: 'h', placement: 2 } } as const;
    const voided = givenAll(up).when(voidIt).thenTypes('ZoneResourceAssigned');
    expect(zoneAfter([...up, ...voided])).toEqual(['CONNECTED', 'READY', 'nlb-h']);
    givenAll([...up, ...voided])
      .when(place)
      .thenRejected('ZONE_PLACEMENT_ABANDONED', { connection_id: 'ep-1', zone_id: 'h' });
    givenAll(onItsWay).when(voidIt).thenNothing();
    for (const other of [the.connected, the.deleting, the.gone, []]) givenAll(other).when(voidIt).thenNothing();
  });

  it('waits for its first resource, which the allocation gives it, and is of no interest to what ends', () => {
    givenAll(the.connected).when(put(2)).thenNothing();
    for (const ended of [the.ofDeletedService, the.deleting, the.gone]) {
      givenAll([...ended.slice(0, 1), ...assigned, ...ended.slice(1)])
        .when(put(2))
        .thenNothing();
    }
  });
});
