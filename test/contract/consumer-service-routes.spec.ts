import { status } from '@grpc/grpc-js';
import { Payer } from '@privatelink/proto/common/v1/common';
import { EndpointStatus } from '@privatelink/proto/consumer/v1/endpoint';
import { setFailpoints } from '@privatelink/shared/app/failpoint';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { reservationOf, routesTo } from '../../services/consumer/src/vpc/vpc.ts';
import { type ConsumerStage, consumerStage } from './support/consumer-stage.ts';
import { activeService, CONSUMER, changesNothing, newId, refusalOf, ZONE } from './support/given.ts';

let stage: ConsumerStage;
let service: string;
beforeAll(async () => {
  stage = await consumerStage();
  service = await activeService(stage.services, true, Payer.ENDPOINT_SERVICE, 'GATEWAY_LOAD_BALANCER');
});
afterEach(() => setFailpoints(null));
afterAll(() => stage?.close());

const nextHop = async (): Promise<string> => {
  const type = { endpointType: 'ENDPOINT_TYPE_GATEWAY_LOAD_BALANCER' } as const;
  const endpointId = await stage.activeEndpoint({ service, ...type, securityGroupIds: [] });
  await stage.connect(endpointId);
  return endpointId;
};
const table = async (): Promise<string> => {
  const { vpcId, consumer } = stage;
  const { routeTable } = await consumer.registerRouteTable({ requestId: newId('r'), vpcId }, {});
  return routeTable?.routeTableId ?? '';
};
/** Of a table: what it is asked with. */
const inTable = (routeTableId: string) => ({ requestId: newId('r'), vpcId: stage.vpcId, routeTableId });
const route = (routeTableId: string, endpointId: string, destinationCidr = '0.0.0.0/0') => ({
  ...{ ...inTable(routeTableId), destinationCidr, nextHop: endpointId },
});
const removal = (endpointId: string, force = false) => ({ ...stage.naming(endpointId), force });
const routes = async (routeTableId: string) => {
  const { vpc } = await stage.consumer.getVpc({ vpcId: stage.vpcId }, {});
  return vpc?.routeTables.find((each) => each.routeTableId === routeTableId)?.routes;
};
const closings = async (endpointId: string) => reservationOf(await stage.ledger(), endpointId)?.closings;
/** How a route is refused while it is not certain whether its next hop is deleted. */
const pending = (endpointId: string) => ({
  ...{ code: status.FAILED_PRECONDITION, reason: 'ENDPOINT_DELETION_PENDING' },
  facts: { endpoint_id: endpointId, field: 'next_hop' },
});
/** Lets the deletion of an endpoint go on to its end. */
const finish = async (endpointId: string): Promise<void> => {
  await stage.settle(endpointId);
  await stage.connect(endpointId);
  await stage.settle(endpointId);
};
/** Its tables are few in a VPC. */
const tidyUp = (routeTableId: string) => stage.consumer.deregisterRouteTable(inTable(routeTableId), {});

describe('a gateway load balancer endpoint', () => {
  it('has one interface, no security groups and no names, and is a next hop', async () => {
    const endpointId = await nextHop();
    expect(await stage.get(endpointId)).toMatchObject({
      ...{ usable: true, securityGroupIds: [], domainName: '', nextHop: endpointId },
      zones: [{ zoneId: ZONE, domainName: '' }],
    });
    const other = await stage.activeEndpoint();
    expect((await stage.get(other))?.nextHop).toBe('');
  });

  it('takes routes, which its VPC shows', async () => {
    const { consumer, services } = stage;
    const [endpointId, routeTableId] = [await nextHop(), await table()];
    const { routeTable } = await consumer.addRoute(route(routeTableId, endpointId), {});
    await consumer.addRoute(route(routeTableId, endpointId, '10.9.0.0/16'), {});
    const routed = [{ destinationCidr: '0.0.0.0/0', nextHop: endpointId }];
    expect(routeTable).toEqual({ routeTableId, routes: routed, tags: [] });
    expect((await routes(routeTableId))?.map((one) => one.destinationCidr)).toEqual(['0.0.0.0/0', '10.9.0.0/16']);
    const { store } = services.consumer;
    await changesNothing(store, () => consumer.addRoute(route(routeTableId, endpointId), {}));
    const inUse = await refusalOf(consumer.deregisterRouteTable(inTable(routeTableId), {}));
    expect(inUse).toMatchObject({ code: status.FAILED_PRECONDITION, reason: 'ROUTE_TABLE_IN_USE' });
    for (const destinationCidr of ['0.0.0.0/0', '10.9.0.0/16', '10.9.0.0/16'])
      await consumer.removeRoute({ ...inTable(routeTableId), destinationCidr }, {});
    expect(await routes(routeTableId)).toEqual([]);
    await tidyUp(routeTableId);
    expect(await routes(routeTableId)).toBeUndefined();
  });

  it('of another VPC is none', async () => {
    const endpointId = await nextHop();
    const { consumer } = await stage.services.clientsOf(CONSUMER, 'consumer');
    const { vpc } = await consumer.registerVpc({ requestId: '', ipv4Cidr: '10.0.0.0/16', ipv6Cidr: '' }, {});
    const vpcId = vpc?.vpcId ?? '';
    const { routeTable } = await consumer.registerRouteTable({ requestId: '', vpcId }, {});
    const asked = { ...route(routeTable?.routeTableId ?? '', endpointId), vpcId };
    const refusal = await refusalOf(consumer.addRoute(asked, {}));
    expect(refusal).toMatchObject({
      code: status.NOT_FOUND,
      reason: 'ENDPOINT_NOT_FOUND',
      facts: { field: 'next_hop' },
    });
  });
});

describe('deleting a next hop', () => {
  it('is refused while routes lead to it, and names them', async () => {
    const { consumer, services } = stage;
    const [endpointId, routeTableId] = [await nextHop(), await table()];
    await consumer.addRoute(route(routeTableId, endpointId), {});
    const call = () => refusalOf(consumer.deleteEndpoint(removal(endpointId), {}));
    const facts = { endpoint_id: endpointId, used_by: `${routeTableId} 0.0.0.0/0`, used_by_count: '1' };
    expect(await changesNothing(services.consumer.store, call)).toMatchObject({
      ...{ code: status.FAILED_PRECONDITION, reason: 'ENDPOINT_IS_NEXT_HOP', facts },
    });
    await consumer.removeRoute({ ...inTable(routeTableId), destinationCidr: '0.0.0.0/0' }, {});
    const { endpoint } = await consumer.deleteEndpoint(removal(endpointId), {});
    expect(endpoint?.status).toBe(EndpointStatus.DELETING);
    await tidyUp(routeTableId);
  });

  it('by force takes its routes away before its connection ends', async () => {
    const { consumer } = stage;
    const [endpointId, routeTableId] = [await nextHop(), await table()];
    await consumer.addRoute(route(routeTableId, endpointId), {});
    const request = removal(endpointId, true);
    const { endpoint, revision } = await consumer.deleteEndpoint(request, {});
    expect(endpoint?.status).toBe(EndpointStatus.DELETING);
    const late = await refusalOf(consumer.addRoute(route(routeTableId, endpointId, '10.9.0.0/16'), {}));
    expect(late).toMatchObject(pending(endpointId));
    await stage.settle(endpointId);
    expect(await routes(routeTableId)).toEqual([]);
    await finish(endpointId);
    expect(reservationOf(await stage.ledger(), endpointId)).toBeNull();
    for (const again of [request, removal(endpointId)])
      expect((await consumer.deleteEndpoint(again, {})).revision).toBeGreaterThanOrEqual(revision);
    await tidyUp(routeTableId);
  });

  it('is one or the other: a route, or the deletion', async () => {
    const { consumer } = stage;
    const routeTableId = await table();
    for (let turn = 0; turn < 8; turn++) {
      const endpointId = await nextHop();
      const calls = [
        () => consumer.addRoute(route(routeTableId, endpointId, `10.${turn}.0.0/16`), {}),
        () => consumer.deleteEndpoint(removal(endpointId), {}),
      ];
      const ended = await Promise.allSettled((turn % 2 ? calls : calls.toReversed()).map((call) => call()));
      expect(ended.filter((each) => each.status === 'fulfilled')).toHaveLength(1);
      const isRouted = routesTo(await stage.ledger(), endpointId).length === 1;
      expect((await stage.get(endpointId))?.status).toBe(isRouted ? EndpointStatus.ACTIVE : EndpointStatus.DELETING);
      await consumer.deleteEndpoint(removal(endpointId, true), {});
      await finish(endpointId);
    }
    await tidyUp(routeTableId);
  });

  it('that stopped half-way goes on when it is asked for again', async () => {
    const { consumer } = stage;
    const endpointId = await nextHop();
    const request = removal(endpointId);
    setFailpoints(async (name) => {
      if (name === 'deleteEndpoint:after-closing') throw new Error('the process ends here');
    });
    await refusalOf(consumer.deleteEndpoint(request, {}));
    setFailpoints(null);
    expect(await closings(endpointId)).toHaveLength(1);
    expect((await stage.get(endpointId))?.status).toBe(EndpointStatus.ACTIVE);
    expect((await consumer.deleteEndpoint(request, {})).endpoint?.status).toBe(EndpointStatus.DELETING);
    expect(await closings(endpointId)).toHaveLength(1);
  });

  it('that stopped half-way is undone after a while; its request comes too late then', async () => {
    const { consumer } = stage;
    const [endpointId, routeTableId] = [await nextHop(), await table()];
    await consumer.addRoute(route(routeTableId, endpointId), {});
    const request = removal(endpointId, true);
    setFailpoints(async (name) => {
      if (name === 'deleteEndpoint:after-closing') throw new Error('the process ends here');
    });
    await refusalOf(consumer.deleteEndpoint(request, {}));
    setFailpoints(null);
    expect((await stage.get(endpointId))?.status).toBe(EndpointStatus.ACTIVE);
    const meanwhile = await refusalOf(consumer.addRoute(route(routeTableId, endpointId, '10.9.0.0/16'), {}));
    expect(meanwhile).toMatchObject(pending(endpointId));
    const [closing] = (await closings(endpointId)) ?? [];
    await stage.cleanUp(endpointId, closing);
    expect(await closings(endpointId)).toEqual([]);
    expect(await routes(routeTableId)).toHaveLength(1);
    const tooLate = await refusalOf(consumer.deleteEndpoint(request, {}));
    expect(tooLate).toMatchObject({ code: status.ABORTED, reason: 'ENDPOINT_CHANGE_ABANDONED' });
    await consumer.addRoute(route(routeTableId, endpointId, '10.9.0.0/16'), {});
    await consumer.deleteEndpoint(removal(endpointId, true), {});
    await stage.settle(endpointId);
    expect(await routes(routeTableId)).toEqual([]);
    await tidyUp(routeTableId);
  });
});
