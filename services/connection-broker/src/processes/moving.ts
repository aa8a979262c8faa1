import type { Folded } from '@privatelink/shared/app/fold';
import { forEachLimit } from '@privatelink/shared/app/for-each-limit';
import { processContext } from '@privatelink/shared/app/process-context';
import type { Reactor } from '@privatelink/shared/app/run-reactor';
import type { CommandContext } from '@privatelink/shared/eventing/command-context';
import { idOfStream } from '@privatelink/shared/eventing/decider';
import type { Clock } from '@privatelink/shared/eventing/ports';
import { type Allocation, allocationId, endpointsOn, movingFrom } from '../allocation/allocation.ts';
import type { Connection, Resource } from '../connection/connection.ts';
import { isConfirmed } from '../connection/forwarding.ts';
import type { ProviderPort } from '../dispatch/provider.ts';
import type { Repositories } from '../repositories.ts';

/**
 * Which resource serves an endpoint in a zone is decided by one append to the zone's allocation, whoever wants it:
 * then its connection is told, and the move is over when that forwards to the new resource, or is not up. This goes on
 * where it was, however often and by however many it is done.
 */
type Ledger = Folded<Allocation>;
type ContextOf = (step: string) => CommandContext;
/** Null where nobody knows of the resource any more. */
type ResourceOf = (resourceId: string, known: readonly Resource[]) => Promise<Resource | null>;

const CONCURRENCY = 32;
const LOOK_AGAIN_MS = 1_000;

const partsOf = (id: string) => {
  const at = id.indexOf('+');
  return { serviceId: id.slice(0, at), zoneId: id.slice(at + 1) };
};

/** Tells these endpoints' connections where they are by now, and records who has arrived. */
export const tellMoves =
  ({ connections, allocations }: Repositories) =>
  async (
    id: string,
    ledger: Ledger,
    endpointIds: readonly string[],
    resourceOf: ResourceOf,
    contextOf: ContextOf,
  ): Promise<Allocation> => {
    const { zoneId } = partsOf(id);
    const { assigned, placements, moving, version } = ledger.state;
    const arrived: string[] = [];
    await forEachLimit(endpointIds, CONCURRENCY, async (endpointId) => {
      const resourceId = assigned[endpointId] ?? '';
      const known = (await connections.fold(endpointId)).state;
      if (!hasZone(known, zoneId)) {
        arrived.push(endpointId);
        return;
      }
      const resource = await resourceOf(resourceId, known.resources);
      if (!resource) return;
      const { force = false, actor = '' } = moving[endpointId] ?? {};
      const placement = placements[endpointId] ?? 0;
      const data = { zoneId, resource, placement, force, actor };
      const { latest } = await connections.execute(
        endpointId,
        { type: 'MoveZone', data },
        contextOf(`move/${endpointId}@${placement}`),
      );
      if (hasArrived(latest.state, zoneId, resourceId)) arrived.push(endpointId);
    });
    if (arrived.length === 0) return ledger.state;
    const complete = { type: 'CompleteMoves', data: { endpointIds: arrived.sort(), version } } as const;
    const { latest } = await allocations.execute(id, complete, contextOf(`complete@${version}/${arrived.length}`));
    return latest.state;
  };

/** Whether there is anything that could forward to an earlier resource, now or later. */
const hasZone = ({ status, zones }: Connection, zoneId: string): boolean =>
  status !== null && !ENDED.includes(status) && zoneId in zones;

const ENDED: readonly Connection['status'][] = ['SERVICE_DELETED', 'DELETING', 'GONE'];

const hasArrived = (state: Connection, zoneId: string, resourceId: string): boolean => {
  const zone = state.zones[zoneId];
  if (!zone || !hasZone(state, zoneId)) return true;
  if (zone.resource?.resourceId !== resourceId) return false;
  return state.status === 'DISCONNECTED' || isConfirmed(state, zone);
};

export type MovingDeps = Repositories & Readonly<{ provider: Pick<ProviderPort, 'resourcesOf'>; clock: Clock }>;

/** Whoever decided on a move may have died before it was told. */
export const moving = (deps: MovingDeps): Reactor => ({
  name: 'moving',
  prefixes: ['allocation-'],
  key: (event) => idOfStream(event.stream),
  work: async (id) => {
    const ledger = await deps.allocations.fold(id);
    const endpointIds = Object.keys(ledger.state.moving);
    if (endpointIds.length === 0) return 'settled';
    const { serviceId, zoneId } = partsOf(id);
    let asked: Promise<readonly Resource[]> | undefined;
    const current = async (): Promise<readonly Resource[]> =>
      (await deps.provider.resourcesOf(serviceId, ledger.cause)).resources;
    const resourceOf: ResourceOf = async (resourceId, known) => {
      asked ??= current();
      const isIt = (one: Resource): boolean => one.resourceId === resourceId && one.zoneId === zoneId;
      return (await asked).map(withoutOffer).find(isIt) ?? known.find(isIt) ?? null;
    };
    const contextOf: ContextOf = (step) => processContext(step, ledger, deps.clock.now(), { service: 'broker' });
    const after = await tellMoves(deps)(id, ledger, endpointIds, resourceOf, contextOf);
    return Object.keys(after.moving).length === 0 ? 'settled' : { againMs: LOOK_AGAIN_MS };
  },
});

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
    const resourceOf: ResourceOf = async (wanted, known) =>
      [...candidates, ...known].find((one) => one.resourceId === wanted && one.zoneId === zoneId) ?? null;
    const after = await tellMoves(deps)(id, latest, movingFrom(latest.state, resourceId), resourceOf, contextOf);
    const endpointIds = endpointsOn(latest.state, resourceId);
    return { endpointIds, movingCount: movingFrom(after, resourceId).length };
  };
