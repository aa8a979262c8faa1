import { SupportedRegionStatus } from '@privatelink/proto/provider/v1/endpoint_service';
import { queryDns } from '../support/dns-query.ts';
import {
  addressesOf,
  createEndpoint,
  endpointRequest,
  openActor,
  publishService,
  registerNetwork,
} from '../support/scenario.ts';
import { startBackend } from '../support/traffic/backend.ts';
import { CALL, requestId } from '../support/world.ts';
import { expectEqual, expectReason, followStatuses, narrateStatusChanges, type Story } from './story.ts';
import { checkZoneTraffic } from './zone-traffic.ts';

const HOME = 'cn-hangzhou';
const SERVING = ['cn-hangzhou-h', 'cn-hangzhou-i'] as const;
const REGION = 'cn-shanghai';
const ZONES = ['cn-shanghai-a', 'cn-shanghai-b'] as const;

/** Endpoints of another region connect where the service lets them, until it does not. */
export const crossRegion: Story = {
  name: 'cross-region',
  about: 'endpoints of another region: refused, supported, each of their zones served by one of the service’s, ended',
  forwarding: 'loopback',
  play: async (stage) => {
    const { run, feed, narrator, use } = stage;
    const { act, checked } = narrator;
    const provider = use(await openActor(run, 'provider'));
    const consumer = use(await openActor(run, 'consumer'));
    const backends = [];
    for (const zone of SERVING) backends.push({ ...use(await startBackend({ zone })), zone });

    narrator.title(`A service in ${HOME}, and a consumer in ${REGION}`);
    act(`provider publishes a service over a load balancer in each of ${SERVING.join(' and ')}`);
    const options = { autoAccept: true, backends, users: [consumer.account] };
    const service = await publishService(provider, feed, options);
    const { serviceId } = service;
    const told = narrateStatusChanges(stage, { domainName: () => undefined });
    const network = await registerNetwork(consumer, { zones: ZONES, regionId: REGION });
    const request = () => ({ ...endpointRequest(service, network, ZONES), serviceRegion: HOME });
    act('consumer creates an endpoint: refused, the service does not support its region');
    await expectReason('REGION_NOT_SUPPORTED', () => consumer.consumer.createEndpoint(request(), CALL));

    narrator.title('The provider supports the region');
    const ofRegion = () => ({ requestId: requestId(), serviceId, regionId: REGION });
    act(`provider adds ${REGION}`);
    await provider.provider.addSupportedRegion(ofRegion(), CALL);
    await feed.records('endpointService', serviceId, 'ChangeCompleted');
    await told();
    const regions = async () =>
      (await provider.provider.getEndpointService({ serviceId }, CALL)).endpointService?.supportedRegions.map(
        ({ regionId, status }) => [regionId, status],
      );
    expectEqual('regions that the service supports', await regions(), [[REGION, SupportedRegionStatus.AVAILABLE]]);
    act('consumer creates it, and does not say in which region the service is: refused');
    const unsaid = { ...request(), serviceRegion: undefined };
    await expectReason('SERVICE_REGION_MISMATCH', () => consumer.consumer.createEndpoint(unsaid, CALL));
    act(`consumer creates it with service_region ${HOME}`);
    const endpoint = await createEndpoint(consumer, request());
    const { endpointId: connectionId, domainName } = endpoint;
    const reaches = followStatuses(stage, connectionId, told);
    await reaches('CONNECTING', 'CONNECTED');

    narrator.title('Each of its zones is served by one of the service’s');
    const { connection } = await provider.broker.getConnection({ connectionId }, CALL);
    const places = connection?.zones.map(({ zoneId, serviceZoneId }) => [zoneId, serviceZoneId] as const) ?? [];
    expectEqual('zones that serve it', places.map(([, serving]) => serving).sort(), SERVING);
    const traffic = checkZoneTraffic(stage, { consumer, connectionId });
    for (const [zoneId, serving] of places) {
      checked(`${zoneId} is served by ${serving}`);
      await traffic.opens(zoneId, serving);
    }
    const asked = `.${serviceId}.${REGION}.`;
    expectEqual(`whether its names are below ${REGION}`, domainName.includes(asked), true);
    const answer = await queryDns(run.dns.address, domainName);
    expectEqual('what its name answers', answer.records.toSorted(), addressesOf(endpoint));
    checked(`its name is of its own region: ${domainName}`);
    const { bandwidth } = connection ?? {};
    expectEqual('its bandwidth', bandwidth?.limitMbps, 100);
    checked('it may carry 100 Mbit/s until the provider says more');

    narrator.title('The provider supports the region no more');
    const remove = (force: boolean) => provider.provider.removeSupportedRegion({ ...ofRegion(), force }, CALL);
    act(`provider removes ${REGION}: refused, a connection is up`);
    await expectReason('SUPPORTED_REGION_IN_USE', () => remove(false));
    for (const zoneId of ZONES) await traffic.goesOn(zoneId);
    act('provider removes it by force');
    await remove(true);
    await reaches('SERVICE_DELETED');
    for (const zoneId of ZONES) {
      await traffic.isCut(zoneId);
      await traffic.isClosed(zoneId);
    }
    await feed.records('endpointService', serviceId, 'SupportedRegionRemoved');
    expectEqual('regions that the service supports', await regions(), []);
    act('consumer deletes the endpoint');
    await consumer.consumer.deleteEndpoint({ requestId: requestId(), endpointId: connectionId, force: false }, CALL);
    await reaches('DELETING', 'GONE');
  },
};
