import type { CreateEndpointRequest } from '@privatelink/proto/consumer/v1/consumer_service';
import { ResourceType } from '@privatelink/proto/provider/v1/endpoint_service';
import { entriesOf } from '@privatelink/shared/eventing/parted';
import { systemClock as clock } from '@privatelink/shared/runtime/clock';
import { allocationId } from '../../../services/connection-broker/src/allocation/allocation.ts';
import { providerPort } from '../../../services/connection-broker/src/dispatch/provider.ts';
import { telling } from '../../../services/connection-broker/src/processes/telling.ts';
import { consumerStage } from './consumer-stage.ts';
import { activeService, newId, OTHER_ZONE } from './given.ts';

export const HOME = 'cn-hangzhou';
export const REGION = 'cn-shanghai';
export const [A, B, C] = ['cn-shanghai-a', 'cn-shanghai-b', 'cn-shanghai-c'] as const;

export type FarStage = Awaited<ReturnType<typeof farStage>>;

/** A service in two zones, and a consumer's network in another region with three; new ones for each test. */
export const farStage = async () => {
  const stage = await consumerStage();
  const { consumer, provider, services } = stage;
  let [serviceId, vpcId, securityGroupId] = ['', '', ''];
  let vswitches: Readonly<Record<string, string>> = {};

  const settle = () => services.provider.lifecycle.settle(serviceId);
  const attach = async (resourceId: string, zoneId: string): Promise<void> => {
    const targets = [{ ip: '10.0.2.10', port: 443 }];
    const resource = { resourceId, resourceType: ResourceType.NLB, zoneId, vpcId: '', proxyProtocol: false, targets };
    await provider.attachResource({ requestId: newId('r'), serviceId, resource }, {});
    await settle();
  };
  const network = async (): Promise<void> => {
    const range = { ipv4Cidr: '10.8.0.0/16', ipv6Cidr: '', regionId: REGION };
    vpcId = (await consumer.registerVpc({ requestId: newId('r'), ...range }, {})).vpc?.vpcId ?? '';
    const subnets = [A, B, C].map(async (zoneId, index) => {
      const said = { requestId: newId('r'), vpcId, zoneId, ipv4Cidr: `10.8.${index}.0/24`, ipv6Cidr: '' };
      return [zoneId, (await consumer.registerVSwitch(said, {})).vswitch?.vswitchId ?? ''];
    });
    vswitches = Object.fromEntries(await Promise.all(subnets));
    const group = await consumer.registerSecurityGroup({ requestId: newId('r'), vpcId, rules: [] }, {});
    securityGroupId = group.securityGroup?.securityGroupId ?? '';
  };

  const naming = (regionId = REGION) => ({ requestId: newId('r'), serviceId, regionId });
  const zone = (zoneId: string) => ({
    ...{ zoneId, vswitchId: vswitches[zoneId] ?? '', ipv4Address: '', ipv6Address: '' },
  });
  const creation = (zones: readonly string[], change: Partial<CreateEndpointRequest> = {}) =>
    stage.creation({
      ...{ service: serviceId, vpcId, securityGroupIds: [securityGroupId], serviceRegion: HOME },
      ...{ zones: zones.map(zone), ...change },
    });
  const settleEndpoint = async (endpointId: string): Promise<void> => {
    await stage.settle(endpointId);
    await stage.connect(endpointId);
    await stage.settle(endpointId);
  };
  const connection = async (connectionId: string) =>
    (await services.clients.broker.getConnection({ connectionId }, {})).connection;

  return {
    ...{ stage, settle, attach, naming, zone, creation, settleEndpoint, connection },
    anew: async (): Promise<void> => {
      serviceId = await activeService(services);
      await attach('nlb-i', OTHER_ZONE);
      await network();
    },
    serviceId: () => serviceId,
    vpcId: () => vpcId,
    service: async () => (await provider.getEndpointService({ serviceId }, {})).endpointService,
    support: async (regionId = REGION): Promise<void> => {
      await provider.addSupportedRegion(naming(regionId), {});
      await settle();
    },
    endpointIn: async (...zones: readonly string[]): Promise<string> => {
      const { endpoint } = await consumer.createEndpoint(creation(zones), {});
      const endpointId = endpoint?.endpointId ?? '';
      await settleEndpoint(endpointId);
      return endpointId;
    },
    /** An endpoint of the service's own region. */
    near: async (): Promise<string> => {
      const zones = [{ zoneId: '', vswitchId: stage.vswitchId, ipv4Address: '', ipv6Address: '' }];
      const endpointId = await stage.activeEndpoint({ service: serviceId, zones });
      await stage.connect(endpointId);
      return endpointId;
    },
    placesOf: async (connectionId: string) =>
      (await connection(connectionId))?.zones.map(({ zoneId, serviceZoneId }) => [zoneId, serviceZoneId]),
    ledgerOf: async (place: string) =>
      Object.fromEntries(
        entriesOf((await services.broker.allocations.fold(allocationId(serviceId, place))).state.assigned),
      ),
    /** What the broker does of its own accord when a region is closed. */
    tell: async (): Promise<void> => {
      const to = providerPort(services.clients.provider);
      await telling({ ...services.broker, provider: to, clock }).reactor.work(serviceId, null);
    },
  };
};
