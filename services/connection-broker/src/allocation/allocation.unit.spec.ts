import { evolveAll } from '@privatelink/shared/eventing/decider';
import { valueAt } from '@privatelink/shared/eventing/parted';
import { deciderSpec } from '@privatelink/shared/testing/decider-spec';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type AllocationCommand,
  type AllocationEvent,
  allocation,
  allocationId,
  endpointsOn,
  endpointZoneOf,
  movingFrom,
  partsOfEndpointZone,
} from './allocation.ts';

const { given, givenAll, at } = deciderSpec(allocation);

const assign = (
  endpointZone: string,
  candidates: readonly string[],
  serviceVersion = 4,
  others: Readonly<Record<string, number>> = {},
): AllocationCommand => ({
  type: 'AssignResource',
  data: { endpointZone, candidates, serviceVersion, others },
});
const unassign = (endpointZone: string, placement: number | null = null): AllocationCommand => ({
  type: 'UnassignResource',
  data: { endpointZone, placement },
});
const close = (resourceId: string, serviceVersion: number, ...candidates: readonly string[]): AllocationCommand => ({
  type: 'CloseResource',
  data: { resourceId, candidates, serviceVersion },
});
const moved = (from: string, to: Readonly<Record<string, string>>): AllocationEvent => ({
  type: 'EndpointsMoved',
  data: { from, to, at },
});
const assigned = (endpointZone: string, resourceId: string): AllocationEvent => ({
  type: 'ResourceAssigned',
  data: { endpointZone, resourceId, at },
});
const unassigned = (endpointZone: string): AllocationEvent => ({
  type: 'ResourceUnassigned',
  data: { endpointZone, at },
});
const place = (endpointZone: string, candidates: readonly string[], force = false): AllocationCommand => ({
  type: 'PlaceEndpoint',
  data: { endpointZone, candidates, serviceVersion: 4, force, actor: 'user:paula' },
});
const placed = (endpointZone: string, from: string, to: string, force = false): AllocationEvent => ({
  type: 'EndpointPlaced',
  data: { endpointZone, from, to, force, actor: 'user:paula', at },
});
const release = (endpointZone: string, placement: number): AllocationCommand => ({
  type: 'ReleasePlacement',
  data: { endpointZone, placement },
});
const released = (endpointZone: string, to: string): AllocationEvent => ({
  type: 'PlacementReleased',
  data: { endpointZone, to, at },
});
const complete = (version: number, ...endpointZones: readonly string[]): AllocationCommand => ({
  type: 'CompleteMoves',
  data: { endpointZones, version },
});
const told = (...endpointZones: readonly string[]): AllocationEvent => ({
  type: 'MovesCompleted',
  data: { endpointZones, at },
});
const closed = (resourceId: string, serviceVersion: number): AllocationEvent => ({
  type: 'ResourceClosed',
  data: { resourceId, serviceVersion, at },
});

describe('assigning', () => {
  it('takes the resource with the fewest endpoints', () =>
    given(assigned('ep-1', 'nlb-1'), assigned('ep-2', 'nlb-1'), assigned('ep-3', 'nlb-2'))
      .when(assign('ep-4', ['nlb-1', 'nlb-2']))
      .thenEvents(assigned('ep-4', 'nlb-2')));

  it('counts who is on a candidate besides', () => {
    const zones = ['h', 'i'];
    given(assigned('ep-1@a', 'i'))
      .when(assign('ep-1@b', zones, 4, { h: 2, i: 0 }))
      .thenEvents(assigned('ep-1@b', 'i'));
    given(assigned('ep-1@a', 'i'))
      .when(assign('ep-1@b', zones, 4, { h: 0, i: 0 }))
      .thenEvents(assigned('ep-1@b', 'h'));
  });

  it('has each zone of an endpoint by itself', () => {
    expect(partsOfEndpointZone(endpointZoneOf('ep-1', 'cn-shanghai-a'))).toEqual({
      ...{ endpointId: 'ep-1', zoneId: 'cn-shanghai-a' },
    });
    given(assigned('ep-1@a', 'nlb-1'), assigned('ep-1@b', 'nlb-2'))
      .when(unassign('ep-1@a'))
      .thenEvents(unassigned('ep-1@a'));
    given().when(assign('ep-1@a', [])).thenRejected('NO_AVAILABLE_RESOURCE', { endpoint_id: 'ep-1' });
  });

  it('takes the lower id among equals, in whatever order they are given', () =>
    given()
      .when(assign('ep-1', ['nlb-2', 'nlb-1']))
      .thenEvents(assigned('ep-1', 'nlb-1')));

  it('is given up by who was put there, and by nobody who came before', () => {
    const again = [assigned('ep-1', 'nlb-1'), unassigned('ep-1'), assigned('ep-1', 'nlb-2')];
    givenAll(again).when(unassign('ep-1', 1)).thenNothing();
    givenAll(again).when(unassign('ep-1', 3)).thenEvents(unassigned('ep-1'));
  });

  it('counts only who is still there', () =>
    given(assigned('ep-1', 'nlb-1'), assigned('ep-2', 'nlb-2'), unassigned('ep-1'))
      .when(assign('ep-3', ['nlb-1', 'nlb-2']))
      .thenEvents(assigned('ep-3', 'nlb-1')));

  it('leaves who is assigned where it is, whatever the candidates are now', () =>
    given(assigned('ep-1', 'nlb-1'))
      .when(assign('ep-1', ['nlb-2'], 9))
      .thenNothing());

  it('passes over a resource that was detached, until it is attached again', () => {
    given(closed('nlb-1', 6))
      .when(assign('ep-1', ['nlb-1', 'nlb-2'], 6))
      .thenEvents(assigned('ep-1', 'nlb-2'));
    given(closed('nlb-1', 6))
      .when(assign('ep-1', ['nlb-1', 'nlb-2'], 7))
      .thenEvents(assigned('ep-1', 'nlb-1'));
  });

  it('is refused where nothing is left', () => {
    given().when(assign('ep-1', [])).thenRejected('NO_AVAILABLE_RESOURCE', { endpoint_id: 'ep-1' });
    given(closed('nlb-1', 6))
      .when(assign('ep-1', ['nlb-1'], 5))
      .thenRejected('NO_AVAILABLE_RESOURCE');
  });

  it('spreads evenly, whoever comes first', () => {
    const candidates = ['nlb-1', 'nlb-2', 'nlb-3'];
    fc.assert(
      fc.property(fc.uniqueArray(fc.stringMatching(/^ep-[a-z0-9]{3}$/), { maxLength: 20 }), (endpoints) => {
        const state = endpoints.reduce(
          (before, id) => evolveAll(allocation, before, allocation.decide(assign(id, candidates), before, at)),
          allocation.initial,
        );
        const loads = candidates.map((id) => endpointsOn(state, id).length);
        expect(loads.reduce((sum, load) => sum + load)).toBe(endpoints.length);
        expect(Math.max(...loads) - Math.min(...loads)).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe('unassigning', () => {
  it('frees the place once', () => {
    given(assigned('ep-1', 'nlb-1')).when(unassign('ep-1')).thenEvents(unassigned('ep-1'));
    given(assigned('ep-1', 'nlb-1'), unassigned('ep-1')).when(unassign('ep-1')).thenNothing();
    given().when(unassign('ep-1')).thenNothing();
  });
});

describe('closing', () => {
  it('closes a resource that nobody is on', () => {
    given().when(close('nlb-1', 6)).thenEvents(closed('nlb-1', 6));
    given(assigned('ep-1', 'nlb-1'), unassigned('ep-1')).when(close('nlb-1', 6)).thenEvents(closed('nlb-1', 6));
  });

  it('leaves one in use', () => given(assigned('ep-1', 'nlb-1')).when(close('nlb-1', 6)).thenNothing());

  it('counts only forward, so that a late repetition does not close it after it was attached again', () => {
    given(closed('nlb-1', 6)).when(close('nlb-1', 6)).thenNothing();
    given(closed('nlb-1', 6)).when(close('nlb-1', 5)).thenNothing();
    given(closed('nlb-1', 6)).when(close('nlb-1', 9)).thenEvents(closed('nlb-1', 9));
  });
});

describe('names', () => {
  it('are of one zone of one service', () => expect(allocationId('epsrv-1', 'h')).toBe('epsrv-1+h'));

  it('lists the endpoints on a resource, sorted', () => {
    const state = evolveAll(allocation, allocation.initial, [
      assigned('ep-2', 'nlb-1'),
      assigned('ep-1', 'nlb-1'),
      assigned('ep-3', 'nlb-2'),
    ]);
    expect(endpointsOn(state, 'nlb-1')).toEqual(['ep-1', 'ep-2']);
    expect(endpointsOn(state, 'nlb-9')).toEqual([]);
  });
});

describe('moving', () => {
  const two = [assigned('ep-1', 'nlb-1'), assigned('ep-2', 'nlb-1'), assigned('ep-3', 'nlb-2')];

  it('spreads the endpoints of a resource that closes over the others, fewest first', () =>
    given(...two)
      .when(close('nlb-1', 6, 'nlb-2', 'nlb-3'))
      .thenEvents(moved('nlb-1', { 'ep-1': 'nlb-3', 'ep-2': 'nlb-2' }), closed('nlb-1', 6)));

  it('is not possible to what is closed itself', () =>
    given(...two, closed('nlb-3', 7))
      .when(close('nlb-1', 6, 'nlb-3'))
      .thenNothing());

  it('is remembered until the connections have been told, once', () => {
    const history = [...two, moved('nlb-1', { 'ep-1': 'nlb-3', 'ep-2': 'nlb-2' }), closed('nlb-1', 6)];
    const state = evolveAll(allocation, allocation.initial, history);
    expect([movingFrom(state, 'nlb-1'), endpointsOn(state, 'nlb-1')]).toEqual([['ep-1', 'ep-2'], []]);
    given(...history)
      .when(close('nlb-1', 6, 'nlb-2'))
      .thenNothing();
    given(...history)
      .when(complete(5, 'ep-1', 'ep-2', 'ep-9'))
      .thenEvents(told('ep-1', 'ep-2'));
    given(...history, told('ep-1', 'ep-2'))
      .when(complete(9, 'ep-1'))
      .thenNothing();
    given(...history, unassigned('ep-1'))
      .when(complete(9, 'ep-1'))
      .thenNothing();
  });

  it('by hand puts an endpoint where it is told to, also where nobody else is placed', () => {
    given(...two)
      .when(place('ep-1', ['nlb-9']))
      .thenEvents(placed('ep-1', 'nlb-1', 'nlb-9'));
    given(...two)
      .when(place('ep-1', ['nlb-9'], true))
      .thenEvents(placed('ep-1', 'nlb-1', 'nlb-9', true));
    given(...two, placed('ep-1', 'nlb-1', 'nlb-9'))
      .when(place('ep-1', ['nlb-9']))
      .thenNothing();
  });

  it('back to automatic leaves an endpoint that is on such a resource, and chooses one otherwise', () => {
    given(...two)
      .when(place('ep-1', ['nlb-1', 'nlb-3']))
      .thenNothing();
    given(...two, placed('ep-1', 'nlb-1', 'nlb-9'), told('ep-1'))
      .when(place('ep-1', ['nlb-1', 'nlb-2', 'nlb-3']))
      .thenEvents(placed('ep-1', 'nlb-9', 'nlb-3'));
  });

  it('by hand waits for an earlier move of the endpoint, and for its first resource', () => {
    const moving = [...two, placed('ep-1', 'nlb-1', 'nlb-9')];
    given(...moving)
      .when(place('ep-1', ['nlb-3']))
      .thenRejected('ZONE_MIGRATING', { endpoint_id: 'ep-1', resource_id: 'nlb-9' });
    given(...moving)
      .when(place('ep-2', ['nlb-3']))
      .thenEvents(placed('ep-2', 'nlb-1', 'nlb-3'));
    given(...moving, told('ep-1'))
      .when(place('ep-1', ['nlb-3']))
      .thenEvents(placed('ep-1', 'nlb-9', 'nlb-3'));
    given(...two)
      .when(place('ep-9', ['nlb-3']))
      .thenRejected('ZONE_NOT_PLACED');
  });

  it('by hand is a claim, which is given back to where the endpoint was: once, and only this one', () => {
    const claimed = [...two, placed('ep-1', 'nlb-1', 'nlb-9')];
    given(...claimed)
      .when(release('ep-1', 4))
      .thenEvents(released('ep-1', 'nlb-1'));
    const state = evolveAll(allocation, allocation.initial, [...claimed, released('ep-1', 'nlb-1')]);
    expect([valueAt(state.assigned, 'ep-1'), valueAt(state.placements, 'ep-1'), state.moving]).toEqual([
      'nlb-1',
      5,
      {},
    ]);
    given(...claimed)
      .when(release('ep-1', 3))
      .thenNothing();
    given(...claimed, told('ep-1'))
      .when(release('ep-1', 4))
      .thenNothing();
    given(...two)
      .when(release('ep-1', 1))
      .thenNothing();
  });

  it('by hand is no claim any more when the resource that it was on closes, or the one that it is to go to', () => {
    const claimed = [...two, placed('ep-1', 'nlb-1', 'nlb-9')];
    given(...claimed, closed('nlb-1', 6))
      .when(release('ep-1', 4))
      .thenNothing();
    given(...claimed, moved('nlb-9', { 'ep-1': 'nlb-2' }))
      .when(release('ep-1', 5))
      .thenNothing();
  });

  it('by hand is not possible to what was detached', () =>
    given(...two, closed('nlb-3', 7))
      .when(place('ep-1', ['nlb-3']))
      .thenRejected('NO_AVAILABLE_RESOURCE'));

  it('of who is moved once more is over with the later move, and leaves both resources only then', () => {
    const history = [...two, placed('ep-1', 'nlb-1', 'nlb-9'), moved('nlb-9', { 'ep-1': 'nlb-2' })];
    const state = evolveAll(allocation, allocation.initial, history);
    expect([movingFrom(state, 'nlb-1'), movingFrom(state, 'nlb-9')]).toEqual([['ep-1'], ['ep-1']]);
    given(...history)
      .when(complete(4, 'ep-1'))
      .thenNothing();
    given(...history)
      .when(complete(5, 'ep-1'))
      .thenEvents(told('ep-1'));
  });
});
