import { Rejected } from '@privatelink/shared/eventing/rejected';
import type { RpcContext } from '@privatelink/shared/grpc/context';
import { allocationId } from '../allocation/allocation.ts';
import type { Connection, ConnectionCommand, Resource } from '../connection/connection.ts';
import type { ProviderPort } from '../dispatch/provider.ts';
import { tellMoves, withoutOffer } from '../processes/moving.ts';
import type { Repositories } from '../repositories.ts';

/** `resourceId` is empty where it is for us to choose. */
type Wish = Readonly<{ zoneId: string; resourceId: string; force: boolean }>;

export type Placer = Readonly<{
  /**
   * Puts a zone on a resource: the zone's allocation is the commit. What the connection is to be told of it then; null
   * when nobody knows of the resource any more.
   */
  place: (state: Connection, wish: Wish, rpc: RpcContext) => Promise<ConnectionCommand | null>;
}>;

export const createPlacer = (
  deps: Repositories & Readonly<{ provider: Pick<ProviderPort, 'resourcesOf'> }>,
): Placer => ({
  place: async ({ endpointId, serviceId, resources: known }, { zoneId, resourceId, force }, rpc) => {
    const { version: serviceVersion, resources } = await deps.provider.resourcesOf(serviceId, rpc);
    const inZone = resources.filter((resource) => resource.zoneId === zoneId);
    const offered = inZone.filter((one) => (resourceId === '' ? one.autoAllocated : one.resourceId === resourceId));
    if (resourceId !== '' && offered.length === 0) {
      const facts = { resource_id: resourceId, zone_id: zoneId, field: 'resource_id' };
      throw new Rejected<'RESOURCE_NOT_FOUND'>('RESOURCE_NOT_FOUND', facts);
    }
    const id = allocationId(serviceId, zoneId);
    const contextOf = (step: string) => ({ ...rpc.command, requestId: `${rpc.command.requestId}/${step}/${zoneId}` });
    const resourceOf = async (wanted: string, others: readonly Resource[]): Promise<Resource | null> =>
      [...inZone.map(withoutOffer), ...others].find((one) => one.resourceId === wanted && one.zoneId === zoneId) ??
      null;
    const before = await deps.allocations.fold(id);
    // An earlier move is over when its connection says so: nobody may have looked since.
    if (endpointId in before.state.moving) await tellMoves(deps)(id, before, [endpointId], resourceOf, contextOf);
    const candidates = offered.map((one) => one.resourceId);
    const data = { endpointId, candidates, serviceVersion, force, actor: rpc.actor };
    const { latest } = await deps.allocations.execute(id, { type: 'PlaceEndpoint', data }, contextOf('place'));
    const { assigned, placements, moving } = latest.state;
    const assignedId = assigned[endpointId] ?? '';
    const resource = await resourceOf(assignedId, known);
    if (!resource) return null;
    const endsFlows = candidates.includes(assignedId) ? force : (moving[endpointId]?.force ?? false);
    const placement = placements[endpointId] ?? 0;
    return { type: 'MoveZone', data: { zoneId, resource, placement, force: endsFlows, actor: rpc.actor } };
  },
});
