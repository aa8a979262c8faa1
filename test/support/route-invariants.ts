import { type Logged, typeOf } from './event-log.ts';

/** Of one VPC: each route leads to what is there, and none is added to what is about to go. */
export const routesToNobody = (events: readonly Logged[]): readonly string[] => {
  /** What routes may lead to, each with the deletions of it that are under way. */
  const closings = new Map<string, Set<string>>();
  const hops = new Map<string, string>();
  return events.flatMap((event): readonly string[] => {
    const data = event.data as Readonly<Record<string, string>>;
    const { closingId = '', nextHop = '' } = data;
    const hop = data['gatewayEndpointId'] ?? data['endpointId'] ?? '';
    const route = `${data['routeTableId']} ${data['destinationCidr']}`;
    switch (typeOf(event)) {
      case 'EndpointReserved':
      case 'GatewayEndpointReserved':
        closings.set(hop, new Set());
        return [];
      case 'NextHopClosed':
        closings.get(hop)?.add(closingId);
        return [];
      case 'NextHopReopened':
        closings.get(hop)?.delete(closingId);
        return [];
      case 'RouteAdded':
        hops.set(route, nextHop);
        return closings.get(nextHop)?.size === 0 ? [] : [`${event.stream} routes ${route} to ${nextHop}, which goes`];
      case 'RouteRemoved':
        hops.delete(route);
        return [];
      case 'ReservationReleased':
      case 'GatewayEndpointReleased':
        closings.delete(hop);
        return [...hops.values()].includes(hop) ? [`${event.stream} routes to ${hop}, which is gone`] : [];
      default:
        return [];
    }
  });
};
