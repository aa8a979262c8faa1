import { status } from '@grpc/grpc-js';
import { SupportedRegionStatus } from '@privatelink/proto/provider/v1/endpoint_service';
import { systemClock as clock } from '@privatelink/shared/runtime/clock';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { brokerPort } from '../../services/provider/src/dispatch/broker.ts';
import { endpointServiceLifecycle } from '../../services/provider/src/processes/endpoint-service-lifecycle.ts';
import { A, B, type FarStage, farStage, HOME, REGION } from './support/far-stage.ts';
import { activeService, changesNothing, newId, refusalOf, ZONE } from './support/given.ts';

let far: FarStage;
beforeAll(async () => {
  far = await farStage();
});
beforeEach(() => far.anew());
afterAll(() => far?.stage.close());

describe('a VPC', () => {
  it('is in one region, and has vSwitches in zones of that alone', async () => {
    const said = { requestId: newId('r'), vpcId: far.vpcId(), zoneId: ZONE, ipv4Cidr: '10.8.9.0/24', ipv6Cidr: '' };
    const refusal = await refusalOf(far.stage.consumer.registerVSwitch(said, {}));
    expect(refusal).toMatchObject({ code: status.FAILED_PRECONDITION, reason: 'ZONE_REGION_MISMATCH' });
    expect(refusal.facts).toMatchObject({ zone_region: HOME, required: REGION, field: 'zone_id' });
    expect((await far.stage.consumer.getVpc({ vpcId: far.vpcId() }, {})).vpc).toMatchObject({ regionId: REGION });
    expect((await far.stage.consumer.getVpc({ vpcId: far.stage.vpcId }, {})).vpc).toMatchObject({ regionId: HOME });
  });
});

describe('a supported region', () => {
  it('is PENDING while the service is CHANGING, and AVAILABLE afterwards', async () => {
    const { endpointService } = await far.stage.provider.addSupportedRegion(far.naming(), {});
    expect(endpointService).toMatchObject({
      status: 'ENDPOINT_SERVICE_STATUS_CHANGING',
      supportedRegions: [{ regionId: REGION, status: SupportedRegionStatus.PENDING }],
    });
    await far.settle();
    expect(await far.service()).toMatchObject({
      status: 'ENDPOINT_SERVICE_STATUS_ACTIVE',
      supportedRegions: [
        { regionId: REGION, status: SupportedRegionStatus.AVAILABLE, businessStatus: 'BUSINESS_STATUS_NORMAL' },
      ],
    });
    await changesNothing(far.stage.services.provider.store, () =>
      far.stage.provider.addSupportedRegion(far.naming(), {}),
    );
  });

  it('FAILED where the installation has it no more, and can be added again', async () => {
    await far.stage.provider.addSupportedRegion(far.naming(), {});
    const { services, accounts } = far.stage.services.provider;
    const broker = brokerPort(far.stage.services.clients.broker);
    await endpointServiceLifecycle({ services, accounts, broker, otherRegions: [], clock }).settle(far.serviceId());
    expect(await far.service()).toMatchObject({
      status: 'ENDPOINT_SERVICE_STATUS_ACTIVE',
      supportedRegions: [{ status: SupportedRegionStatus.FAILED }],
    });
    await far.support();
    expect((await far.service())?.supportedRegions).toMatchObject([{ status: SupportedRegionStatus.AVAILABLE }]);
  });

  it('is another one of this installation, of an INTERFACE service', async () => {
    for (const regionId of [HOME, 'moon', '']) {
      const refusal = await refusalOf(far.stage.provider.addSupportedRegion(far.naming(regionId), {}));
      expect(refusal.violations).toMatchObject([{ field: 'region_id' }]);
    }
    const serviceId = await activeService(far.stage.services, true, undefined, 'GATEWAY_LOAD_BALANCER');
    const refusal = await refusalOf(far.stage.provider.addSupportedRegion({ ...far.naming(), serviceId }, {}));
    expect(refusal).toMatchObject({ code: status.FAILED_PRECONDITION, reason: 'SERVICE_TYPE_MISMATCH' });
  });
});

describe('removing a region', () => {
  const remove = (force: boolean, more: object = {}) =>
    far.stage.provider.removeSupportedRegion({ ...far.naming(), force, ...more }, {});
  const listed = async () => far.stage.services.broker.listsReach(await far.stage.services.broker.store.tail());

  it('is done at once where nobody is, and again it changes nothing', async () => {
    await far.support();
    const { endpointService } = await remove(false);
    expect(endpointService).toMatchObject({
      status: 'ENDPOINT_SERVICE_STATUS_CHANGING',
      supportedRegions: [{ status: SupportedRegionStatus.DELETING }],
    });
    await far.tell();
    await far.settle();
    expect(await far.service()).toMatchObject({ status: 'ENDPOINT_SERVICE_STATUS_ACTIVE', supportedRegions: [] });
    await changesNothing(far.stage.services.provider.store, () => remove(false));
    expect(await refusalOf(far.stage.consumer.createEndpoint(far.creation([A]), {}))).toMatchObject({
      reason: 'REGION_NOT_SUPPORTED',
    });
  });

  it('is refused while its connections are up, which are named', async () => {
    await far.support();
    const endpointId = await far.endpointIn(A);
    await listed();
    const refusal = await refusalOf(remove(false));
    expect(refusal).toMatchObject({ code: status.FAILED_PRECONDITION, reason: 'SUPPORTED_REGION_IN_USE' });
    expect(refusal.facts).toMatchObject({
      ...{ region: REGION, connection_count: '1', connections: `${endpointId} (CONNECTED)` },
    });
    await far.settle();
    expect(await far.service()).toMatchObject({
      status: 'ENDPOINT_SERVICE_STATUS_ACTIVE',
      supportedRegions: [{ status: SupportedRegionStatus.AVAILABLE }],
    });
  });

  it('by force ends its connections, no others, and is over when they are torn down', async () => {
    await far.support();
    const near = await far.near();
    const remote = await far.endpointIn(A);
    const { events } = await far.stage.services.clients.broker.listConnectionEvents(
      { connectionId: remote, pageSize: 100, pageToken: '' },
      {},
    );
    const [established, places] = [events.at(-1)?.position ?? 0n, await far.placesOf(remote)];
    await listed();
    await remove(true);
    await far.tell();
    expect(await far.connection(remote)).toMatchObject({ status: 'CONNECTION_STATUS_SERVICE_DELETED' });
    expect(await far.service()).toMatchObject({
      status: 'ENDPOINT_SERVICE_STATUS_CHANGING',
      supportedRegions: [{ status: SupportedRegionStatus.DELETING }],
    });
    const again = await refusalOf(far.stage.provider.addSupportedRegion(far.naming(), {}));
    expect(again).toMatchObject({ code: status.FAILED_PRECONDITION, reason: 'SUPPORTED_REGION_DELETING' });
    await far.stage.connect(remote);
    await listed();
    await far.tell();
    await far.settle();
    expect(await far.service()).toMatchObject({ status: 'ENDPOINT_SERVICE_STATUS_ACTIVE', supportedRegions: [] });
    expect(await far.connection(near)).toMatchObject({ status: 'CONNECTION_STATUS_CONNECTED' });
    const asOf = { moment: { $case: 'position' as const, value: established } };
    const then = await far.stage.services.clients.broker.getConnection({ connectionId: remote, asOf }, {});
    expect(then.connection).toMatchObject({ status: 'CONNECTION_STATUS_CONNECTED', endpointRegion: REGION });
    expect(then.connection?.zones.map(({ zoneId, serviceZoneId }) => [zoneId, serviceZoneId])).toEqual(places);
  });

  it('lets endpoints connect that are created once it is supported again, and none from before', async () => {
    await far.support();
    const { endpoint } = await far.stage.consumer.createEndpoint(far.creation([A]), {});
    await remove(false);
    await far.tell();
    await far.settle();
    await far.support();
    const before = endpoint?.endpointId ?? '';
    await far.settleEndpoint(before);
    expect(await far.connection(before)).toMatchObject({ status: 'CONNECTION_STATUS_SERVICE_DELETED' });
    const after = await far.endpointIn(B);
    await far.tell();
    expect(await far.connection(after)).toMatchObject({ status: 'CONNECTION_STATUS_CONNECTED' });
  });

  it('is foreseen by a dry run, with the connections that it would end', async () => {
    await far.support();
    const remote = await far.endpointIn(A);
    await listed();
    const { preview } = await remove(true, { dryRun: true });
    expect(preview?.connectionIds).toEqual([]);
    expect(preview?.events.map(({ type }) => type)).toContain('ServiceClosed');
    expect(await far.connection(remote)).toMatchObject({ status: 'CONNECTION_STATUS_CONNECTED' });
    expect((await far.service())?.supportedRegions).toMatchObject([{ status: SupportedRegionStatus.AVAILABLE }]);
  });
});
