import { status } from '@grpc/grpc-js';
import { TrafficControlMode } from '@privatelink/proto/common/v1/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Clients, type ConsumerStage, consumerStage } from './support/consumer-stage.ts';
import { activeService, CONSUMER, newId, PROVIDER, refusalOf, ZONE } from './support/given.ts';

/** Lists are filtered and sorted as they are asked, and by nothing that their caller may not see. */

let stage: ConsumerStage;
let consumer: Clients;
let provider: Clients;
let operator: Clients;
beforeAll(async () => {
  stage = await consumerStage();
  consumer = await stage.services.clientsOf(CONSUMER, 'consumer');
  provider = await stage.services.clientsOf(PROVIDER, 'provider');
  operator = await stage.services.clientsOf('', 'operator');
});
afterAll(() => stage?.close());

const PAGE = { pageSize: 0, pageToken: '', consistencyToken: '' };
type Page = Readonly<{ ids: readonly string[]; nextPageToken: string }>;
type Asked = Readonly<{ filter?: string; orderBy?: string; pageSize?: number; pageToken?: string }>;
type List = (asked: Asked) => Promise<Page>;

const all = async (list: List, asked: Asked): Promise<readonly string[]> => {
  const ids: string[] = [];
  for (let pageToken = ''; ; ) {
    const page = await list({ ...asked, pageToken });
    ids.push(...page.ids);
    pageToken = page.nextPageToken;
    if (pageToken === '') return ids;
  }
};

describe('services', () => {
  let ids: readonly string[];
  let consistencyToken: string;
  const services =
    ({ provider: client }: Clients): List =>
    async (asked) => {
      const page = await client.listEndpointServices({ ...PAGE, statuses: [], consistencyToken, ...asked }, {});
      return { ...page, ids: page.endpointServices.map(({ serviceId }) => serviceId) };
    };
  const visible: List = async (asked) => {
    const page = await consumer.provider.listVisibleServices({ ...PAGE, consistencyToken, ...asked }, {});
    return { ...page, ids: page.endpointServices.map(({ serviceId }) => serviceId) };
  };
  beforeAll(async () => {
    const made: string[] = [];
    for (const [index, env] of ['prod', 'prod', 'test'].entries()) {
      const serviceId = await activeService(stage.services, index !== 1);
      const tags = { tags: [{ key: 'env', value: env }, ...(index === 0 ? [{ key: 'a.b', value: '"' }] : [])] };
      const update = { requestId: newId('r'), serviceId, description: `it's number ${index}`, tags };
      ({ consistencyToken } = await provider.provider.updateEndpointService(update, {}));
      made.push(serviceId);
    }
    ids = made;
  });

  it.each<[string, readonly number[]]>([
    ['tags.env = prod', [0, 1]],
    ['tags.env : "prod" AND auto_accept = true', [0]],
    ['tags.env != prod AND tags:env', [2]],
    ['tags."a.b":*', [0]],
    ['tags."a.b" = "\\""', [0]],
    [`description = "it's number 1" OR description = 'it\\'s number 2'`, [1, 2]],
    ['NOT (auto_accept = true OR tags.env = test) AND tags:env', [1]],
    [`zone_ids:${ZONE} AND tags:env`, [0, 1, 2]],
    ['zone_ids:moon-1', []],
    ['tags:env AND create_time > "2020-01-01T00:00:00Z" AND service_type = INTERFACE AND payer != ENDPOINT', [0, 1, 2]],
    ['tags:env AND create_time > "2999-01-01T00:00:00Z"', []],
    ['description = "\' or 1=1 --"', []],
    ['description = "$1" OR tags.env = "prod\' or true --"', []],
  ])('of %s', async (filter, wanted) => {
    const expected = wanted.map((index) => ids[index] ?? '').sort();
    expect(await all(services(provider), { filter })).toEqual(expected);
    expect(await all(services(operator), { filter, pageSize: 1 })).toEqual(expected);
  });

  it('in an order, page by page, whatever is equal', async () => {
    const filter = 'tags:env';
    const [a = '', b = '', c = ''] = ids;
    expect(await all(services(provider), { filter, orderBy: 'create_time desc' })).toEqual([c, b, a]);
    expect(await all(services(provider), { filter, orderBy: 'create_time', pageSize: 1 })).toEqual([a, b, c]);
    const byAccount = { filter, orderBy: 'account_id desc', pageSize: 1 };
    expect(await all(services(provider), byAccount)).toEqual([...ids].sort().reverse());
    const backwards = { filter, orderBy: 'account_id, service_id desc', pageSize: 2 };
    expect(await all(services(provider), backwards)).toEqual([...ids].sort().reverse());
  });

  it('a page token is of one filter and one order', async () => {
    const asked = { filter: 'tags:env', orderBy: 'create_time desc', pageSize: 1 };
    const { nextPageToken: pageToken } = await services(provider)(asked);
    expect(pageToken).not.toBe('');
    for (const other of [{ filter: 'tags.env:*' }, { orderBy: 'create_time' }, { filter: '' }, { orderBy: '' }]) {
      const refusal = await refusalOf(services(provider)({ ...asked, ...other, pageToken }));
      expect(refusal).toMatchObject({ reason: 'PAGE_TOKEN_INVALID', violations: [{ field: 'page_token' }] });
    }
    expect((await services(provider)({ ...asked, pageToken, pageSize: 2 })).ids).toHaveLength(2);
  });

  it('nobody asks for what is not shown to him', async () => {
    expect(await all(visible, { filter: 'auto_accept = false', orderBy: 'create_time' })).toContain(ids[1]);
    for (const filter of ['tags.env = prod', 'description = x', 'users:x', 'resources:x']) {
      const refusal = await refusalOf(visible({ filter }));
      expect(refusal).toMatchObject({ code: status.INVALID_ARGUMENT, reason: 'INVALID_FILTER' });
      expect(refusal.violations).toMatchObject([
        { field: 'filter', description: expect.stringMatching(/^at 1: .* there are service_id, /) },
      ]);
    }
    const order = await refusalOf(visible({ orderBy: 'description' }));
    expect(order).toMatchObject({ reason: 'INVALID_ORDER_BY', violations: [{ field: 'order_by' }] });
  });

  it('of their resources and users too', async () => {
    const [serviceId = ''] = ids;
    const resources: List = async (asked) => {
      const page = await provider.provider.listResources({ ...PAGE, serviceId, ...asked }, {});
      return { ...page, ids: page.resources.map(({ resourceId }) => resourceId) };
    };
    expect(await all(resources, { pageSize: 1 })).toEqual(['nlb-1', 'nlb-2']);
    expect(await all(resources, { orderBy: 'resource_id desc', pageSize: 1 })).toEqual(['nlb-2', 'nlb-1']);
    expect(await all(resources, { filter: 'resource_id = nlb-2 AND auto_allocated = true' })).toEqual(['nlb-2']);
    const user = { requestId: newId('r'), serviceId, accountId: CONSUMER, autoAccept: true, approvalTtl: undefined };
    await provider.provider.addServiceUser(user, {});
    const users: List = async (asked) => {
      const page = await provider.provider.listServiceUsers({ ...PAGE, serviceId, ...asked }, {});
      return { ...page, ids: page.serviceUsers.map(({ accountId }) => accountId) };
    };
    expect(await all(users, { orderBy: 'create_time desc', pageSize: 1 })).toEqual([CONSUMER, '*', PROVIDER]);
    expect(await all(users, { filter: 'auto_accept = true' })).toEqual([CONSUMER]);
    expect(await all(users, { filter: 'auto_accept != true AND max_connections != 0' })).toEqual(['*', PROVIDER]);
  });
});

describe('endpoints, their connections and networks', () => {
  let ids: readonly string[];
  let created: Date;
  const nothing = { serviceId: '', statuses: [] };
  const endpoints: List = async (asked) => {
    const page = await consumer.consumer.listEndpoints({ ...PAGE, ...nothing, ...asked }, {});
    return { ...page, ids: page.endpoints.map(({ endpointId }) => endpointId) };
  };
  const connections =
    ({ broker }: Clients, more = {}): List =>
    async (asked) => {
      const page = await broker.listConnections({ ...PAGE, ...nothing, stuck: false, ...more, ...asked }, {});
      return { ...page, ids: page.connections.map(({ connectionId }) => connectionId) };
    };
  beforeAll(async () => {
    const tags = [{ key: 'team', value: 'payments' }];
    ids = [await stage.activeEndpoint({ description: 'one', tags }), await stage.activeEndpoint({ protected: true })];
    for (const endpointId of ids) await stage.connect(endpointId);
    const bandwidth = { trafficControlMode: TrafficControlMode.BANDWIDTH_LIMIT, limitMbps: 200 };
    const limit = { requestId: newId('r'), connectionId: ids[0] ?? '', bandwidth };
    await provider.broker.setConnectionBandwidth(limit, {});
    await stage.connect(ids[0] ?? '');
    const pause = { requestId: newId('r'), connectionId: ids[1] ?? '', message: '' };
    const paused = await consumer.broker.pauseConnection(pause, {});
    await stage.connect(ids[1] ?? '');
    const { position } = (await timeline('')).at(-1) ?? { position: 0n };
    expect(paused.consistencyToken).not.toBe('');
    await stage.services.broker.listsReach(position);
    created = new Date();
  });
  const timeline = async (filter: string) => {
    const asked = { connectionId: ids[1] ?? '', pageSize: 1_000, pageToken: '', filter };
    return (await consumer.broker.listConnectionEvents(asked, {})).events;
  };

  it('endpoints are found by what their owner gave them', async () => {
    const [one = '', two = ''] = ids;
    await stage.services.consumer.listsReach();
    expect(await all(endpoints, { filter: 'tags.team = payments AND description = one' })).toEqual([one]);
    expect(await all(endpoints, { filter: `protected = true AND vpc_id = ${stage.vpcId}` })).toEqual([two]);
    expect(
      await all(endpoints, {
        filter: `endpoint_id = ${one} OR endpoint_id = ${two}`,
        orderBy: 'create_time desc',
        pageSize: 1,
      }),
    ).toEqual([two, one]);
    expect(await all(endpoints, { filter: `security_group_ids:${stage.securityGroupId}` })).toEqual([...ids].sort());
  });

  it('connections by what both sides see', async () => {
    const [one = '', two = ''] = ids;
    for (const side of [consumer, provider, operator]) {
      const list = connections(side);
      expect(await all(list, { filter: 'hold_reasons:PAUSED_BY_CONSUMER' })).toEqual([two]);
      expect(await all(list, { filter: 'limit_mbps >= 200 AND traffic_control_mode = BANDWIDTH_LIMIT' })).toEqual([
        one,
      ]);
      expect(await all(list, { filter: 'limit_mbps < 200' })).toEqual([]);
      const up = `status = CONNECTED AND service_id = ${stage.serviceId} AND decision = ACCEPTED`;
      expect(await all(list, { filter: up })).toEqual([one]);
      expect(await all(list, { filter: `vpc_id = ${stage.vpcId}`, orderBy: 'status desc' })).toEqual([two, one]);
      for (const filter of ['resource_id = nlb-1', 'tags:x', 'listeners:x']) {
        expect(await refusalOf(list({ filter }))).toMatchObject({ reason: 'INVALID_FILTER' });
      }
    }
  });

  it('those of the past too', async () => {
    const [one = '', two = ''] = ids;
    const ms = created.getTime();
    const time = { seconds: BigInt(Math.floor(ms / 1_000)), nanos: (ms % 1_000) * 1e6 };
    const list = connections(provider, { asOf: { moment: { $case: 'time', value: time } } });
    expect(await all(list, { filter: 'hold_reasons:PAUSED_BY_CONSUMER', pageSize: 1 })).toEqual([two]);
    expect(await all(list, { filter: `status != DISCONNECTED AND vpc_id = ${stage.vpcId}` })).toEqual([one]);
    expect(await refusalOf(list({ filter: 'x = 1' }))).toMatchObject({ reason: 'INVALID_FILTER' });
    expect(await refusalOf(list({ orderBy: 'status' }))).toMatchObject({ violations: [{ field: 'order_by' }] });
  });

  it('events by what they say', async () => {
    const types = async (filter: string) => (await timeline(filter)).map(({ type }) => type);
    expect(await types('type = HoldPlaced')).toEqual(['HoldPlaced']);
    expect(await types('to = DISCONNECTED AND hold_reasons:PAUSED_BY_CONSUMER')).toEqual(['ConnectionDisconnected']);
    expect(await types('record_time > "2999-01-01T00:00:00Z" OR actor = "user:nobody"')).toEqual([]);
    const refusal = await refusalOf(timeline('resource = nlb-1'));
    expect(refusal).toMatchObject({ reason: 'INVALID_FILTER', violations: [{ field: 'filter' }] });
  });

  it('networks by their ranges and labels, which all that is in them has as well', async () => {
    const tags = [{ key: 'env', value: 'prod' }];
    const other = { requestId: newId('r'), ipv4Cidr: '172.16.0.0/16', ipv6Cidr: '', tags: { tags } };
    const { vpc, consistencyToken } = await consumer.consumer.registerVpc(other, {});
    const list: List = async (asked) => {
      const page = await consumer.consumer.listVpcs({ ...PAGE, consistencyToken, ...asked }, {});
      return { ...page, ids: page.vpcs.map(({ vpcId }) => vpcId) };
    };
    expect(await all(list, { filter: 'ipv4_cidr = "172.16.0.0/16"' })).toEqual([vpc?.vpcId]);
    expect(await all(list, { filter: 'tags.env = prod' })).toEqual([vpc?.vpcId]);
    expect(await all(list, { orderBy: 'create_time desc', pageSize: 1 })).toEqual([vpc?.vpcId, stage.vpcId]);
    const { vpcId = '' } = vpc ?? {};
    const inside = () => ({ requestId: newId('r'), vpcId, tags: { tags } });
    const range = { zoneId: 'cn-hangzhou-h', ipv4Cidr: '172.16.1.0/24', ipv6Cidr: '' };
    await consumer.consumer.registerVSwitch({ ...inside(), ...range }, {});
    await consumer.consumer.registerSecurityGroup({ ...inside(), rules: [] }, {});
    const { routeTable } = await consumer.consumer.registerRouteTable(inside(), {});
    expect(routeTable?.tags).toEqual(tags);
    const { vpc: whole } = await consumer.consumer.getVpc({ vpcId }, {});
    expect(whole).toMatchObject({ tags, vswitches: [{ tags }], securityGroups: [{ tags }], routeTables: [{ tags }] });
  });
});
