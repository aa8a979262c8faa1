import { status } from '@grpc/grpc-js';
import { type Bandwidth, TrafficControlMode } from '@privatelink/proto/common/v1/common';
import { ResourceType } from '@privatelink/proto/provider/v1/endpoint_service';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Clients, type ConsumerStage, consumerStage } from './support/consumer-stage.ts';
import { activeService, CONSUMER, changesNothing, newId, PROVIDER, refusalOf, ZONE } from './support/given.ts';

/** How much a connection may carry: as its service has it, or as its provider says. */

let stage: ConsumerStage;
let provider: Clients;
let consumer: Clients;
beforeAll(async () => {
  stage = await consumerStage();
  provider = await stage.services.clientsOf(PROVIDER, 'provider');
  consumer = await stage.services.clientsOf(CONSUMER, 'consumer');
});
afterAll(() => stage?.close());

const NO_LIMIT: Bandwidth = { trafficControlMode: TrafficControlMode.SCALABILITY, limitMbps: 0 };
const limit = (limitMbps: number): Bandwidth => ({
  ...{ trafficControlMode: TrafficControlMode.BANDWIDTH_LIMIT, limitMbps },
});

const serviceOf = async (resourceType: ResourceType, connectBandwidth?: Bandwidth) => {
  const resource = { resourceId: newId('lb'), resourceType, zoneId: ZONE, vpcId: '', proxyProtocol: false };
  const { endpointService } = await stage.provider.createEndpointService(
    {
      ...{ requestId: newId('r'), description: '', autoAccept: true, tags: [], payer: 'PAYER_ENDPOINT' },
      serviceType:
        resourceType === ResourceType.GWLB ? 'ENDPOINT_TYPE_GATEWAY_LOAD_BALANCER' : 'ENDPOINT_TYPE_INTERFACE',
      addressType: 'ADDRESS_TYPE_IPV4',
      resources: [{ ...resource, targets: [{ ip: '10.0.1.10', port: 443 }] }],
      ...(connectBandwidth && { connectBandwidth }),
    },
    {},
  );
  return endpointService;
};
const set = (connectionId: string, bandwidth: Bandwidth | undefined, more: object = {}) =>
  provider.broker.setConnectionBandwidth({ requestId: newId('r'), connectionId, bandwidth, ...more }, {});
const seenBy = async ({ broker }: Clients, connectionId: string) =>
  (await broker.getConnection({ connectionId }, {})).connection;

describe('the bandwidth of a service', () => {
  it.each([
    [ResourceType.NLB, NO_LIMIT, 50_000],
    [ResourceType.ALB, limit(3_072), 25_000],
    [ResourceType.CLB, limit(3_072), 10_240],
  ] as const)('with %s is that of its kind of resource, or a limit within it', async (type, usual, max) => {
    expect((await serviceOf(type))?.bandwidthTerms).toMatchObject({
      ...{ connectBandwidth: usual, minMbps: 100, maxMbps: max },
    });
    expect((await serviceOf(type, limit(max)))?.bandwidthTerms?.connectBandwidth).toEqual(limit(max));
    for (const wrong of [99, max + 1]) {
      const facts = { min_mbps: '100', max_mbps: String(max) };
      expect(await refusalOf(serviceOf(type, limit(wrong)))).toMatchObject({
        ...{ code: status.FAILED_PRECONDITION, reason: 'BANDWIDTH_UNSUPPORTED', facts },
      });
    }
  });

  it('is always limited with CLB, never with GWLB, and nothing while it has no resource', async () => {
    const refused = { reason: 'BANDWIDTH_UNSUPPORTED' };
    expect(await refusalOf(serviceOf(ResourceType.CLB, NO_LIMIT))).toMatchObject(refused);
    expect(await refusalOf(serviceOf(ResourceType.GWLB, limit(100)))).toMatchObject(refused);
    expect((await serviceOf(ResourceType.GWLB))?.bandwidthTerms).toMatchObject({
      ...{ connectBandwidth: NO_LIMIT, trafficControlModes: [TrafficControlMode.SCALABILITY], maxMbps: 0 },
    });
    const { endpointService: bare } = await stage.provider.createEndpointService(
      {
        ...{ requestId: newId('r'), description: '', autoAccept: true, tags: [], payer: 'PAYER_ENDPOINT' },
        ...{ serviceType: 'ENDPOINT_TYPE_INTERFACE', addressType: 'ADDRESS_TYPE_IPV4', resources: [] },
        connectBandwidth: limit(20_000),
      },
      {},
    );
    expect(bare?.bandwidthTerms).toBeUndefined();
    const serviceId = bare?.serviceId ?? '';
    await stage.services.provider.lifecycle.settle(serviceId);
    const balancer = { zoneId: ZONE, vpcId: '', proxyProtocol: false, targets: [{ ip: '10.0.1.10', port: 443 }] };
    const attach = (resourceId: string, resourceType: ResourceType) =>
      stage.provider.attachResource(
        { requestId: newId('r'), serviceId, resource: { ...balancer, resourceId, resourceType } },
        {},
      );
    expect(await refusalOf(attach('clb-1', ResourceType.CLB))).toMatchObject(refused);
    const { endpointService } = await attach('alb-1', ResourceType.ALB);
    expect(endpointService?.bandwidthTerms?.connectBandwidth).toEqual(limit(20_000));
  });

  it('is that of connections requested from then on; each keeps its own', async () => {
    const before = await stage.activeEndpoint();
    await stage.connect(before);
    const { serviceId } = stage;
    const update = (connectBandwidth: Bandwidth) =>
      stage.provider.updateEndpointService({ requestId: newId('r'), serviceId, tags: undefined, connectBandwidth }, {});
    expect((await update(limit(500))).endpointService?.bandwidthTerms?.connectBandwidth).toEqual(limit(500));
    await changesNothing(stage.services.provider.store, () => update(limit(500)));
    await stage.services.provider.lifecycle.settle(serviceId);
    const after = await stage.activeEndpoint();
    await stage.connect(after);
    for (const side of [provider, consumer]) {
      expect((await seenBy(side, before))?.bandwidth).toEqual(NO_LIMIT);
      expect((await seenBy(side, after))?.bandwidth).toEqual(limit(500));
    }
    expect((await stage.get(after))?.bandwidth).toEqual(limit(500));
    await update(NO_LIMIT);
    await stage.services.provider.lifecycle.settle(serviceId);
  });
});

describe('the bandwidth of a connection', () => {
  it('is changed while it is up, as a change that ends; once', async () => {
    const endpointId = await stage.activeEndpoint();
    await stage.connect(endpointId);
    const before = await seenBy(provider, endpointId);
    const changing = (await set(endpointId, limit(100))).connection;
    expect(changing).toMatchObject({ status: 'CONNECTION_STATUS_CHANGING', bandwidth: limit(100) });
    expect(changing?.generation).toBe((before?.generation ?? 0n) + 1n);
    await stage.connect(endpointId);
    expect(await seenBy(consumer, endpointId)).toMatchObject({
      ...{ status: 'CONNECTION_STATUS_CONNECTED', bandwidth: limit(100) },
    });
    await changesNothing(stage.services.broker.store, () => set(endpointId, limit(100)));
    const page = { connectionId: endpointId, pageSize: 100, pageToken: '' };
    const { events } = await consumer.broker.listConnectionEvents(page, {});
    const told = events.find(({ type }) => type === 'BandwidthChanged');
    expect(told).toMatchObject({
      actor: 'provider',
      details: { bandwidth: { mode: 'BANDWIDTH_LIMIT', limitMbps: 100 } },
    });
    expect(await set(endpointId, NO_LIMIT)).toMatchObject({ connection: { bandwidth: NO_LIMIT } });
  });

  it('is kept for later while it waits, and comes with an acceptance', async () => {
    const service = await activeService(stage.services, false);
    const endpointId = await stage.activeEndpoint({ service });
    await stage.connect(endpointId);
    expect((await set(endpointId, limit(200))).connection).toMatchObject({
      ...{ status: 'CONNECTION_STATUS_DISCONNECTED', bandwidth: limit(200) },
    });
    const acceptance = { requestId: newId('r'), connectionId: endpointId, message: '', zoneIds: [], zoneResources: [] };
    const wrong = { ...acceptance, expireTime: undefined, bandwidth: limit(99) };
    expect(await refusalOf(provider.broker.acceptConnection(wrong, {}))).toMatchObject({
      ...{ reason: 'BANDWIDTH_UNSUPPORTED', facts: { min_mbps: '100', max_mbps: '50000' } },
    });
    const { connection } = await provider.broker.acceptConnection({ ...wrong, bandwidth: limit(300) }, {});
    expect(connection).toMatchObject({ decision: 'DECISION_ACCEPTED', bandwidth: limit(300) });
    await stage.connect(endpointId);
    expect(await seenBy(consumer, endpointId)).toMatchObject({
      ...{ status: 'CONNECTION_STATUS_CONNECTED', bandwidth: limit(300) },
    });
  });

  it('is foreseen by a dry run, and is not the consumer’s to say', async () => {
    const endpointId = await stage.activeEndpoint();
    await stage.connect(endpointId);
    await changesNothing(stage.services.broker.store, async () => {
      const { preview } = await set(endpointId, limit(100), { dryRun: true });
      expect(preview?.events.map(({ type }) => type)).toEqual(['BandwidthChanged', 'ChangeStarted']);
    });
    const theirs = { requestId: newId('r'), connectionId: endpointId, bandwidth: limit(100) };
    expect(await refusalOf(consumer.broker.setConnectionBandwidth(theirs, {}))).toMatchObject({
      code: status.PERMISSION_DENIED,
    });
  });

  it('must be one', async () => {
    const connectionId = newId('ep');
    const { SCALABILITY, BANDWIDTH_LIMIT, UNSPECIFIED } = TrafficControlMode;
    for (const [bandwidth, field] of [
      [undefined, 'bandwidth'],
      [{ trafficControlMode: UNSPECIFIED, limitMbps: 0 }, 'bandwidth.traffic_control_mode'],
      [{ trafficControlMode: SCALABILITY, limitMbps: 100 }, 'bandwidth.limit_mbps'],
      [{ trafficControlMode: BANDWIDTH_LIMIT, limitMbps: 0 }, 'bandwidth.limit_mbps'],
    ] as const) {
      const refusal = await refusalOf(set(connectionId, bandwidth));
      expect(refusal).toMatchObject({ code: status.INVALID_ARGUMENT, violations: [{ field }] });
    }
  });
});
