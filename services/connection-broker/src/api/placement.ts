import type { CommandContext } from '@privatelink/shared/eventing/command-context';
import { valueAt } from '@privatelink/shared/eventing/parted';
import { Rejected } from '@privatelink/shared/eventing/rejected';
import type { RpcContext } from '@privatelink/shared/grpc/context';
import { type AllocationRejection, allocationId, endpointZoneOf } from '../allocation/allocation.ts';
import type { ZoneMove } from '../connection/connection.commands.ts';
import { type Connection, serviceZoneOf } from '../connection/connection.ts';
import type { ProviderPort } from '../dispatch/provider.ts';
import { releaseClaim, resourceFrom, tellMoves } from '../processes/moving.ts';
import type { Repositories } from '../repositories.ts';

/** `resourceId` is empty where it is for us to choose. */
export type Wish = Readonly<{ zoneId: string; resourceId: string; force: boolean }>;

export type Placer = Readonly<{
  /** Claims a place for a zone in its allocation: what the connection is to be told of it by the command it is for. */
  claim: (state: Connection, wish: Wish, rpc: RpcContext) => Promise<ZoneMove>;
  /** Gives a claim back that the connection was not told of. */
  release: (state: Connection, claimed: ZoneMove, rpc: RpcContext) => Promise<void>;
}>;

type PlacerDeps = Repositories & Readonly<{ provider: Pick<ProviderPort, 'resourcesOf'> }>;

export const createPlacer = (deps: PlacerDeps): Placer => ({
  claim: async (state, { zoneId, resourceId, force }, rpc) => {
    const { endpointId, serviceId, resources: known } = state;
    const serviceZone = placeOf(state, zoneId);
    const endpointZone = endpointZoneOf(endpointId, zoneId);
    const { version: serviceVersion, resources } = await deps.provider.resourcesOf(serviceId, rpc);
    const inZone = resources.filter((resource) => resource.zoneId === serviceZone);
    const offered = inZone.filter((one) => (resourceId === '' ? one.autoAllocated : one.resourceId === resourceId));
    if (resourceId !== '' && offered.length === 0) {
      const facts = { resource_id: resourceId, zone_id: serviceZone, field: 'resource_id' };
      throw new Rejected<'RESOURCE_NOT_FOUND'>('RESOURCE_NOT_FOUND', facts);
    }
    const id = allocationId(serviceId, serviceZone);
    const contextOf = stepsOf(rpc, zoneId);
    const resourceOf = resourceFrom(serviceZone, inZone);
    const before = await deps.allocations.fold(id);
    // An earlier move is over when its connection says so: nobody may have looked since.
    if (endpointZone in before.state.moving) await tellMoves(deps)(id, before, [endpointZone], resourceOf, contextOf);
    const candidates = offered.map((one) => one.resourceId);
    const data = { endpointZone, candidates, serviceVersion, force, actor: rpc.actor };
    // The connection knows which requests it has met. A claim that was given back may be made again.
    const context = contextOf(`place@${before.revision}`);
    const { latest } = await deps.allocations.execute(id, { type: 'PlaceEndpoint', data }, context);
    const { assigned, placements } = latest.state;
    const assignedId = valueAt(assigned, endpointZone) ?? '';
    const resource = candidates.includes(assignedId) ? await resourceOf(assignedId, known) : null;
    if (!resource) {
      const facts = { endpoint_id: endpointId, resource_id: assignedId };
      throw new Rejected<AllocationRejection>('ZONE_MIGRATING', facts);
    }
    return { zoneId, resource, placement: valueAt(placements, endpointZone) ?? 0, force };
  },

  release: async (state, { zoneId, placement }, rpc) => {
    // A rehearsal has claimed nothing.
    if (rpc.rehearsal) return;
    const id = allocationId(state.serviceId, placeOf(state, zoneId));
    await releaseClaim(deps)(id, endpointZoneOf(state.endpointId, zoneId), placement, stepsOf(rpc, zoneId));
  },
});

/** Who has a resource in a zone knows of which zone it is. */
const placeOf = (state: Connection, zoneId: string): string => {
  const zone = state.zones[zoneId];
  return (zone && serviceZoneOf(state, zone)) ?? zoneId;
};

const stepsOf =
  (rpc: RpcContext, zoneId: string) =>
  (step: string): CommandContext => ({
    ...rpc.command,
    requestId: `${rpc.command.requestId}/${step}/${zoneId}`,
  });
