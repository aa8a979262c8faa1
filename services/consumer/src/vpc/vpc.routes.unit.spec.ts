import { evolveAll } from '@privatelink/shared/eventing/decider';
import { describe, expect, it } from 'vitest';
import {
  at,
  deregistered,
  given,
  held,
  inventory,
  later,
  many,
  nextHop,
  release,
  reserve,
  reserved,
  zone,
} from './testing/history.ts';
import { vpc } from './vpc.decide.ts';
import { reservationOf, type VpcCommand, type VpcEvent } from './vpc.ts';

const table = (routeTableId: string): VpcEvent => ({
  type: 'RouteTableRegistered',
  data: { routeTableId, tags: [], at: later(-1_000) },
});
const route = (destinationCidr: string, hop = 'ep-1', routeTableId = 'vtb-1'): VpcEvent => ({
  type: 'RouteAdded',
  data: { routeTableId, destinationCidr, nextHop: hop, at },
});
const removed = (destinationCidr: string, routeTableId = 'vtb-1'): VpcEvent => ({
  type: 'RouteRemoved',
  data: { routeTableId, destinationCidr, at },
});
const closed = (closingId: string): VpcEvent => ({
  type: 'NextHopClosed',
  data: { endpointId: 'ep-1', closingId, at },
});
const reopened = (closingId: string): VpcEvent => ({
  type: 'NextHopReopened',
  data: { endpointId: 'ep-1', closingId, at },
});

const register = (routeTableId: string): VpcCommand => ({
  type: 'RegisterRouteTable',
  data: { routeTableId, tags: [] },
});
const deregister = (routeTableId: string): VpcCommand => ({ type: 'DeregisterRouteTable', data: { routeTableId } });
const add = (destinationCidr: string, hop = 'ep-1', routeTableId = 'vtb-1'): VpcCommand => ({
  type: 'AddRoute',
  data: { routeTableId, destinationCidr, nextHop: hop },
});
const remove = (destinationCidr: string, routeTableId = 'vtb-1'): VpcCommand => ({
  type: 'RemoveRoute',
  data: { routeTableId, destinationCidr },
});
const close = (closingId: string, force = false): VpcCommand => ({
  type: 'CloseNextHop',
  data: { endpointId: 'ep-1', closingId, force },
});
const reopen = (closingId: string): VpcCommand => ({
  type: 'ReleaseParts',
  data: { endpointId: 'ep-1', partIds: [closingId] },
});
const removeAll: VpcCommand = { type: 'RemoveRoutesTo', data: { endpointId: 'ep-1' } };

/** A next hop, ep-1, another one with IPv6, an interface endpoint, and two route tables. */
const history = [
  ...inventory,
  nextHop('ep-1'),
  nextHop('ep-6', held('10.0.0.5', { ipv6: '2001:db8::5' })),
  reserved('ep-if', held('10.0.0.6')),
  table('vtb-1'),
  table('vtb-2'),
];

describe('a route table', () => {
  it('is registered once, in a VPC that is there', () => {
    given(...inventory)
      .when(register('vtb-1'))
      .thenEvents({ type: 'RouteTableRegistered', data: { routeTableId: 'vtb-1', tags: [], at } });
    given(...history)
      .when(register('vtb-1'))
      .thenNothing();
    for (const command of [register('vtb-1'), deregister('vtb-1'), add('0.0.0.0/0'), remove('0.0.0.0/0')]) {
      given(...inventory, deregistered)
        .when(command)
        .thenRejected('VPC_NOT_FOUND');
    }
  });

  it('is one of ten at most', () => {
    given(...inventory, ...many(10, (i) => table(`vtb-${i}`)))
      .when(register('vtb-new'))
      .thenRejected('QUOTA_EXCEEDED', { quota: 'route tables per VPC', limit: '10', current: '10' });
  });

  it('goes once it has no routes; and keeps its VPC', () => {
    given(...history, route('10.9.0.0/16'), route('0.0.0.0/0'))
      .when(deregister('vtb-1'))
      .thenRejected('ROUTE_TABLE_IN_USE', { used_by: '0.0.0.0/0,10.9.0.0/16', used_by_count: '2' });
    given(...history)
      .when(deregister('vtb-1'))
      .thenEvents({ type: 'RouteTableDeregistered', data: { routeTableId: 'vtb-1', at } });
    given(...history)
      .when(deregister('vtb-x'))
      .thenNothing();
    given(...inventory.slice(0, 1), table('vtb-1'))
      .when({ type: 'DeregisterVpc', data: {} })
      .thenRejected('VPC_IN_USE', { used_by: 'vtb-1' });
  });
});

describe('a route', () => {
  it('leads to an endpoint that takes what is routed to it; the same one again is there already', () => {
    given(...history)
      .when(add('0.0.0.0/0'))
      .thenEvents(route('0.0.0.0/0'));
    given(...history, route('0.0.0.0/0'))
      .when(add('0.0.0.0/0'))
      .thenNothing();
  });

  it('of IPv6 is one however it is written, and needs a next hop with IPv6', () => {
    given(...history)
      .when(add('2001:DB8:0::/48', 'ep-6'))
      .thenEvents(route('2001:db8::/48', 'ep-6'));
    given(...history)
      .when(add('::/0'))
      .thenRejected('DUAL_STACK_UNAVAILABLE', { endpoint_id: 'ep-1', field: 'destination_cidr' });
  });

  it.each(['', '10.0.0.0', '10.0.0.1/8', '10.0.0.0/33', '::1/64', 'default'])('has no destination %j', (cidr) => {
    for (const command of [add(cidr), remove(cidr)]) {
      given(...history)
        .when(command)
        .thenRejected('CIDR_INVALID', { field: 'destination_cidr', cidr });
    }
  });

  it.each([
    [add('0.0.0.0/0', 'ep-1', 'vtb-x'), 'ROUTE_TABLE_NOT_FOUND', { route_table_id: 'vtb-x', field: 'route_table_id' }],
    [add('0.0.0.0/0', 'ep-elsewhere'), 'ENDPOINT_NOT_FOUND', { field: 'next_hop' }],
    [
      add('0.0.0.0/0', 'ep-if'),
      'ENDPOINT_TYPE_MISMATCH',
      { required: 'GATEWAY_LOAD_BALANCER', given: 'INTERFACE', field: 'next_hop' },
    ],
  ])('is refused: %j %s', (command, reason, facts) => {
    given(...history)
      .when(command)
      .thenRejected(reason, facts);
  });

  it('is one for each destination of a table', () => {
    given(...history, route('0.0.0.0/0'))
      .when(add('0.0.0.0/0', 'ep-6'))
      .thenRejected('ROUTE_ALREADY_EXISTS', { destination_cidr: '0.0.0.0/0', next_hop: 'ep-1' });
    given(...history, route('0.0.0.0/0'))
      .when(add('0.0.0.0/0', 'ep-6', 'vtb-2'))
      .thenTypes('RouteAdded');
    given(...history, route('0.0.0.0/0'))
      .when(add('0.0.0.0/1', 'ep-6'))
      .thenTypes('RouteAdded');
  });

  it('is one of 200 in its table at most', () => {
    given(...history, ...many(200, (i) => route(`10.${i}.0.0/16`)))
      .when(add('0.0.0.0/0'))
      .thenRejected('QUOTA_EXCEEDED', { quota: 'routes per route table', limit: '200', current: '200' });
  });

  it('is removed; what is not there is gone already', () => {
    given(...history, route('0.0.0.0/0'))
      .when(remove('0.0.0.0/0'))
      .thenEvents(removed('0.0.0.0/0'));
    given(...history)
      .when(remove('0.0.0.0/0'))
      .thenNothing();
    given(...history)
      .when(remove('0.0.0.0/0', 'vtb-x'))
      .thenNothing();
  });
});

describe('of a route and a deletion of its next hop', () => {
  const routed = [...history, route('0.0.0.0/0'), route('10.9.0.0/16', 'ep-1', 'vtb-2'), route('10.8.0.0/16', 'ep-6')];

  it('the route came first: the deletion is refused, and names it', () => {
    given(...routed)
      .when(close('nhc-1'))
      .thenRejected('ENDPOINT_IS_NEXT_HOP', {
        endpoint_id: 'ep-1',
        used_by: 'vtb-1 0.0.0.0/0,vtb-2 10.9.0.0/16',
        used_by_count: '2',
      });
    given(...history, route('0.0.0.0/0'), removed('0.0.0.0/0'))
      .when(close('nhc-1'))
      .thenEvents(closed('nhc-1'));
  });

  it('the deletion came first: the route is refused', () => {
    given(...history, closed('nhc-1'))
      .when(add('0.0.0.0/0'))
      .thenRejected('ENDPOINT_DELETION_PENDING', { endpoint_id: 'ep-1', field: 'next_hop' });
  });

  it('by force the deletion takes no more routes, and leaves those that are there until it is certain', () => {
    given(...routed)
      .when(close('nhc-1', true))
      .thenEvents(closed('nhc-1'));
    given(...routed, closed('nhc-1'))
      .when(removeAll)
      .thenEvents(removed('0.0.0.0/0'), removed('10.9.0.0/16', 'vtb-2'));
  });

  it('the deletion never was: routes are taken again, unless there is another one', () => {
    const both = [...history, closed('nhc-1'), closed('nhc-2')];
    given(...both)
      .when(reopen('nhc-1'))
      .thenEvents(reopened('nhc-1'));
    given(...both, reopened('nhc-1'))
      .when(add('0.0.0.0/0'))
      .thenRejected('ENDPOINT_DELETION_PENDING');
    given(...both, reopened('nhc-1'), reopened('nhc-2'))
      .when(add('0.0.0.0/0'))
      .thenTypes('RouteAdded');
    const ledger = evolveAll(vpc, vpc.initial, [...both, reopened('nhc-1'), reopened('nhc-2')]);
    expect(ledger).toEqual(evolveAll(vpc, vpc.initial, history));
  });

  it('each request is one, and remembers when it came', () => {
    given(...history, closed('nhc-1'))
      .when(close('nhc-1'))
      .thenNothing();
    given(...history, closed('nhc-1'))
      .when(close('nhc-2'))
      .thenEvents(closed('nhc-2'));
    const ledger = evolveAll(vpc, vpc.initial, [...history, closed('nhc-1')]);
    expect(reservationOf(ledger, 'ep-1')).toMatchObject({ closings: ['nhc-1'], additions: { 'nhc-1': at } });
  });

  it('no route outlives the reservation', () => {
    given(...routed)
      .when(release('ep-1'))
      .thenEvents(removed('0.0.0.0/0'), removed('10.9.0.0/16', 'vtb-2'), {
        type: 'ReservationReleased',
        data: { endpointId: 'ep-1', at },
      });
    given(...inventory)
      .when(close('nhc-1'))
      .thenRejected('ENDPOINT_NOT_FOUND');
  });
});

describe('a next hop', () => {
  const type = { endpointType: 'GATEWAY_LOAD_BALANCER' } as const;

  it('has no security groups', () => {
    given(...inventory)
      .when(reserve({ ...type, securityGroupIds: [], zones: [zone('vsw-a')] }))
      .thenTypes('EndpointReserved');
    given(...inventory)
      .when(reserve(type))
      .thenRejected('ENDPOINT_TYPE_MISMATCH', {
        required: 'INTERFACE or REVERSE',
        given: 'GATEWAY_LOAD_BALANCER',
        field: 'security_group_ids',
      });
    given(...inventory)
      .when(reserve({ securityGroupIds: [] }))
      .thenRejected('SECURITY_GROUP_REQUIRED');
  });
});

describe('the routes of a gateway endpoint', () => {
  const D = '100.64.0.0/10';
  const reserveGateway = (...routeTableIds: string[]): VpcCommand => ({
    type: 'ReserveGatewayEndpoint',
    data: { gatewayEndpointId: 'vpce-1', routeTableIds },
  });
  const releaseGateway: VpcCommand = { type: 'ReleaseGatewayEndpoint', data: { gatewayEndpointId: 'vpce-1' } };
  const reservedGateway = (...routeTableIds: string[]): VpcEvent => ({
    type: 'GatewayEndpointReserved',
    data: { gatewayEndpointId: 'vpce-1', routeTableIds, at },
  });
  const there = [...history, reservedGateway('vtb-1', 'vtb-2'), route(D, 'vpce-1'), route(D, 'vpce-1', 'vtb-2')];

  it('come into all of its tables, once', () => {
    given(...history)
      .when(reserveGateway('vtb-1', 'vtb-2', 'vtb-1'))
      .thenEvents(reservedGateway('vtb-1', 'vtb-2'), route(D, 'vpce-1'), route(D, 'vpce-1', 'vtb-2'));
    given(...there)
      .when(reserveGateway('vtb-1'))
      .thenNothing();
  });

  it('or into none of them', () => {
    const facts = { route_table_id: 'vtb-2', next_hop: 'ep-1', field: 'route_table_ids[1]' };
    given(...history, route(D, 'ep-1', 'vtb-2'))
      .when(reserveGateway('vtb-1', 'vtb-2'))
      .thenRejected('ROUTE_ALREADY_EXISTS', { ...facts, destination_cidr: D });
    given(...history)
      .when(reserveGateway('vtb-1', 'vtb-x'))
      .thenRejected('ROUTE_TABLE_NOT_FOUND', { route_table_id: 'vtb-x', field: 'route_table_ids[1]' });
    given(...history)
      .when(reserveGateway())
      .thenRejected('ROUTE_TABLE_REQUIRED', { field: 'route_table_ids' });
  });

  it('stay as long as it is there, and keep others and their tables', () => {
    given(...there)
      .when(remove(D))
      .thenRejected('ROUTE_IN_USE', { route_table_id: 'vtb-1', destination_cidr: D, next_hop: 'vpce-1' });
    given(...there)
      .when(add(D))
      .thenRejected('ROUTE_ALREADY_EXISTS', { next_hop: 'vpce-1' });
    given(...there)
      .when(deregister('vtb-2'))
      .thenRejected('ROUTE_TABLE_IN_USE', { used_by: D });
    given(...there)
      .when(add('100.64.0.0/16'))
      .thenTypes('RouteAdded');
  });

  it('go with it, and leave nothing', () => {
    const released: VpcEvent = { type: 'GatewayEndpointReleased', data: { gatewayEndpointId: 'vpce-1', at } };
    const events = [removed(D), removed(D, 'vtb-2'), released];
    given(...there)
      .when(releaseGateway)
      .thenEvents(...events);
    expect(evolveAll(vpc, vpc.initial, [...there, ...events])).toEqual(evolveAll(vpc, vpc.initial, history));
    given(...history)
      .when(releaseGateway)
      .thenNothing();
  });
});
