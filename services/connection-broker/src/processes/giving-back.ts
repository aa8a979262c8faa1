import type { Folded } from '@privatelink/shared/app/fold';
import { processContext } from '@privatelink/shared/app/process-context';
import { valueAt } from '@privatelink/shared/eventing/parted';
import type { Clock } from '@privatelink/shared/eventing/ports';
import { allocationId, endpointZoneOf } from '../allocation/allocation.ts';
import { type Connection, isCrossRegion } from '../connection/connection.ts';
import type { ConsumerPort } from '../dispatch/consumer.ts';
import type { Repositories } from '../repositories.ts';
import { hasArrived } from './moving.ts';

type Known = Folded<Connection>;
type Deps = Pick<Repositories, 'connections' | 'allocations'> & Readonly<{ consumer: ConsumerPort; clock: Clock }>;

const SERVICE = { service: 'broker' } as const;

/** What the allocations of its zones, and the consumer service, wait to hear of a connection. */
export const givingBack = ({ connections, allocations, consumer, clock }: Deps) => {
  const giveBack = async (known: Known): Promise<void> => {
    const { endpointId, zones, unreturned } = known.state;
    for (const { zoneId, eniId } of Object.values(zones)) await unassign(known, zoneId, eniId);
    for (const [zoneId, eniId] of Object.entries(unreturned)) await unassign(known, zoneId, eniId);
    await consumer.confirmConnectionDeleted(endpointId, known.cause);
  };

  /** A zone that is gone needs no resource: before anything else, since the endpoint may have it again. */
  const giveBackZones = async (known: Known): Promise<void> => {
    for (const [zoneId, eniId] of Object.entries(known.state.unreturned)) {
      await unassign(known, zoneId, eniId);
      const context = processContext(`unassigned/${zoneId}/${known.state.endpointId}`, known, clock.now(), SERVICE);
      await connections.execute(known.state.endpointId, { type: 'RecordZoneUnassigned', data: { zoneId } }, context);
    }
  };

  const unassign = async (known: Known, zoneId: string, eniId: string): Promise<void> => {
    const { endpointId, serviceId, serviceRegion } = known.state;
    const endpointZone = endpointZoneOf(endpointId, zoneId);
    const step = `unassign/${endpointId}/${eniId}`;
    // Of this interface, once: a worker that was overtaken takes nothing from the next one.
    const context = { ...processContext(step, known, clock.now(), SERVICE), requestId: `service:broker/${step}` };
    const giveUp = (place: string) =>
      allocations.execute(
        allocationId(serviceId, place),
        { type: 'UnassignResource', data: { endpointZone, placement: null } },
        context,
      );
    if (!isCrossRegion(known.state)) return void (await giveUp(zoneId));
    const { assigned } = (await allocations.fold(allocationId(serviceId, serviceRegion))).state;
    const serviceZone = valueAt(assigned, endpointZone);
    if (serviceZone === undefined) return;
    await giveUp(serviceZone);
    // Which zone served it is known for as long as it has a resource there.
    await giveUp(serviceRegion);
  };

  /** The allocation of a zone that was moved waits for it to arrive. */
  const completeMoves = async ({ state, ...known }: Known): Promise<void> => {
    const { endpointId, serviceId } = state;
    for (const zone of Object.values(state.zones)) {
      const { zoneId, moved, resource, placement } = zone;
      if (!moved || !resource || !hasArrived(state, zoneId, resource.resourceId)) continue;
      const id = allocationId(serviceId, resource.zoneId);
      const endpointZone = endpointZoneOf(endpointId, zoneId);
      const { version, moving, placements } = (await allocations.fold(id)).state;
      if (!(endpointZone in moving) || valueAt(placements, endpointZone) !== placement) continue;
      const data = { endpointZones: [endpointZone], version };
      const context = processContext(`arrived/${endpointZone}@${placement}`, { state, ...known }, clock.now(), SERVICE);
      await allocations.execute(id, { type: 'CompleteMoves', data }, context);
    }
  };

  return { giveBack, giveBackZones, completeMoves };
};
