import type { Decider } from '@privatelink/shared/eventing/decider';
import type { Cmd, Ev } from '@privatelink/shared/eventing/message';
import { assertNever } from '@privatelink/shared/eventing/never';
import { entriesOf, type Parted, valueAt, withoutKey, withValue } from '@privatelink/shared/eventing/parted';
import { Rejected } from '@privatelink/shared/eventing/rejected';

/**
 * Which resource serves which endpoint, in one zone of one service: the id is `<service id>+<zone id>`. Zones of endpoints
 * of other regions are first allocated a zone of the service, in a ledger of the service's region: `<service id>+<region>`,
 * where zones are the resources.
 *
 * Who is placed is a zone of an endpoint, `<endpoint id>@<zone id>`: two zones of an endpoint of another region may be
 * served by the same zone.
 */
export type AllocationEvent =
  | Ev<'ResourceAssigned', { endpointZone: string; resourceId: string; at: string }>
  | Ev<'ResourceUnassigned', { endpointZone: string; at: string }>
  | Ev<'EndpointPlaced', { endpointZone: string; from: string; to: string; force: boolean; actor: string; at: string }>
  | Ev<'PlacementReleased', { endpointZone: string; to: string; at: string }>
  | Ev<'EndpointsMoved', { from: string; to: Readonly<Record<string, string>>; at: string }>
  | Ev<'MovesCompleted', { endpointZones: readonly string[]; at: string }>
  | Ev<'ResourceClosed', { resourceId: string; serviceVersion: number; at: string }>;

/**
 * From where, until the connection has been told and forwards elsewhere; `force`: flows to there end. `claimedAt`:
 * somebody has claimed the place for a command on the connection, which may still fail; null when it is so anyhow.
 */
export type Moving = Readonly<{ from: readonly string[]; force: boolean; actor: string; claimedAt: string | null }>;

export type Allocation = Readonly<{
  /** Counts the events. */
  version: number;
  /** Zone of an endpoint → resource id. */
  assigned: Parted<string>;
  /** Zone of an endpoint → version at which it was put there: connections know by it which of two words is the later. */
  placements: Parted<number>;
  /** Resource id → how many it serves. */
  load: Readonly<Record<string, number>>;
  /** Resource id → version of the service at which it was detached; one attached again later has a higher one. */
  closed: Readonly<Record<string, number>>;
  /** By zone of an endpoint. */
  moving: Readonly<Record<string, Moving>>;
}>;

export type AllocationCommand =
  | Cmd<
      'AssignResource',
      {
        endpointZone: string;
        candidates: readonly string[];
        serviceVersion: number;
        /** Candidate → how many endpoints it has besides those of this ledger. */
        others: Readonly<Record<string, number>>;
      }
    >
  | Cmd<
      'PlaceEndpoint',
      { endpointZone: string; candidates: readonly string[]; serviceVersion: number; force: boolean; actor: string }
    >
  | Cmd<'ReleasePlacement', { endpointZone: string; placement: number }>
  /** `placement`: only if it is still there by it; null whenever it was put there. */
  | Cmd<'UnassignResource', { endpointZone: string; placement: number | null }>
  | Cmd<'CloseResource', { resourceId: string; candidates: readonly string[]; serviceVersion: number }>
  | Cmd<'CompleteMoves', { endpointZones: readonly string[]; version: number }>;

export type AllocationRejection = 'NO_AVAILABLE_RESOURCE' | 'ZONE_MIGRATING' | 'ZONE_NOT_PLACED';

export const allocationId = (serviceId: string, zoneId: string): string => `${serviceId}+${zoneId}`;

export const endpointZoneOf = (endpointId: string, zoneId: string): string => `${endpointId}@${zoneId}`;

export const partsOfEndpointZone = (endpointZone: string): Readonly<{ endpointId: string; zoneId: string }> => {
  const [endpointId = '', zoneId = ''] = endpointZone.split('@');
  return { endpointId, zoneId };
};

export const allocation: Decider<AllocationCommand, AllocationEvent, Allocation> = {
  category: 'allocation',
  initial: { version: 0, assigned: {}, placements: {}, load: {}, closed: {}, moving: {} },
  evolve: (before, event) => {
    const state = { ...before, version: before.version + 1 };
    switch (event.type) {
      case 'ResourceAssigned': {
        const { endpointZone, resourceId } = event.data;
        return placed(state, { [endpointZone]: resourceId });
      }
      case 'ResourceUnassigned': {
        const { endpointZone } = event.data;
        return {
          ...state,
          assigned: withoutKey(state.assigned, endpointZone),
          placements: withoutKey(state.placements, endpointZone),
          load: loaded(state.load, valueAt(state.assigned, endpointZone), undefined),
          moving: without(state.moving, [endpointZone]),
        };
      }
      case 'EndpointPlaced': {
        const { endpointZone, from, to, force, actor, at } = event.data;
        const moving = { ...state.moving, [endpointZone]: { from: [from], force, actor, claimedAt: at } };
        return placed({ ...state, moving }, { [endpointZone]: to });
      }
      case 'PlacementReleased': {
        const { endpointZone, to } = event.data;
        return placed({ ...state, moving: without(state.moving, [endpointZone]) }, { [endpointZone]: to });
      }
      case 'EndpointsMoved': {
        const { from, to } = event.data;
        const moving = Object.keys(to).map((endpointZone): [string, Moving] => {
          const { from: earlier, force, actor } = state.moving[endpointZone] ?? { from: [], force: false, actor: '' };
          return [endpointZone, { from: [...earlier, from], force, actor, claimedAt: null }];
        });
        return placed({ ...state, moving: { ...state.moving, ...Object.fromEntries(moving) } }, to);
      }
      case 'MovesCompleted':
        return { ...state, moving: without(state.moving, event.data.endpointZones) };
      case 'ResourceClosed': {
        const { resourceId, serviceVersion } = event.data;
        // Nobody can be given back to it: who has claimed another place has it.
        const moving = Object.entries(state.moving).map(([endpointZone, move]): [string, Moving] => {
          return [endpointZone, move.from.includes(resourceId) ? { ...move, claimedAt: null } : move];
        });
        const closed = { ...state.closed, [resourceId]: serviceVersion };
        return { ...state, closed, moving: Object.fromEntries(moving) };
      }
      default:
        return assertNever(event);
    }
  },
  decide: (command, state, at) => {
    switch (command.type) {
      case 'AssignResource': {
        const { endpointZone, candidates, serviceVersion, others } = command.data;
        if (valueAt(state.assigned, endpointZone) !== undefined) return [];
        const resourceId = leastUsed(loadOf(state, others), usable(state, candidates, serviceVersion));
        if (resourceId === undefined) throw reject('NO_AVAILABLE_RESOURCE', endpointZone);
        return [{ type: 'ResourceAssigned', data: { endpointZone, resourceId, at } }];
      }
      case 'PlaceEndpoint': {
        const { endpointZone, candidates, serviceVersion, force, actor } = command.data;
        const from = valueAt(state.assigned, endpointZone);
        if (from === undefined) throw reject('ZONE_NOT_PLACED', endpointZone);
        const open = usable(state, candidates, serviceVersion);
        if (open.includes(from)) return [];
        const to = leastUsed(loadOf(state), open);
        if (to === undefined) throw reject('NO_AVAILABLE_RESOURCE', endpointZone);
        if (endpointZone in state.moving) throw reject('ZONE_MIGRATING', endpointZone, { resource_id: from });
        return [{ type: 'EndpointPlaced', data: { endpointZone, from, to, force, actor, at } }];
      }
      case 'ReleasePlacement': {
        const { endpointZone, placement } = command.data;
        const { claimedAt, from: [to] = [] } = state.moving[endpointZone] ?? { claimedAt: null };
        if (claimedAt === null || to === undefined || valueAt(state.placements, endpointZone) !== placement) return [];
        return [{ type: 'PlacementReleased', data: { endpointZone, to, at } }];
      }
      case 'UnassignResource': {
        const { endpointZone, placement } = command.data;
        if (valueAt(state.assigned, endpointZone) === undefined) return [];
        if (placement !== null && placement !== valueAt(state.placements, endpointZone)) return [];
        return [{ type: 'ResourceUnassigned', data: { endpointZone, at } }];
      }
      case 'CloseResource': {
        const { resourceId, candidates, serviceVersion } = command.data;
        if ((state.closed[resourceId] ?? -1) >= serviceVersion) return [];
        const closed: AllocationEvent = { type: 'ResourceClosed', data: { resourceId, serviceVersion, at } };
        const leaving = endpointsOn(state, resourceId);
        if (leaving.length === 0) return [closed];
        const to = spread(state, leaving, candidates, serviceVersion);
        return to ? [{ type: 'EndpointsMoved', data: { from: resourceId, to, at } }, closed] : [];
      }
      case 'CompleteMoves': {
        const { endpointZones: arrived, version } = command.data;
        // Who was moved once more meanwhile has not arrived there.
        const isThere = (id: string): boolean => id in state.moving && (valueAt(state.placements, id) ?? 0) <= version;
        const endpointZones = arrived.filter(isThere);
        return endpointZones.length === 0 ? [] : [{ type: 'MovesCompleted', data: { endpointZones, at } }];
      }
      default:
        return assertNever(command);
    }
  },
};

const reject = (reason: AllocationRejection, endpointZone: string, facts: Record<string, string> = {}) =>
  new Rejected(reason, { endpoint_id: partsOfEndpointZone(endpointZone).endpointId, ...facts });

const placed = (state: Allocation, to: Readonly<Record<string, string>>): Allocation => {
  let { assigned, placements, load } = state;
  for (const [endpointZone, resourceId] of Object.entries(to)) {
    load = loaded(load, valueAt(assigned, endpointZone), resourceId);
    assigned = withValue(assigned, endpointZone, resourceId);
    placements = withValue(placements, endpointZone, state.version);
  }
  return { ...state, assigned, placements, load };
};

/** After one of them has gone from one resource to another. */
const loaded = (
  load: Allocation['load'],
  from: string | undefined,
  to: string | undefined,
): Readonly<Record<string, number>> => {
  const next = { ...load };
  if (from !== undefined) next[from] = (next[from] ?? 0) - 1;
  if (to !== undefined) next[to] = (next[to] ?? 0) + 1;
  return next;
};

const without = <T>(record: Readonly<Record<string, T>>, keys: readonly string[]): Readonly<Record<string, T>> =>
  Object.fromEntries(Object.entries(record).filter(([key]) => !keys.includes(key)));

type Load = Map<string, number>;

const loadOf = ({ load }: Allocation, others: Readonly<Record<string, number>> = {}): Load => {
  const all: Load = new Map(Object.entries(others));
  for (const [resourceId, count] of Object.entries(load)) all.set(resourceId, (all.get(resourceId) ?? 0) + count);
  return all;
};

/** Those that are not closed. */
export const usable = (state: Allocation, candidates: readonly string[], serviceVersion: number): readonly string[] =>
  candidates.filter((resourceId) => serviceVersion > (state.closed[resourceId] ?? -1));

/** Fewest endpoints first; the lower id among equals. */
const leastUsed = (load: Load, candidates: readonly string[]): string | undefined =>
  [...candidates].sort((a, b) => (load.get(a) ?? 0) - (load.get(b) ?? 0) || (a < b ? -1 : 1))[0];

/** Where each of them goes; undefined when nobody can take them. */
const spread = (
  state: Allocation,
  endpointZones: readonly string[],
  candidates: readonly string[],
  serviceVersion: number,
): Readonly<Record<string, string>> | undefined => {
  const load = loadOf(state);
  const to: Record<string, string> = {};
  const open = usable(state, candidates, serviceVersion);
  for (const endpointZone of endpointZones) {
    const resourceId = leastUsed(load, open);
    if (resourceId === undefined) return undefined;
    to[endpointZone] = resourceId;
    load.set(resourceId, (load.get(resourceId) ?? 0) + 1);
  }
  return to;
};

export const movingFrom = (state: Allocation, resourceId: string): readonly string[] =>
  Object.keys(state.moving)
    .filter((endpointZone) => state.moving[endpointZone]?.from.includes(resourceId))
    .sort();

/** Zones of endpoints. */
export const endpointsOn = (state: Allocation, resourceId: string): readonly string[] =>
  entriesOf(state.assigned)
    .filter(([, assigned]) => assigned === resourceId)
    .map(([endpointZone]) => endpointZone)
    .sort();
