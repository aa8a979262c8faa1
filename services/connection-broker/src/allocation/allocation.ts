import type { Decider } from '@privatelink/shared/eventing/decider';
import type { Cmd, Ev } from '@privatelink/shared/eventing/message';
import { assertNever } from '@privatelink/shared/eventing/never';
import { Rejected } from '@privatelink/shared/eventing/rejected';

/** Which resource serves which endpoint, in one zone of one service: the id is `<service id>+<zone id>`. */
export type AllocationEvent =
  | Ev<'ResourceAssigned', { endpointId: string; resourceId: string; at: string }>
  | Ev<'ResourceUnassigned', { endpointId: string; at: string }>
  | Ev<'EndpointPlaced', { endpointId: string; from: string; to: string; force: boolean; actor: string; at: string }>
  | Ev<'PlacementReleased', { endpointId: string; to: string; at: string }>
  | Ev<'EndpointsMoved', { from: string; to: Readonly<Record<string, string>>; at: string }>
  | Ev<'MovesCompleted', { endpointIds: readonly string[]; at: string }>
  | Ev<'ResourceClosed', { resourceId: string; serviceVersion: number; at: string }>;

/**
 * From where, until the connection has been told and forwards elsewhere; `force`: flows to there end. `claimedAt`:
 * somebody has claimed the place for a command on the connection, which may still fail; null when it is so anyhow.
 */
export type Moving = Readonly<{ from: readonly string[]; force: boolean; actor: string; claimedAt: string | null }>;

export type Allocation = Readonly<{
  /** Counts the events. */
  version: number;
  /** Endpoint id → resource id. */
  assigned: Readonly<Record<string, string>>;
  /** Endpoint id → version at which it was put there: connections know by it which of two words is the later. */
  placements: Readonly<Record<string, number>>;
  /** Resource id → version of the service at which it was detached; one attached again later has a higher one. */
  closed: Readonly<Record<string, number>>;
  /** By endpoint id. */
  moving: Readonly<Record<string, Moving>>;
}>;

export type AllocationCommand =
  | Cmd<'AssignResource', { endpointId: string; candidates: readonly string[]; serviceVersion: number }>
  | Cmd<
      'PlaceEndpoint',
      { endpointId: string; candidates: readonly string[]; serviceVersion: number; force: boolean; actor: string }
    >
  | Cmd<'ReleasePlacement', { endpointId: string; placement: number }>
  | Cmd<'UnassignResource', { endpointId: string }>
  | Cmd<'CloseResource', { resourceId: string; candidates: readonly string[]; serviceVersion: number }>
  | Cmd<'CompleteMoves', { endpointIds: readonly string[]; version: number }>;

export type AllocationRejection = 'NO_AVAILABLE_RESOURCE' | 'ZONE_MIGRATING' | 'ZONE_NOT_PLACED';

export const allocationId = (serviceId: string, zoneId: string): string => `${serviceId}+${zoneId}`;

export const allocation: Decider<AllocationCommand, AllocationEvent, Allocation> = {
  category: 'allocation',
  initial: { version: 0, assigned: {}, placements: {}, closed: {}, moving: {} },
  evolve: (before, event) => {
    const state = { ...before, version: before.version + 1 };
    switch (event.type) {
      case 'ResourceAssigned': {
        const { endpointId, resourceId } = event.data;
        return placed(state, { [endpointId]: resourceId });
      }
      case 'ResourceUnassigned': {
        const { endpointId } = event.data;
        return {
          ...state,
          assigned: without(state.assigned, [endpointId]),
          placements: without(state.placements, [endpointId]),
          moving: without(state.moving, [endpointId]),
        };
      }
      case 'EndpointPlaced': {
        const { endpointId, from, to, force, actor, at } = event.data;
        const moving = { ...state.moving, [endpointId]: { from: [from], force, actor, claimedAt: at } };
        return placed({ ...state, moving }, { [endpointId]: to });
      }
      case 'PlacementReleased': {
        const { endpointId, to } = event.data;
        return placed({ ...state, moving: without(state.moving, [endpointId]) }, { [endpointId]: to });
      }
      case 'EndpointsMoved': {
        const { from, to } = event.data;
        const moving = Object.keys(to).map((endpointId): [string, Moving] => {
          const { from: earlier, force, actor } = state.moving[endpointId] ?? { from: [], force: false, actor: '' };
          return [endpointId, { from: [...earlier, from], force, actor, claimedAt: null }];
        });
        return placed({ ...state, moving: { ...state.moving, ...Object.fromEntries(moving) } }, to);
      }
      case 'MovesCompleted':
        return { ...state, moving: without(state.moving, event.data.endpointIds) };
      case 'ResourceClosed': {
        const { resourceId, serviceVersion } = event.data;
        // Nobody can be given back to it: who has claimed another place has it.
        const moving = Object.entries(state.moving).map(([endpointId, move]): [string, Moving] => {
          return [endpointId, move.from.includes(resourceId) ? { ...move, claimedAt: null } : move];
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
        const { endpointId, candidates, serviceVersion } = command.data;
        if (endpointId in state.assigned) return [];
        const resourceId = leastUsed(loadOf(state), usable(state, candidates, serviceVersion));
        if (resourceId === undefined) throw reject('NO_AVAILABLE_RESOURCE', { endpoint_id: endpointId });
        return [{ type: 'ResourceAssigned', data: { endpointId, resourceId, at } }];
      }
      case 'PlaceEndpoint': {
        const { endpointId, candidates, serviceVersion, force, actor } = command.data;
        const from = state.assigned[endpointId];
        if (from === undefined) throw reject('ZONE_NOT_PLACED', { endpoint_id: endpointId });
        const open = usable(state, candidates, serviceVersion);
        if (open.includes(from)) return [];
        const to = leastUsed(loadOf(state), open);
        if (to === undefined) throw reject('NO_AVAILABLE_RESOURCE', { endpoint_id: endpointId });
        if (endpointId in state.moving) throw reject('ZONE_MIGRATING', { endpoint_id: endpointId, resource_id: from });
        return [{ type: 'EndpointPlaced', data: { endpointId, from, to, force, actor, at } }];
      }
      case 'ReleasePlacement': {
        const { endpointId, placement } = command.data;
        const { claimedAt, from: [to] = [] } = state.moving[endpointId] ?? { claimedAt: null };
        if (claimedAt === null || to === undefined || state.placements[endpointId] !== placement) return [];
        return [{ type: 'PlacementReleased', data: { endpointId, to, at } }];
      }
      case 'UnassignResource':
        if (!(command.data.endpointId in state.assigned)) return [];
        return [{ type: 'ResourceUnassigned', data: { endpointId: command.data.endpointId, at } }];
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
        const { endpointIds: arrived, version } = command.data;
        // Who was moved once more meanwhile has not arrived there.
        const isThere = (id: string): boolean => id in state.moving && (state.placements[id] ?? 0) <= version;
        const endpointIds = arrived.filter(isThere);
        return endpointIds.length === 0 ? [] : [{ type: 'MovesCompleted', data: { endpointIds, at } }];
      }
      default:
        return assertNever(command);
    }
  },
};

const reject = (reason: AllocationRejection, facts: Record<string, string>) => new Rejected(reason, facts);

const placed = (state: Allocation, to: Readonly<Record<string, string>>): Allocation => {
  const placements = Object.fromEntries(Object.keys(to).map((endpointId) => [endpointId, state.version]));
  return {
    ...state,
    assigned: { ...state.assigned, ...to },
    placements: { ...state.placements, ...placements },
  };
};

const without = <T>(record: Readonly<Record<string, T>>, keys: readonly string[]): Readonly<Record<string, T>> =>
  Object.fromEntries(Object.entries(record).filter(([key]) => !keys.includes(key)));

type Load = Map<string, number>;

const loadOf = (state: Allocation): Load => {
  const load: Load = new Map();
  for (const resourceId of Object.values(state.assigned)) load.set(resourceId, (load.get(resourceId) ?? 0) + 1);
  return load;
};

const usable = (state: Allocation, candidates: readonly string[], serviceVersion: number): readonly string[] =>
  candidates.filter((resourceId) => serviceVersion > (state.closed[resourceId] ?? -1));

/** Fewest endpoints first; the lower id among equals. */
const leastUsed = (load: Load, candidates: readonly string[]): string | undefined =>
  [...candidates].sort((a, b) => (load.get(a) ?? 0) - (load.get(b) ?? 0) || (a < b ? -1 : 1))[0];

/** Where each of them goes; undefined when nobody can take them. */
const spread = (
  state: Allocation,
  endpointIds: readonly string[],
  candidates: readonly string[],
  serviceVersion: number,
): Readonly<Record<string, string>> | undefined => {
  const load = loadOf(state);
  const to: Record<string, string> = {};
  const open = usable(state, candidates, serviceVersion);
  for (const endpointId of endpointIds) {
    const resourceId = leastUsed(load, open);
    if (resourceId === undefined) return undefined;
    to[endpointId] = resourceId;
    load.set(resourceId, (load.get(resourceId) ?? 0) + 1);
  }
  return to;
};

export const movingFrom = (state: Allocation, resourceId: string): readonly string[] =>
  Object.keys(state.moving)
    .filter((endpointId) => state.moving[endpointId]?.from.includes(resourceId))
    .sort();

export const endpointsOn = (state: Allocation, resourceId: string): readonly string[] =>
  Object.entries(state.assigned)
    .filter(([, assigned]) => assigned === resourceId)
    .map(([endpointId]) => endpointId)
    .sort();
