import type { Folded } from '@privatelink/shared/app/fold';
import { forEachLimit } from '@privatelink/shared/app/for-each-limit';
import { processContext } from '@privatelink/shared/app/process-context';
import type { Reactor } from '@privatelink/shared/app/run-reactor';
import type { CommandContext } from '@privatelink/shared/eventing/command-context';
import { idOfStream } from '@privatelink/shared/eventing/decider';
import { valueAt } from '@privatelink/shared/eventing/parted';
import type { Clock } from '@privatelink/shared/eventing/ports';
import {
  type Allocation,
  allocationId,
  endpointsOn,
  movingFrom,
  partsOfEndpointZone,
} from '../allocation/allocation.ts';
import type { Connection, Resource } from '../connection/connection.ts';
import { isEnded } from '../connection/connection-status.ts';
import { isConfirmed } from '../connection/forwarding.ts';
import type { ProviderPort } from '../dispatch/provider.ts';
import type { Repositories } from '../repositories.ts';

/**
 * Which resource serves an endpoint in a zone is decided by one append to the zone's allocation, whoever wants it:
 * then its connection is told, and the move is over when that forwards to the new resource, or is not up. This goes on
 * where it was, however often and by however many it is done.
 *
 * Who places by hand has only claimed it: the connection is told by the command that the claim is for, or else, when
 * that failed or its caller died, the claim is voided there and then given back. Exactly one of the two comes first.
 */
type Ledger = Folded<Allocation>;
type ContextOf = (step: string) => CommandContext;
/** Null where it is not among those that are known here. */
type ResourceOf = (resourceId: string, known: readonly Resource[]) => Promise<Resource | null>;

const CONCURRENCY = 32;
const LOOK_AGAIN_MS = 1_000;

const partsOf = (id: string) => {
  const at = id.indexOf('+');
  return { serviceId: id.slice(0, at), serviceZone: id.slice(at + 1) };
};

export const resourceFrom =
  (serviceZone: string, offered: readonly Resource[]): ResourceOf =>
  async (resourceId, known) => {
    const isIt = (one: Resource): boolean => one.resourceId === resourceId && one.zoneId === serviceZone;
    return [...offered.map(withoutOffer), ...known].find(isIt) ?? null;
  };

/** Tells the connections of these zones of endpoints where they are by now, and records who has arrived; trouble of one is its own. */
export const tellMoves =
  ({ connections, allocations }: Repositories) =>
  async (
    id: string,
    ledger: Ledger,
    endpointZones: readonly string[],
    resourceOf: ResourceOf,
    contextOf: ContextOf,
  ): Promise<Readonly<{ after: Allocation; untold: number }>> => {
    const { assigned, placements, moving, version } = ledger.state;
    const arrived: string[] = [];
    const failures: unknown[] = [];
    let untold = 0;
    const tell = async (endpointZone: string): Promise<void> => {
      const { endpointId, zoneId } = partsOfEndpointZone(endpointZone);
      const resourceId = valueAt(assigned, endpointZone) ?? '';
      const placement = valueAt(placements, endpointZone) ?? 0;
      const { force = false, actor = '', claimedAt = null } = moving[endpointZone] ?? {};
      let { state } = await connections.fold(endpointId);
      const isClaim = claimedAt !== null && placement > (state.zones[zoneId]?.placement ?? 0);
      const resource = hasZone(state, zoneId) && !isClaim ? await resourceOf(resourceId, state.resources) : null;
      if (resource) {
        const data = { zoneId, resource, placement, force, actor };
        const context = contextOf(`move/${endpointZone}@${placement}`);
        state = (await connections.execute(endpointId, { type: 'MoveZone', data }, context)).latest.state;
      }
      if (hasArrived(state, zoneId, resourceId)) arrived.push(endpointZone);
      else if (!isTold(state, zoneId, placement)) untold++;
    };
    await forEachLimit(endpointZones, CONCURRENCY, (endpointZone) =>
      tell(endpointZone).catch((error: unknown) => void failures.push(error)),
    );
    let after = ledger.state;
    if (arrived.length > 0) {
      const complete = { type: 'CompleteMoves', data: { endpointZones: arrived.sort(), version } } as const;
      const context = contextOf(`complete@${version}/${arrived.length}`);
      after = (await allocations.execute(id, complete, context)).latest.state;
    }
    if (failures.length > 0) throw failures[0];
    return { after, untold };
  };

/** Whether there is anything that could forward to an earlier resource, now or later. */
const hasZone = ({ status, zones }: Connection, zoneId: string): boolean =>
  status !== null && !isEnded(status) && zoneId in zones;

export const hasArrived = (state: Connection, zoneId: string, resourceId: string): boolean => {
  const zone = state.zones[zoneId];
  if (!zone || !hasZone(state, zoneId)) return true;
  if (zone.resource?.resourceId !== resourceId) return false;
  return state.status === 'DISCONNECTED' || isConfirmed(state, zone);
};

/** Its connection says so when it arrives. */
const isTold = ({ zones }: Connection, zoneId: string, placement: number): boolean => {
  const zone = zones[zoneId];
  return zone?.moved === true && zone.placement >= placement;
};

/** Gives a claimed place back, unless the connection was told of it: then it stays. */
export const releaseClaim =
  ({ connections, allocations }: Repositories) =>
  async (id: string, endpointZone: string, placement: number, contextOf: ContextOf): Promise<void> => {
    const { endpointId, zoneId } = partsOfEndpointZone(endpointZone);
    const before = (await allocations.fold(id)).state;
    if (valueAt(before.placements, endpointZone) !== placement || !before.moving[endpointZone]?.claimedAt) return;
    const step = `${endpointZone}@${placement}`;
    const voidIt = { type: 'VoidPlacement', data: { zoneId, placement } } as const;
    const { state } = (await connections.execute(endpointId, voidIt, contextOf(`void/${step}`))).latest;
    const zone = state.zones[zoneId];
    const isVoid = zone !== undefined && zone.placement >= placement;
    if (!isVoid || zone.resource?.resourceId === valueAt(before.assigned, endpointZone)) return;
    const release = { type: 'ReleasePlacement', data: { endpointZone, placement } } as const;
    await allocations.execute(id, release, contextOf(`release/${step}`));
  };

export type MovingDeps = Repositories &
  Readonly<{
    provider: Pick<ProviderPort, 'resourcesOf'>;
    clock: Clock;
    /** Longer than a caller waits for a command. */
    abandonAfterMs: number;
  }>;

/** Whoever decided on a move may have died before it was told. */
export const moving = (deps: MovingDeps): Reactor => ({
  name: 'moving',
  prefixes: ['allocation-'],
  key: (event) => idOfStream(event.stream),
  work: async (id) => {
    const found = await deps.allocations.fold(id);
    const { serviceId, serviceZone } = partsOf(id);
    const contextOf: ContextOf = (step) => processContext(step, found, deps.clock.now(), { service: 'broker' });
    const expired = deps.clock.now().getTime() - deps.abandonAfterMs;
    for (const [endpointZone, { claimedAt }] of Object.entries(found.state.moving)) {
      if (claimedAt === null || Date.parse(claimedAt) > expired) continue;
      await releaseClaim(deps)(id, endpointZone, valueAt(found.state.placements, endpointZone) ?? 0, contextOf);
    }
    const ledger = await deps.allocations.fold(id);
    const endpointZones = Object.keys(ledger.state.moving);
    if (endpointZones.length === 0) return 'settled';
    const current = once(async () => (await deps.provider.resourcesOf(serviceId, ledger.cause)).resources);
    const resourceOf: ResourceOf = async (resourceId, known) => {
      const resource = await resourceFrom(serviceZone, await current())(resourceId, known);
      if (!resource) throw new Error(`nobody knows of ${resourceId} in ${serviceZone}, where an endpoint was placed`);
      return resource;
    };
    const { untold } = await tellMoves(deps)(id, ledger, endpointZones, resourceOf, contextOf);
    return untold === 0 ? 'settled' : { againMs: LOOK_AGAIN_MS };
  },
});

const once = <T>(load: () => Promise<T>): (() => Promise<T>) => {
  let loading: Promise<T> | undefined;
  return () => (loading ??= load());
};

/** What an allocation's resource is for a connection. */
export const withoutOffer = ({ resourceId, zoneId, targets, vpcId, proxyProtocol }: Resource): Resource => ({
  ...{ resourceId, zoneId, targets, vpcId, proxyProtocol },
});

export type Closing = Readonly<{
  serviceId: string;
  zoneId: string;
  resourceId: string;
  serviceVersion: number;
  /** Other resources of the zone, as they are now. */
  candidates: readonly Resource[];
}>;

export type Closed = Readonly<{
  /** Endpoints that no other resource can take: the resource stays. */
  endpointIds: readonly string[];
  /** How many connections were moved from it, by this or by hand, and do not forward elsewhere yet. */
  movingCount: number;
}>;

/** Closes a resource for its zone: its endpoints are moved to others in one append. */
export const closeResource =
  (deps: Repositories) =>
  async (closing: Closing, context: CommandContext): Promise<Closed> => {
    const { serviceId, zoneId, resourceId, serviceVersion, candidates } = closing;
    const id = allocationId(serviceId, zoneId);
    const data = { resourceId, serviceVersion, candidates: candidates.map((candidate) => candidate.resourceId) };
    const contextOf: ContextOf = (step) => ({ ...context, requestId: `${context.requestId}/${step}` });
    const { latest } = await deps.allocations.execute(id, { type: 'CloseResource', data }, contextOf('close'));
    const resourceOf = resourceFrom(zoneId, candidates);
    const { after } = await tellMoves(deps)(id, latest, movingFrom(latest.state, resourceId), resourceOf, contextOf);
    const staying = endpointsOn(latest.state, resourceId).map((key) => partsOfEndpointZone(key).endpointId);
    const endpointIds = [...new Set(staying)];
    return { endpointIds, movingCount: movingFrom(after, resourceId).length };
  };
