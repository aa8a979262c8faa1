import { status } from '@grpc/grpc-js';
import { ExplainReachabilityRequest } from '@privatelink/proto/broker/v1/broker_service';
import { TrafficControlMode } from '@privatelink/proto/common/v1/common';
import { ObstacleReason } from '@privatelink/proto/common/v1/obstacle';
import type { CreateEndpointRequest } from '@privatelink/proto/consumer/v1/consumer_service';
import { ResourceType, SupportedRegionStatus } from '@privatelink/proto/provider/v1/endpoint_service';
import { Reconcile } from '@privatelink/proto/provider/v1/provider_service';
import { systemClock as clock } from '@privatelink/shared/runtime/clock';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { allocationId, endpointZoneOf } from '../../services/connection-broker/src/allocation/allocation.ts';
import { providerPort } from '../../services/connection-broker/src/dispatch/provider.ts';
import { telling } from '../../services/connection-broker/src/processes/telling.ts';
import { brokerPort } from '../../services/provider/src/dispatch/broker.ts';
import { endpointServiceLifecycle } from '../../services/provider/src/processes/endpoint-service-lifecycle.ts';
import { type ConsumerStage, consumerStage } from './support/consumer-stage.ts';
import {
  activeService,
  CONSUMER,
  changesNothing,
  newId,
  OTHER_ZONE,
  PROVIDER,
  refusalOf,
  ZONE,
} from './support/given.ts';

const HOME = 'cn-hangzhou';
const REGION = 'cn-shanghai';
const [A, B, C] = ['cn-shanghai-a', 'cn-shanghai-b', 'cn-shanghai-c'] as const;

let stage: ConsumerStage;
beforeAll(async () => {
  stage = await consumerStage();
});
afterAll(() => stage?.close());

let serviceId: string;
let vpcId: string;
let vswitches: Readonly<Record<string, string>>;
let securityGroupId: string;

const attach = async (resourceId: string, zoneId: string): Promise<void> => {
  const targets = [{ ip: '10.0.2.10', port: 443 }];
  const resource = { resourceId, resourceType: ResourceType.NLB, zoneId, vpcId: '', proxyProtocol: false, targets };
  await stage.provider.attachResource({ requestId: newId('r'), serviceId, resource }, {});
  await settle();
};
const settle = () => stage.services.provider.lifecycle.settle(serviceId);
const service = async () => (await stage.provider.getEndpointService({ serviceId }, {})).endpointService;
const naming = (regionId = REGION) => ({ requestId: newId('r'), serviceId, regionId });
const support = async (regionId = REGION): Promise<void> => {
  await stage.provider.addSupportedRegion(naming(regionId), {});
  await settle();
};
const creation = (zones: readonly string[], change: Partial<CreateEndpointRequest> = {}) =>
  stage.creation({
    ...{ service: serviceId, vpcId, securityGroupIds: [securityGroupId], serviceRegion: HOME },
    zones: zones.map((zoneId) => ({ zoneId, vswitchId: vswitches[zoneId] ?? '', ipv4Address: '', ipv6Address: '' })),
    ...change,
  });
const endpointIn = async (...zones: readonly string[]): Promise<string> => {
  const { endpoint } = await stage.consumer.createEndpoint(creation(zones), {});
  const endpointId = endpoint?.endpointId ?? '';
  await settleEndpoint(endpointId);
  return endpointId;
};
const settleEndpoint = async (endpointId: string): Promise<void> => {
  await stage.settle(endpointId);
  await stage.connect(endpointId);
  await stage.settle(endpointId);
};
const connection = async (connectionId: string) =>
  (await stage.services.clients.broker.getConnection({ connectionId }, {})).connection;
const placesOf = async (connectionId: string) =>
  (await connection(connectionId))?.zones.map(({ zoneId, serviceZoneId }) => [zoneId, serviceZoneId]);
const ledgerOf = async (place: string) =>
  (await stage.services.broker.allocations.fold(allocationId(serviceId, place))).state.assigned;
/** What the broker does of its own accord when a region is closed. */
const tell = async (): Promise<void> => {
  const provider = providerPort(stage.services.clients.provider);
  await telling({ ...stage.services.broker, provider, clock }).reactor.work(serviceId, null);
};

/** A service in two zones, and a consumer's network in a region with three. */
beforeEach(async () => {
  serviceId = await activeService(stage.services);
  await attach('nlb-i', OTHER_ZONE);
  const { consumer } = stage;
  const range = { ipv4Cidr: '10.8.0.0/16', ipv6Cidr: '', regionId: REGION };
  vpcId = (await consumer.registerVpc({ requestId: newId('r'), ...range }, {})).vpc?.vpcId ?? '';
  const subnets = [A, B, C].map(async (zoneId, index) => {
    const said = { requestId: newId('r'), vpcId, zoneId, ipv4Cidr: `10.8.${index}.0/24`, ipv6Cidr: '' };
    return [zoneId, (await consumer.registerVSwitch(said, {})).vswitch?.vswitchId ?? ''];
  });
  vswitches = Object.fromEntries(await Promise.all(subnets));
  const group = await consumer.registerSecurityGroup({ requestId: newId('r'), vpcId, rules: [] }, {});
  securityGroupId = group.securityGroup?.securityGroupId ?? '';
});

describe('a VPC', () => {
  it('is in one region, and has vSwitches in zones of that alone', async () => {
    const said = { requestId: newId('r'), vpcId, zoneId: ZONE, ipv4Cidr: '10.8.9.0/24', ipv6Cidr: '' };
    const refusal = await refusalOf(stage.consumer.registerVSwitch(said, {}));
    expect(refusal).toMatchObject({ code: status.FAILED_PRECONDITION, reason: 'ZONE_REGION_MISMATCH' });
    expect(refusal.facts).toMatchObject({ zone_region: HOME, required: REGION, field: 'zone_id' });
    expect((await stage.consumer.getVpc({ vpcId }, {})).vpc).toMatchObject({ regionId: REGION });
    expect((await stage.consumer.getVpc({ vpcId: stage.vpcId }, {})).vpc).toMatchObject({ regionId: HOME });
  });
});

describe('a supported region', () => {
  it('is PENDING while the service is CHANGING, and AVAILABLE afterwards', async () => {
    const { endpointService } = await stage.provider.addSupportedRegion(naming(), {});
    expect(endpointService).toMatchObject({
      status: 'ENDPOINT_SERVICE_STATUS_CHANGING',
      supportedRegions: [{ regionId: REGION, status: SupportedRegionStatus.PENDING }],
    });
    await settle();
    expect(await service()).toMatchObject({
      status: 'ENDPOINT_SERVICE_STATUS_ACTIVE',
      supportedRegions: [
        { regionId: REGION, status: SupportedRegionStatus.AVAILABLE, businessStatus: 'BUSINESS_STATUS_NORMAL' },
      ],
    });
    await changesNothing(stage.services.provider.store, () => stage.provider.addSupportedRegion(naming(), {}));
  });

  it('FAILED where the installation has it no more, and can be added again', async () => {
    await stage.provider.addSupportedRegion(naming(), {});
    const { services, accounts } = stage.services.provider;
    const broker = brokerPort(stage.services.clients.broker);
    await endpointServiceLifecycle({ services, accounts, broker, otherRegions: [], clock }).settle(serviceId);
    expect(await service()).toMatchObject({
      status: 'ENDPOINT_SERVICE_STATUS_ACTIVE',
      supportedRegions: [{ status: SupportedRegionStatus.FAILED }],
    });
    await support();
    expect((await service())?.supportedRegions).toMatchObject([{ status: SupportedRegionStatus.AVAILABLE }]);
  });

  it('is another one of this installation, of an INTERFACE service', async () => {
    for (const regionId of [HOME, 'moon', '']) {
      const refusal = await refusalOf(stage.provider.addSupportedRegion(naming(regionId), {}));
      expect(refusal.violations).toMatchObject([{ field: 'region_id' }]);
    }
    serviceId = await activeService(stage.services, true, undefined, 'GATEWAY_LOAD_BALANCER');
    const refusal = await refusalOf(stage.provider.addSupportedRegion(naming(), {}));
    expect(refusal).toMatchObject({ code: status.FAILED_PRECONDITION, reason: 'SERVICE_TYPE_MISMATCH' });
  });
});

describe('an endpoint of another region', () => {
  it('names the region of the service, which supports its own', async () => {
    const unsupported = await refusalOf(stage.consumer.createEndpoint(creation([A]), {}));
    expect(unsupported).toMatchObject({ code: status.FAILED_PRECONDITION, reason: 'REGION_NOT_SUPPORTED' });
    expect(unsupported.facts).toMatchObject({ region: REGION, supported_regions: '', field: 'vpc_id' });
    await support();
    await support('cn-beijing');
    const beside = creation([A], { serviceRegion: REGION });
    for (const request of [creation([A], { serviceRegion: undefined }), beside]) {
      const refusal = await refusalOf(stage.consumer.createEndpoint(request, {}));
      expect(refusal).toMatchObject({ code: status.FAILED_PRECONDITION, reason: 'SERVICE_REGION_MISMATCH' });
      expect(refusal.facts).toMatchObject({ required: HOME, given: REGION, field: 'service_region' });
    }
    const nowhere = await refusalOf(stage.consumer.createEndpoint(creation([A], { serviceRegion: 'moon' }), {}));
    expect(nowhere.violations).toMatchObject([{ field: 'service_region' }]);
    const endpointId = await endpointIn(A);
    expect(await stage.get(endpointId)).toMatchObject({ regionId: REGION, serviceRegion: HOME, usable: true });
    expect(Object.keys((await stage.services.provider.admissions.fold(serviceId)).state.endpoints)).toEqual([
      endpointId,
    ]);
  });

  it('tells nobody of a service that is hidden from them', async () => {
    const everybody = { requestId: newId('r'), serviceId, accountId: '*', reconcile: Reconcile.KEEP };
    await stage.provider.removeServiceUser(everybody, {});
    const refusal = await refusalOf(stage.consumer.createEndpoint(creation([A], { serviceRegion: REGION }), {}));
    expect(refusal).toMatchObject({ code: status.NOT_FOUND, reason: 'ENDPOINT_SERVICE_NOT_FOUND' });
  });

  it('has each of its zones served by the zone of the service with the fewest endpoints, as both sides see', async () => {
    await support();
    const zones = [{ zoneId: '', vswitchId: stage.vswitchId, ipv4Address: '', ipv6Address: '' }];
    const near = await stage.activeEndpoint({ service: serviceId, zones });
    await stage.connect(near);
    const first = await endpointIn(A, B, C);
    // One endpoint of the service's own region is in the zone h already.
    const places = (await placesOf(first))?.map(([, serviceZone]) => serviceZone).sort();
    expect(places).toEqual([ZONE, OTHER_ZONE, OTHER_ZONE]);
    expect((await stage.get(first))?.zones.map(({ serviceZoneId }) => serviceZoneId).sort()).toEqual(places);
    expect(await placesOf(near)).toEqual([[ZONE, ZONE]]);
    const assigned = { ...(await ledgerOf(ZONE)), ...(await ledgerOf(OTHER_ZONE)) };
    const keys = [endpointZoneOf(near, ZONE), ...[A, B, C].map((zoneId) => endpointZoneOf(first, zoneId))];
    expect(Object.keys(assigned).sort()).toEqual(keys.sort());
    expect(await connection(first)).toMatchObject({
      ...{ status: 'CONNECTION_STATUS_CONNECTED', endpointRegion: REGION, serviceRegion: HOME },
    });
  });

  it('has names below its own region', async () => {
    await support();
    const endpointId = await endpointIn(A);
    const endpoint = await stage.get(endpointId);
    const base = `${serviceId}.${REGION}.privatelink.internal`;
    expect(endpoint?.domainName).toBe(`${endpointId}.${base}`);
    expect(endpoint?.zones[0]?.domainName).toBe(`${endpointId}-${A}.${base}`);
    expect(stage.services.dns.ask(endpoint?.domainName ?? '', 'A').records).toEqual([endpoint?.zones[0]?.ipv4Address]);
  });

  it('has a limited bandwidth, up to a quota', async () => {
    await support();
    const connectionId = await endpointIn(A);
    const limited = (
      limitMbps: number,
      trafficControlMode: TrafficControlMode = TrafficControlMode.BANDWIDTH_LIMIT,
    ) => ({
      ...{ requestId: newId('r'), connectionId, bandwidth: { trafficControlMode, limitMbps } },
    });
    expect(await connection(connectionId)).toMatchObject({ bandwidth: limited(100).bandwidth });
    const { broker } = await stage.services.clientsOf(PROVIDER, 'provider');
    const unlimited = limited(0, TrafficControlMode.SCALABILITY);
    for (const request of [limited(99), limited(1_001), unlimited]) {
      const { reason } = await refusalOf(broker.setConnectionBandwidth(request, {}));
      expect(reason).toMatch(/^(BANDWIDTH_UNSUPPORTED|INVALID_ARGUMENT)$/);
    }
    const { connection: changed } = await broker.setConnectionBandwidth(limited(1_000), {});
    expect(changed).toMatchObject({ bandwidth: limited(1_000).bandwidth });
  });

  it('gets another zone, and one that goes gives all that it had back', async () => {
    await support();
    const endpointId = await endpointIn(A);
    const [[, before] = []] = (await placesOf(endpointId)) ?? [];
    const zone = { zoneId: B, vswitchId: vswitches[B] ?? '', ipv4Address: '', ipv6Address: '' };
    await stage.consumer.addEndpointZone({ ...stage.naming(endpointId), zone }, {});
    await settleEndpoint(endpointId);
    expect(await placesOf(endpointId)).toEqual([
      [A, before],
      [B, before === ZONE ? OTHER_ZONE : ZONE],
    ]);
    await stage.consumer.removeEndpointZone({ ...stage.naming(endpointId), zoneId: A, vswitchId: '' }, {});
    await settleEndpoint(endpointId);
    expect(await placesOf(endpointId)).toMatchObject([[B, before === ZONE ? OTHER_ZONE : ZONE]]);
    expect(Object.keys(await ledgerOf(HOME))).toEqual([endpointZoneOf(endpointId, B)]);
    await stage.consumer.deleteEndpoint({ ...stage.naming(endpointId), force: false }, {});
    await settleEndpoint(endpointId);
    for (const place of [HOME, ZONE, OTHER_ZONE]) expect(await ledgerOf(place)).toEqual({});
  });

  it('is moved when its resource is replaced, or detached', async () => {
    await support();
    const endpointId = await endpointIn(A, B);
    const inH = ((await placesOf(endpointId)) ?? []).find(([, serviceZone]) => serviceZone === ZONE)?.[0] ?? '';
    const { broker } = await stage.services.clientsOf(PROVIDER, 'provider');
    const key = endpointZoneOf(endpointId, inH);
    const from = (await ledgerOf(ZONE))[key];
    const to = from === 'nlb-1' ? 'nlb-2' : 'nlb-1';
    const place = {
      connectionId: endpointId,
      zoneId: inH,
      mode: 'REPLACEMENT_MODE_GRACEFUL',
      automatic: false,
    } as const;
    const elsewhere = broker.replaceZoneResource({ ...place, requestId: newId('r'), resourceId: 'nlb-i' }, {});
    expect(await refusalOf(elsewhere)).toMatchObject({ reason: 'RESOURCE_NOT_FOUND', facts: { zone_id: ZONE } });
    await broker.replaceZoneResource({ ...place, requestId: newId('r'), resourceId: to }, {});
    await stage.connect(endpointId);
    expect((await ledgerOf(ZONE))[key]).toBe(to);
    await stage.provider.detachResource({ requestId: newId('r'), serviceId, resourceId: to, zoneId: ZONE }, {});
    await stage.connect(endpointId);
    await settle();
    expect((await ledgerOf(ZONE))[key]).toBe(from);
    const zones = (await connection(endpointId))?.zones.map(({ zoneId, resourceId }) => [zoneId, resourceId]);
    expect(zones).toContainEqual([inH, from]);
    expect((await service())?.resources.map(({ resourceId }) => resourceId)).not.toContain(to);
  });

  it('is foreseen by a dry run', async () => {
    await support();
    const reply = await stage.consumer.createEndpoint({ ...creation([A]), dryRun: true }, {});
    expect(reply.preview?.events.map(({ type }) => type)).toContain('EndpointCreated');
    expect(await ledgerOf(HOME)).toEqual({});
    const added = await stage.provider.addSupportedRegion({ ...naming('cn-beijing'), dryRun: true }, {});
    expect(added.preview?.events.map(({ type }) => type)).toEqual(['SupportedRegionAdded']);
    expect((await service())?.supportedRegions).toMatchObject([{ regionId: REGION }]);
  });

  it('is explained: the region stands in the way until it is supported', async () => {
    const { broker } = await stage.services.clientsOf(CONSUMER, 'consumer');
    const explain = async (regionId?: string) =>
      (
        await broker.explainReachability(
          ExplainReachabilityRequest.create({ service: serviceId, zoneIds: [A], ...(regionId && { regionId }) }),
          {},
        )
      ).obstacles;
    expect(await explain(REGION)).toMatchObject([
      {
        reason: ObstacleReason.REGION_NOT_SUPPORTED,
        facts: { region: REGION, supported_regions: '' },
        whatToDo: expect.stringContaining('AddSupportedRegion'),
      },
    ]);
    await support();
    expect(await explain(REGION)).toEqual([]);
    expect(await explain('cn-beijing')).toMatchObject([{ facts: { supported_regions: REGION } }]);
    expect(await explain()).toMatchObject([{ reason: ObstacleReason.ZONE_NOT_OFFERED }]);
  });
});

describe('removing a region', () => {
  const remove = (force: boolean, more: object = {}) =>
    stage.provider.removeSupportedRegion({ ...naming(), force, ...more }, {});
  const listed = async () => stage.services.broker.listsReach(await stage.services.broker.store.tail());

  it('is done at once where nobody is, and again it changes nothing', async () => {
    await support();
    const { endpointService } = await remove(false);
    expect(endpointService).toMatchObject({
      status: 'ENDPOINT_SERVICE_STATUS_CHANGING',
      supportedRegions: [{ status: SupportedRegionStatus.DELETING }],
    });
    await tell();
    await settle();
    expect(await service()).toMatchObject({ status: 'ENDPOINT_SERVICE_STATUS_ACTIVE', supportedRegions: [] });
    await changesNothing(stage.services.provider.store, () => remove(false));
    expect(await refusalOf(stage.consumer.createEndpoint(creation([A]), {}))).toMatchObject({
      reason: 'REGION_NOT_SUPPORTED',
    });
  });

  it('is refused while its connections are up, which are named', async () => {
    await support();
    const endpointId = await endpointIn(A);
    await listed();
    const refusal = await refusalOf(remove(false));
    expect(refusal).toMatchObject({ code: status.FAILED_PRECONDITION, reason: 'SUPPORTED_REGION_IN_USE' });
    expect(refusal.facts).toMatchObject({
      ...{ region: REGION, connection_count: '1', connections: `${endpointId} (CONNECTED)` },
    });
    await settle();
    expect(await service()).toMatchObject({
      status: 'ENDPOINT_SERVICE_STATUS_ACTIVE',
      supportedRegions: [{ status: SupportedRegionStatus.AVAILABLE }],
    });
  });

  it('by force ends its connections, no others, and is over when they are torn down', async () => {
    await support();
    const zones = [{ zoneId: '', vswitchId: stage.vswitchId, ipv4Address: '', ipv6Address: '' }];
    const near = await stage.activeEndpoint({ service: serviceId, zones });
    await stage.connect(near);
    const far = await endpointIn(A);
    const { events } = await stage.services.clients.broker.listConnectionEvents(
      { connectionId: far, pageSize: 100, pageToken: '' },
      {},
    );
    const [established, places] = [events.at(-1)?.position ?? 0n, await placesOf(far)];
    await listed();
    await remove(true);
    await tell();
    expect(await connection(far)).toMatchObject({ status: 'CONNECTION_STATUS_SERVICE_DELETED' });
    expect(await service()).toMatchObject({
      status: 'ENDPOINT_SERVICE_STATUS_CHANGING',
      supportedRegions: [{ status: SupportedRegionStatus.DELETING }],
    });
    const again = await refusalOf(stage.provider.addSupportedRegion(naming(), {}));
    expect(again).toMatchObject({ code: status.FAILED_PRECONDITION, reason: 'SUPPORTED_REGION_DELETING' });
    await stage.connect(far);
    await listed();
    await tell();
    await settle();
    expect(await service()).toMatchObject({ status: 'ENDPOINT_SERVICE_STATUS_ACTIVE', supportedRegions: [] });
    expect(await connection(near)).toMatchObject({ status: 'CONNECTION_STATUS_CONNECTED' });
    const asOf = { moment: { $case: 'position' as const, value: established } };
    const then = await stage.services.clients.broker.getConnection({ connectionId: far, asOf }, {});
    expect(then.connection).toMatchObject({ status: 'CONNECTION_STATUS_CONNECTED', endpointRegion: REGION });
    expect(then.connection?.zones.map(({ zoneId, serviceZoneId }) => [zoneId, serviceZoneId])).toEqual(places);
  });

  it('lets endpoints connect that are created once it is supported again, and none from before', async () => {
    await support();
    const { endpoint } = await stage.consumer.createEndpoint(creation([A]), {});
    await remove(false);
    await tell();
    await settle();
    await support();
    const before = endpoint?.endpointId ?? '';
    await settleEndpoint(before);
    expect(await connection(before)).toMatchObject({ status: 'CONNECTION_STATUS_SERVICE_DELETED' });
    const after = await endpointIn(B);
    await tell();
    expect(await connection(after)).toMatchObject({ status: 'CONNECTION_STATUS_CONNECTED' });
  });

  it('is foreseen by a dry run, with the connections that it would end', async () => {
    await support();
    const far = await endpointIn(A);
    await listed();
    const { preview } = await remove(true, { dryRun: true });
    expect(preview?.connectionIds).toEqual([]);
    expect(preview?.events.map(({ type }) => type)).toContain('ServiceClosed');
    expect(await connection(far)).toMatchObject({ status: 'CONNECTION_STATUS_CONNECTED' });
    expect((await service())?.supportedRegions).toMatchObject([{ status: SupportedRegionStatus.AVAILABLE }]);
  });
});
