import { status } from '@grpc/grpc-js';
import { EndpointStatus } from '@privatelink/proto/consumer/v1/endpoint';
import { setFailpoints } from '@privatelink/shared/app/failpoint';
import { systemClock as clock } from '@privatelink/shared/runtime/clock';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { gatewayEndpointLifecycle } from '../../services/consumer/src/processes/gateway-endpoint-lifecycle.ts';
import { type ConsumerStage, consumerStage } from './support/consumer-stage.ts';
import { changesNothing, newId, refusalOf } from './support/given.ts';

const ALLOW = '{"Statement":[{"Action":"oss:Get*","Effect":"Allow","Resource":"*"}],"Version":"1"}';
const ROUTE = '100.64.0.0/10';

let stage: ConsumerStage;
let lifecycle: ReturnType<typeof gatewayEndpointLifecycle>['reactor'];
beforeAll(async () => {
  stage = await consumerStage();
  lifecycle = gatewayEndpointLifecycle({ ...stage.services.consumer, clock }).reactor;
});
afterEach(() => setFailpoints(null));
afterAll(() => stage?.close());

/** A VPC of its own, with route tables. */
const network = async (tables = 1) => {
  const { consumer } = stage;
  const { vpc } = await consumer.registerVpc({ requestId: newId('r'), ipv4Cidr: '10.0.0.0/16', ipv6Cidr: '' }, {});
  const vpcId = vpc?.vpcId ?? '';
  const routeTableIds: string[] = [];
  while (routeTableIds.length < tables) {
    const { routeTable } = await consumer.registerRouteTable({ requestId: newId('r'), vpcId }, {});
    routeTableIds.push(routeTable?.routeTableId ?? '');
  }
  return { vpcId, routeTableIds: routeTableIds.sort() };
};
type Network = Awaited<ReturnType<typeof network>>;
const creation = (inside: Network, policy = '') => ({
  ...{ requestId: newId('r'), ...inside, serviceName: 'com.example.cn-hangzhou.oss' },
  ...{ policy, tags: [{ key: 'team', value: 'archive' }] },
});
const naming = (gatewayEndpointId: string) => ({ requestId: newId('r'), gatewayEndpointId });
/** Lets its own work go on until it rests. */
const settle = async (id: string): Promise<void> => {
  const { gateways } = stage.services.consumer;
  for (let before: bigint | null = null; ; ) {
    await lifecycle.work(id, null);
    const { revision } = await gateways.fold(id);
    if (revision === before) return;
    before = revision;
  }
};
const active = async (inside: Network, policy = ''): Promise<string> => {
  const { gatewayEndpoint } = await stage.consumer.createGatewayEndpoint(creation(inside, policy), {});
  const id = gatewayEndpoint?.gatewayEndpointId ?? '';
  await settle(id);
  return id;
};
const shown = async (id: string) =>
  (await stage.consumer.getGatewayEndpoint({ gatewayEndpointId: id }, {})).gatewayEndpoint;
const routes = async ({ vpcId }: Network) => {
  const { vpc } = await stage.consumer.getVpc({ vpcId }, {});
  return vpc?.routeTables.flatMap((table) => table.routes.map(({ nextHop }) => `${table.routeTableId} ${nextHop}`));
};

describe('a gateway endpoint', () => {
  it('is active at once, with a route in each of its tables', async () => {
    const inside = await network(2);
    const request = creation(inside, ALLOW);
    const { gatewayEndpoint } = await stage.consumer.createGatewayEndpoint(request, {});
    const id = gatewayEndpoint?.gatewayEndpointId ?? '';
    expect(id).toMatch(/^vpce-[0-9a-z]{20}$/);
    expect(gatewayEndpoint?.status).toBe(EndpointStatus.CREATING);
    await settle(id);
    expect(await shown(id)).toMatchObject({
      ...{ status: EndpointStatus.ACTIVE, ...inside, serviceName: request.serviceName, policy: ALLOW },
      tags: request.tags,
    });
    expect(await routes(inside)).toEqual(inside.routeTableIds.map((tableId) => `${tableId} ${id}`));
    const { store } = stage.services.consumer;
    const again = await changesNothing(store, () => stage.consumer.createGatewayEndpoint(request, {}));
    expect(again.gatewayEndpoint).toEqual(gatewayEndpoint);
  });

  it('is refused whole where one of its tables leads elsewhere', async () => {
    const inside = await network(2);
    const [, second = ''] = inside.routeTableIds;
    const first = await active({ ...inside, routeTableIds: [second] });
    const call = () => refusalOf(stage.consumer.createGatewayEndpoint(creation(inside), {}));
    const facts = { route_table_id: second, destination_cidr: ROUTE, next_hop: first, field: 'route_table_ids[1]' };
    expect(await changesNothing(stage.services.consumer.store, call)).toMatchObject({
      ...{ code: status.ALREADY_EXISTS, reason: 'ROUTE_ALREADY_EXISTS', facts },
    });
    const byHand = { requestId: newId('r'), vpcId: inside.vpcId, routeTableId: second, destinationCidr: ROUTE };
    expect(await refusalOf(stage.consumer.removeRoute(byHand, {}))).toMatchObject({
      ...{ code: status.FAILED_PRECONDITION, reason: 'ROUTE_IN_USE' },
    });
  });

  it('that is made twice at once has each route once', async () => {
    const inside = await network();
    const ended = await Promise.allSettled([
      stage.consumer.createGatewayEndpoint(creation(inside), {}),
      stage.consumer.createGatewayEndpoint(creation(inside), {}),
    ]);
    expect(ended.map((each) => each.status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(await routes(inside)).toHaveLength(1);
  });

  it('is deleted with its routes; a second time is success', async () => {
    const inside = await network();
    const id = await active(inside);
    const request = naming(id);
    const { gatewayEndpoint } = await stage.consumer.deleteGatewayEndpoint(request, {});
    expect(gatewayEndpoint?.status).toBe(EndpointStatus.DELETING);
    await settle(id);
    expect(await routes(inside)).toEqual([]);
    const gone = { code: status.NOT_FOUND, reason: 'GATEWAY_ENDPOINT_NOT_FOUND' };
    expect(await refusalOf(stage.consumer.getGatewayEndpoint({ gatewayEndpointId: id }, {}))).toMatchObject(gone);
    expect(await refusalOf(stage.consumer.setGatewayEndpointPolicy({ ...naming(id), policy: '' }, {}))).toMatchObject(
      gone,
    );
    for (const again of [request, naming(id)]) {
      const reply = await stage.consumer.deleteGatewayEndpoint(again, {});
      expect(reply.gatewayEndpoint?.status).toBe(EndpointStatus.DELETING);
    }
    await active(inside);
  });
});

describe('a creation that stopped half-way', () => {
  const stopped = async (inside: Network) => {
    const request = creation(inside);
    setFailpoints(async (name) => {
      if (name === 'createGatewayEndpoint:after-reservation') throw new Error('the process ends here');
    });
    await refusalOf(stage.consumer.createGatewayEndpoint(request, {}));
    setFailpoints(null);
    const [, id = ''] = (await routes(inside))?.[0]?.split(' ') ?? [];
    return { request, id };
  };

  it('goes on when it is asked for again', async () => {
    const inside = await network();
    const { request, id } = await stopped(inside);
    const { gatewayEndpoint } = await stage.consumer.createGatewayEndpoint(request, {});
    expect(gatewayEndpoint?.gatewayEndpointId).toBe(id);
    await changesNothing(stage.services.consumer.store, () => stage.cleanUp(id, '', inside.vpcId));
    expect(await routes(inside)).toHaveLength(1);
  });

  it('is undone after a while; its request comes too late then', async () => {
    const inside = await network();
    const { request, id } = await stopped(inside);
    await stage.cleanUp(id, '', inside.vpcId);
    expect(await routes(inside)).toEqual([]);
    expect(await refusalOf(stage.consumer.createGatewayEndpoint(request, {}))).toMatchObject({
      ...{ code: status.ABORTED, reason: 'ENDPOINT_CREATION_ABANDONED' },
    });
    await active(inside);
  });
});

describe('its policy', () => {
  const ask = async (id: string, action: string) => {
    const request = { endpointId: id, action, resource: 'x', principal: '', context: {} };
    return (await stage.services.clients.consumer.evaluatePolicy(request, {})).decision;
  };

  it('allows everything until it is set, and again when it is reset', async () => {
    const id = await active(await network());
    expect(await ask(id, 'oss:PutObject')).toBe('POLICY_DECISION_ALLOWED');
    const { gatewayEndpoint } = await stage.consumer.setGatewayEndpointPolicy({ ...naming(id), policy: ALLOW }, {});
    expect(gatewayEndpoint).toMatchObject({ status: EndpointStatus.CHANGING, policy: ALLOW });
    expect(await ask(id, 'oss:PutObject')).toBe('POLICY_DECISION_DENIED_BY_DEFAULT');
    expect(await ask(id, 'oss:GetObject')).toBe('POLICY_DECISION_ALLOWED');
    await settle(id);
    expect((await shown(id))?.status).toBe(EndpointStatus.ACTIVE);
    await stage.consumer.setGatewayEndpointPolicy({ ...naming(id), policy: '' }, {});
    expect(await ask(id, 'oss:PutObject')).toBe('POLICY_DECISION_ALLOWED');
  });

  it('is not there for others', async () => {
    const id = await active(await network());
    const { consumer: stranger } = await stage.services.clientsOf('3000000000000003', 'consumer', 'provider');
    const request = { endpointId: id, action: 'oss:GetObject', resource: 'x', principal: '', context: {} };
    const [foreign, absent] = [
      await refusalOf(stranger.evaluatePolicy(request, {})),
      await refusalOf(stranger.evaluatePolicy({ ...request, endpointId: newId('vpce') }, {})),
    ];
    expect(foreign).toMatchObject({ code: status.NOT_FOUND, reason: 'ENDPOINT_NOT_FOUND', message: absent.message });
  });
});
