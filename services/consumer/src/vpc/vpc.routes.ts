import { assertNever } from '@privatelink/shared/eventing/never';
import { formatCidr, parseCidr } from './cidr.ts';
import { exceeded, reject, typeMismatch, usedBy } from './vpc.rejections.ts';
import { entryOf, type Route, routesTo, type Vpc, type VpcCommand, type VpcEvent } from './vpc.ts';

// The model sets no limits for these either.
export const MAX_ROUTE_TABLES = 10;
const MAX_ROUTES = 200;

/** Where services like an object store are. */
const GATEWAY_DESTINATION = '100.64.0.0/10';

type GatewayRequest = Extract<VpcCommand, { type: 'ReserveGatewayEndpoint' }>['data'];
type RouteCommand = Extract<
  VpcCommand,
  { type: 'RegisterRouteTable' | 'DeregisterRouteTable' | 'AddRoute' | 'RemoveRoute' }
>;

/** Route tables of a VPC that is there. */
export const decideRoute = (command: RouteCommand, ledger: Vpc, at: string): readonly VpcEvent[] => {
  const { routeTableId } = command.data;
  const table = entryOf(ledger.routeTables, routeTableId);
  switch (command.type) {
    case 'RegisterRouteTable': {
      if (table) return [];
      const current = Object.keys(ledger.routeTables).length;
      if (current >= MAX_ROUTE_TABLES) throw exceeded('route tables per VPC', MAX_ROUTE_TABLES, current);
      return [{ type: 'RouteTableRegistered', data: { ...command.data, at } }];
    }

    case 'DeregisterRouteTable': {
      if (!table) return [];
      const destinations = Object.keys(table.routes).sort();
      if (destinations.length > 0) {
        throw reject('ROUTE_TABLE_IN_USE', { route_table_id: routeTableId, ...usedBy(destinations) });
      }
      return [{ type: 'RouteTableDeregistered', data: { routeTableId, at } }];
    }

    case 'AddRoute': {
      if (!table) throw noTable(routeTableId, 'route_table_id');
      const { nextHop } = command.data;
      const destinationCidr = checkDestination(command.data.destinationCidr);
      const present = entryOf(table.routes, destinationCidr);
      if (present === nextHop) return [];
      requireNextHop(ledger, command.data);
      if (present !== undefined) {
        throw existsAlready({ routeTableId, destinationCidr, nextHop: present }, 'destination_cidr');
      }
      const current = Object.keys(table.routes).length;
      if (current >= MAX_ROUTES) throw exceeded('routes per route table', MAX_ROUTES, current);
      return [{ type: 'RouteAdded', data: { routeTableId, destinationCidr, nextHop, at } }];
    }

    case 'RemoveRoute': {
      const destinationCidr = checkDestination(command.data.destinationCidr);
      const nextHop = table && entryOf(table.routes, destinationCidr);
      if (nextHop === undefined) return [];
      if (entryOf(ledger.gatewayEndpoints, nextHop) !== undefined) {
        const facts = { route_table_id: routeTableId, destination_cidr: destinationCidr, next_hop: nextHop };
        throw reject('ROUTE_IN_USE', { ...facts, field: 'destination_cidr' });
      }
      return [{ type: 'RouteRemoved', data: { routeTableId, destinationCidr, at } }];
    }

    default:
      return assertNever(command);
  }
};

/** A route in each of the tables, or a rejection, and nothing of it. */
export const reserveGateway = (
  ledger: Vpc,
  { gatewayEndpointId, routeTableIds: requested }: GatewayRequest,
  at: string,
): readonly VpcEvent[] => {
  const routeTableIds = [...new Set(requested)];
  if (routeTableIds.length === 0) throw reject('ROUTE_TABLE_REQUIRED', { field: 'route_table_ids' });
  const routes = routeTableIds.map((routeTableId): VpcEvent => {
    const field = `route_table_ids[${requested.indexOf(routeTableId)}]`;
    const table = entryOf(ledger.routeTables, routeTableId);
    if (!table) throw noTable(routeTableId, field);
    const nextHop = entryOf(table.routes, GATEWAY_DESTINATION);
    if (nextHop !== undefined) {
      throw existsAlready({ routeTableId, destinationCidr: GATEWAY_DESTINATION, nextHop }, field);
    }
    const route = { routeTableId, destinationCidr: GATEWAY_DESTINATION, nextHop: gatewayEndpointId };
    return { type: 'RouteAdded', data: { ...route, at } };
  });
  return [{ type: 'GatewayEndpointReserved', data: { gatewayEndpointId, routeTableIds, at } }, ...routes];
};

const noTable = (routeTableId: string, field: string) =>
  reject('ROUTE_TABLE_NOT_FOUND', { route_table_id: routeTableId, field });

const existsAlready = ({ routeTableId, destinationCidr, nextHop }: Route, field: string) => {
  const facts = { route_table_id: routeTableId, destination_cidr: destinationCidr, next_hop: nextHop };
  return reject('ROUTE_ALREADY_EXISTS', { ...facts, field });
};

export const removeRoutesTo = (ledger: Vpc, hop: string, at: string): readonly VpcEvent[] =>
  routesTo(ledger, hop).map(({ routeTableId, destinationCidr }) => ({
    type: 'RouteRemoved',
    data: { routeTableId, destinationCidr, at },
  }));

export const requireNoNextHop = (ledger: Vpc, endpointId: string): void => {
  const routes = routesTo(ledger, endpointId).map((route) => `${route.routeTableId} ${route.destinationCidr}`);
  if (routes.length > 0) throw reject('ENDPOINT_IS_NEXT_HOP', { endpoint_id: endpointId, ...usedBy(routes.sort()) });
};

const checkDestination = (text: string): string => {
  const cidr = parseCidr(text, text.includes(':') ? 6 : 4);
  if (typeof cidr === 'string') throw reject('CIDR_INVALID', { field: 'destination_cidr', cidr: text, why: cidr });
  return formatCidr(cidr);
};

/** An endpoint of this VPC that takes what is routed to it, and that nobody asked to delete. */
const requireNextHop = (ledger: Vpc, { destinationCidr, nextHop }: Route): void => {
  const reservation = entryOf(ledger.reservations, nextHop);
  if (!reservation) throw reject('ENDPOINT_NOT_FOUND', { field: 'next_hop' });
  const { endpointType, closings, zones } = reservation;
  if (endpointType !== 'GATEWAY_LOAD_BALANCER') {
    throw typeMismatch('GATEWAY_LOAD_BALANCER', endpointType, 'next_hop');
  }
  if (closings.length > 0) throw reject('ENDPOINT_DELETION_PENDING', { endpoint_id: nextHop, field: 'next_hop' });
  if (destinationCidr.includes(':') && zones.every(({ ipv6 }) => ipv6 === '')) {
    throw reject('DUAL_STACK_UNAVAILABLE', { missing: 'ENDPOINT', endpoint_id: nextHop, field: 'destination_cidr' });
  }
};
