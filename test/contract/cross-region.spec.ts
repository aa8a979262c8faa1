import { status } from '@grpc/grpc-js';
import { ExplainReachabilityRequest } from '@privatelink/proto/broker/v1/broker_service';
import { TrafficControlMode } from '@privatelink/proto/common/v1/common';
import { ObstacleReason } from '@privatelink/proto/common/v1/obstacle';
import { Reconcile } from '@privatelink/proto/provider/v1/provider_service';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { allocationId, endpointZoneOf } from '../../services/connection-broker/src/allocation/allocation.ts';
import { endpointsOf } from '../../services/provider/src/service-admissions/service-admissions.ts';
import { A, B, C, type FarStage, farStage, HOME, REGION } from './support/far-stage.ts';
import { CONSUMER, commanding, newId, OTHER_ZONE, PROVIDER, refusalOf, ZONE } from './support/given.ts';

let far: FarStage;
beforeAll(async () => {
  far = await farStage();
});
beforeEach(() => far.anew());
afterAll(() => far?.stage.close());

describe('an endpoint of another region', () => {
  it('names the region of the service, which supports its own', async () => {
    const unsupported = await refusalOf(far.stage.consumer.createEndpoint(far.creation([A]), {}));
    expect(unsupported).toMatchObject({ code: status.FAILED_PRECONDITION, reason: 'REGION_NOT_SUPPORTED' });
    expect(unsupported.facts).toMatchObject({ region: REGION, supported_regions: '', field: 'vpc_id' });
    await far.support();
    await far.support('cn-beijing');
    const beside = far.creation([A], { serviceRegion: REGION });
    for (const request of [far.creation([A], { serviceRegion: undefined }), beside]) {
      const refusal = await refusalOf(far.stage.consumer.createEndpoint(request, {}));
      expect(refusal).toMatchObject({ code: status.FAILED_PRECONDITION, reason: 'SERVICE_REGION_MISMATCH' });
      expect(refusal.facts).toMatchObject({ required: HOME, given: REGION, field: 'service_region' });
    }
    const nowhere = await refusalOf(
      far.stage.consumer.createEndpoint(far.creation([A], { serviceRegion: 'moon' }), {}),
    );
    expect(nowhere.violations).toMatchObject([{ field: 'service_region' }]);
    const endpointId = await far.endpointIn(A);
    expect(await far.stage.get(endpointId)).toMatchObject({ regionId: REGION, serviceRegion: HOME, usable: true });
    const { state } = await far.stage.services.provider.admissions.fold(far.serviceId());
    expect(endpointsOf(state, '*')).toEqual([endpointId]);
  });

  it('tells nobody of a service that is hidden from them', async () => {
    const everybody = { requestId: newId('r'), serviceId: far.serviceId(), accountId: '*', reconcile: Reconcile.KEEP };
    await far.stage.provider.removeServiceUser(everybody, {});
    const refusal = await refusalOf(
      far.stage.consumer.createEndpoint(far.creation([A], { serviceRegion: REGION }), {}),
    );
    expect(refusal).toMatchObject({ code: status.NOT_FOUND, reason: 'ENDPOINT_SERVICE_NOT_FOUND' });
  });

  it('has each of its zones served by the zone of the service with the fewest endpoints, as both sides see', async () => {
    await far.support();
    const near = await far.near();
    const first = await far.endpointIn(A, B, C);
    // One endpoint of the service's own region is in the zone h already.
    const places = (await far.placesOf(first))?.map(([, serviceZone]) => serviceZone).sort();
    expect(places).toEqual([ZONE, OTHER_ZONE, OTHER_ZONE]);
    expect((await far.stage.get(first))?.zones.map(({ serviceZoneId }) => serviceZoneId).sort()).toEqual(places);
    expect(await far.placesOf(near)).toEqual([[ZONE, ZONE]]);
    const assigned = { ...(await far.ledgerOf(ZONE)), ...(await far.ledgerOf(OTHER_ZONE)) };
    const keys = [endpointZoneOf(near, ZONE), ...[A, B, C].map((zoneId) => endpointZoneOf(first, zoneId))];
    expect(Object.keys(assigned).sort()).toEqual(keys.sort());
    expect(await far.connection(first)).toMatchObject({
      ...{ status: 'CONNECTION_STATUS_CONNECTED', endpointRegion: REGION, serviceRegion: HOME },
    });
  });

  it('has names below its own region', async () => {
    await far.support();
    const endpointId = await far.endpointIn(A);
    const endpoint = await far.stage.get(endpointId);
    const base = `${far.serviceId()}.${REGION}.privatelink.internal`;
    expect(endpoint?.domainName).toBe(`${endpointId}.${base}`);
    expect(endpoint?.zones[0]?.domainName).toBe(`${endpointId}-${A}.${base}`);
    expect(far.stage.services.dns.ask(endpoint?.domainName ?? '', 'A').records).toEqual([
      endpoint?.zones[0]?.ipv4Address,
    ]);
  });

  it('has a limited bandwidth, up to a quota', async () => {
    await far.support();
    const connectionId = await far.endpointIn(A);
    const limited = (
      limitMbps: number,
      trafficControlMode: TrafficControlMode = TrafficControlMode.BANDWIDTH_LIMIT,
    ) => ({
      ...{ requestId: newId('r'), connectionId, bandwidth: { trafficControlMode, limitMbps } },
    });
    expect(await far.connection(connectionId)).toMatchObject({ bandwidth: limited(100).bandwidth });
    const { broker } = await far.stage.services.clientsOf(PROVIDER, 'provider');
    const unlimited = limited(0, TrafficControlMode.SCALABILITY);
    for (const request of [limited(99), limited(1_001), unlimited]) {
      const { reason } = await refusalOf(broker.setConnectionBandwidth(request, {}));
      expect(reason).toMatch(/^(BANDWIDTH_UNSUPPORTED|INVALID_ARGUMENT)$/);
    }
    const { connection: changed } = await broker.setConnectionBandwidth(limited(1_000), {});
    expect(changed).toMatchObject({ bandwidth: limited(1_000).bandwidth });
  });

  it('gets another zone, and one that goes gives all that it had back', async () => {
    await far.support();
    const endpointId = await far.endpointIn(A);
    const [[, before] = []] = (await far.placesOf(endpointId)) ?? [];
    await far.stage.consumer.addEndpointZone({ ...far.stage.naming(endpointId), zone: far.zone(B) }, {});
    await far.settleEndpoint(endpointId);
    expect(await far.placesOf(endpointId)).toEqual([
      [A, before],
      [B, before === ZONE ? OTHER_ZONE : ZONE],
    ]);
    await far.stage.consumer.removeEndpointZone({ ...far.stage.naming(endpointId), zoneId: A, vswitchId: '' }, {});
    await far.settleEndpoint(endpointId);
    expect(await far.placesOf(endpointId)).toMatchObject([[B, before === ZONE ? OTHER_ZONE : ZONE]]);
    expect(Object.keys(await far.ledgerOf(HOME))).toEqual([endpointZoneOf(endpointId, B)]);
    await far.stage.consumer.deleteEndpoint({ ...far.stage.naming(endpointId), force: false }, {});
    await far.settleEndpoint(endpointId);
    for (const place of [HOME, ZONE, OTHER_ZONE]) expect(await far.ledgerOf(place)).toEqual({});
  });

  it('is served by another zone when the one that was chosen loses its last resource before it is placed', async () => {
    await far.support();
    const { endpoint } = await far.stage.consumer.createEndpoint(far.creation([A]), {});
    const endpointId = endpoint?.endpointId ?? '';
    await far.stage.settle(endpointId);
    const { allocations } = far.stage.services.broker;
    const endpointZone = endpointZoneOf(endpointId, A);
    const data = { endpointZone, candidates: [OTHER_ZONE], serviceVersion: 1, others: {} };
    await allocations.execute(allocationId(far.serviceId(), HOME), { type: 'AssignResource', data }, commanding());
    const last = { requestId: newId('r'), serviceId: far.serviceId(), resourceId: 'nlb-i', zoneId: OTHER_ZONE };
    await far.stage.provider.detachResource(last, {});
    await far.settle();
    await expect(far.stage.connect(endpointId)).rejects.toMatchObject({ reason: 'NO_AVAILABLE_RESOURCE' });
    await far.settleEndpoint(endpointId);
    expect(await far.placesOf(endpointId)).toEqual([[A, ZONE]]);
    expect(await far.ledgerOf(HOME)).toEqual({ [endpointZone]: ZONE });
  });

  it('is moved when its resource is replaced, or detached', async () => {
    await far.support();
    const endpointId = await far.endpointIn(A, B);
    const inH = ((await far.placesOf(endpointId)) ?? []).find(([, serviceZone]) => serviceZone === ZONE)?.[0] ?? '';
    const { broker } = await far.stage.services.clientsOf(PROVIDER, 'provider');
    const key = endpointZoneOf(endpointId, inH);
    const from = (await far.ledgerOf(ZONE))[key];
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
    await far.stage.connect(endpointId);
    expect((await far.ledgerOf(ZONE))[key]).toBe(to);
    await far.stage.provider.detachResource(
      { requestId: newId('r'), serviceId: far.serviceId(), resourceId: to, zoneId: ZONE },
      {},
    );
    await far.stage.connect(endpointId);
    await far.settle();
    expect((await far.ledgerOf(ZONE))[key]).toBe(from);
    const zones = (await far.connection(endpointId))?.zones.map(({ zoneId, resourceId }) => [zoneId, resourceId]);
    expect(zones).toContainEqual([inH, from]);
    expect((await far.service())?.resources.map(({ resourceId }) => resourceId)).not.toContain(to);
  });

  it('is foreseen by a dry run', async () => {
    await far.support();
    const reply = await far.stage.consumer.createEndpoint({ ...far.creation([A]), dryRun: true }, {});
    expect(reply.preview?.events.map(({ type }) => type)).toContain('EndpointCreated');
    expect(await far.ledgerOf(HOME)).toEqual({});
    const added = await far.stage.provider.addSupportedRegion({ ...far.naming('cn-beijing'), dryRun: true }, {});
    expect(added.preview?.events.map(({ type }) => type)).toEqual(['SupportedRegionAdded']);
    expect((await far.service())?.supportedRegions).toMatchObject([{ regionId: REGION }]);
  });

  it('is explained: the region stands in the way until it is supported', async () => {
    const { broker } = await far.stage.services.clientsOf(CONSUMER, 'consumer');
    const explain = async (regionId?: string) =>
      (
        await broker.explainReachability(
          ExplainReachabilityRequest.create({ service: far.serviceId(), zoneIds: [A], ...(regionId && { regionId }) }),
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
    await far.support();
    expect(await explain(REGION)).toEqual([]);
    expect(await explain('cn-beijing')).toMatchObject([{ facts: { supported_regions: REGION } }]);
    expect(await explain()).toMatchObject([{ reason: ObstacleReason.ZONE_NOT_OFFERED }]);
  });
});
