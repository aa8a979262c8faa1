import type { Folded } from '@privatelink/shared/app/fold';
import { processContext } from '@privatelink/shared/app/process-context';
import { entriesOf, valueAt } from '@privatelink/shared/eventing/parted';
import type { Clock } from '@privatelink/shared/eventing/ports';
import {
  type Allocation,
  allocationId,
  endpointZoneOf,
  partsOfEndpointZone,
  usable,
} from '../allocation/allocation.ts';
import { type Connection, isCrossRegion, type Resource } from '../connection/connection.ts';
import type { ProviderPort } from '../dispatch/provider.ts';
import type { Repositories } from '../repositories.ts';

type Deps = Pick<Repositories, 'allocations'> & Readonly<{ provider: Pick<ProviderPort, 'resourcesOf'>; clock: Clock }>;

/** Zone of the service → how many endpoints of its own region it serves. */
type Offered = Readonly<Record<string, number>>;

/** `placement` is null where it is no choice. */
export type ServiceZone = Readonly<{ id: string; placement: number | null }>;

/**
 * Which zone of the service serves a zone of an endpoint: the same one; of an endpoint of another region the one with the
 * fewest endpoints, for as long as the endpoint has its zone, or until nothing is left there before it is placed.
 */
export const serviceZones = ({ allocations, provider, clock }: Deps) => {
  /** Zones in which one of these resources takes endpoints. */
  const zonesOf = async (serviceId: string, resources: readonly Resource[], version: number): Promise<Offered> => {
    const inZones = [...Map.groupBy(resources, ({ zoneId }) => zoneId)].map(async ([zoneId, offered]) => {
      const { state } = await allocations.fold(allocationId(serviceId, zoneId));
      const resourceIds = offered.map(({ resourceId }) => resourceId);
      const own = entriesOf(state.assigned).filter(([key]) => partsOfEndpointZone(key).zoneId === zoneId);
      return usable(state, resourceIds, version).length === 0 ? [] : [[zoneId, own.length] as const];
    });
    return Object.fromEntries((await Promise.all(inZones)).flat());
  };

  /** As the service was at admission; and as it is now, when nothing is left of that. */
  const offeredTo = async (known: Folded<Connection>): Promise<Offered> => {
    const { serviceId, serviceVersion, resources } = known.state;
    const admitted = await zonesOf(serviceId, resources, serviceVersion);
    if (Object.keys(admitted).length > 0) return admitted;
    const current = await provider.resourcesOf(serviceId, known.cause);
    const offered = current.resources.filter(({ autoAllocated }) => autoAllocated);
    return zonesOf(serviceId, offered, current.version);
  };

  const chosenIn = ({ assigned, placements }: Allocation, endpointZone: string): ServiceZone | null => {
    const id = valueAt(assigned, endpointZone);
    return id === undefined ? null : { id, placement: valueAt(placements, endpointZone) ?? 0 };
  };

  const choose = async (known: Folded<Connection>, zoneId: string): Promise<ServiceZone> => {
    const { endpointId, serviceId, serviceRegion, serviceVersion } = known.state;
    if (!isCrossRegion(known.state)) return { id: zoneId, placement: null };
    const id = allocationId(serviceId, serviceRegion);
    const endpointZone = endpointZoneOf(endpointId, zoneId);
    const chosen = chosenIn((await allocations.fold(id)).state, endpointZone);
    if (chosen) return chosen;
    const others = await offeredTo(known);
    const data = { endpointZone, candidates: Object.keys(others), serviceVersion, others };
    const context = processContext(`choose/${endpointZone}`, known, clock.now(), { service: 'broker' });
    const { latest } = await allocations.execute(id, { type: 'AssignResource', data }, context);
    return chosenIn(latest.state, endpointZone) ?? { id: '', placement: null };
  };

  /** Nothing is left in the zone that was chosen: the next time another one is. Not when it was placed there after all. */
  const forget = async (known: Folded<Connection>, zoneId: string, { id, placement }: ServiceZone): Promise<void> => {
    const { endpointId, serviceId, serviceRegion } = known.state;
    const endpointZone = endpointZoneOf(endpointId, zoneId);
    if (placement === null) return;
    const { state } = await allocations.fold(allocationId(serviceId, id));
    if (valueAt(state.assigned, endpointZone) !== undefined) return;
    const context = processContext(`forget/${endpointZone}@${placement}`, known, clock.now(), { service: 'broker' });
    const command = { type: 'UnassignResource', data: { endpointZone, placement } } as const;
    await allocations.execute(allocationId(serviceId, serviceRegion), command, context);
  };

  return { choose, forget };
};
