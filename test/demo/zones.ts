import { ReplacementMode } from '@privatelink/proto/broker/v1/broker_service';
import { queryDns, queryDnsOverTcp } from '../support/dns-query.ts';
import {
  createEndpoint,
  endpointRequest,
  openActor,
  publishService,
  registerNetwork,
  resourceAt,
} from '../support/scenario.ts';
import { type Backend, type BackendOptions, startBackend } from '../support/traffic/backend.ts';
import { CALL, requestId } from '../support/world.ts';
import { expectEqual, expectReason, followStatuses, narrateStatusChanges, type Story } from './story.ts';
import { checkZoneTraffic } from './zone-traffic.ts';

const ZONES = ['cn-hangzhou-h', 'cn-hangzhou-i'] as const;
const [H, I] = ZONES;
/** Of this machine, as 127.0.0.1 is; macOS has none but that in 127.0.0.0/8. */
const OTHER_HOST = process.platform === 'darwin' ? '::1' : '127.0.0.2';

/** Zones come and go, and change what stands behind them, while a flow through another zone goes on. */
export const zones: Story = {
  name: 'zones',
  about: 'zones added, disabled, replaced and removed under live flows: who is cut, who goes on, what names answer',
  forwarding: 'loopback',
  play: async (stage) => {
    const { run, feed, narrator, use } = stage;
    const { act, checked } = narrator;
    const provider = use(await openActor(run, 'provider'));
    const consumer = use(await openActor(run, 'consumer'));
    const serve = async (options: BackendOptions): Promise<Backend> => use(await startBackend(options));
    const [behindH, behindI] = [await serve({ zone: 'h' }), await serve({ zone: 'i' })];
    const { port } = behindI;

    narrator.title('An endpoint in one of two zones');
    act(`provider publishes a service over nlb-1 in ${H} and nlb-2 in ${I}`);
    const options = {
      autoAccept: true,
      backends: [
        { ...behindH, zone: H },
        { ...behindI, zone: I },
      ],
      users: [consumer.account],
    };
    const service = await publishService(provider, feed, options);
    const network = await registerNetwork(consumer, { zones: ZONES });
    act(`consumer creates an endpoint in ${H}`);
    const endpoint = await createEndpoint(consumer, endpointRequest(service, network, [H]));
    const { endpointId, domainName } = endpoint;
    const [inH] = endpoint.zones;
    const told = narrateStatusChanges(stage, { domainName: (id) => (id === endpointId ? domainName : undefined) });
    const reaches = followStatuses(stage, endpointId, told);
    const changes = () => reaches('CHANGING', 'CONNECTED');
    await reaches('CONNECTING', 'CONNECTED');

    const traffic = checkZoneTraffic(stage, { consumer, connectionId: endpointId });
    const answers = async (what: string, name: string, expected: 'NODATA' | 'NXDOMAIN' | readonly string[]) => {
      for (const ask of [queryDns, queryDnsOverTcp]) {
        const { rcode, records } = await ask(run.dns.address, name);
        const got = records.length > 0 ? records.toSorted() : rcode === 'NOERROR' ? 'NODATA' : rcode;
        expectEqual(`what DNS answers for ${name}`, got, expected);
      }
      checked(`the name of ${what} answers ${[expected].flat().join(' ')}`);
    };
    const ofH = inH?.ipv4Address ?? '';
    await answers('the endpoint', domainName, [ofH]);
    await traffic.opens(H, 'h');

    narrator.title('A zone is added');
    act(`consumer adds ${I}, by its vSwitch`);
    const zone = { zoneId: '', vswitchId: network.vswitches[I] ?? '', ipv4Address: '', ipv6Address: '' };
    const added = await consumer.consumer.addEndpointZone({ requestId: requestId(), endpointId, zone }, CALL);
    const inI = added.endpoint?.zones.find(({ zoneId }) => zoneId === I);
    const [ofI, nameOfI] = [inI?.ipv4Address ?? '', inI?.domainName ?? ''];
    await changes();
    const both = async () => {
      await answers('the endpoint', domainName, [ofH, ofI].sort());
      await answers(I, nameOfI, [ofI]);
    };
    await both();
    await traffic.goesOn(H);
    await traffic.opens(I, 'i');

    narrator.title('The provider disables it, and enables it again');
    const ofZone = (zoneId: string) => ({ requestId: requestId(), connectionId: endpointId, zoneId });
    act(`provider disables ${I}`);
    await provider.broker.disableZoneConnection(ofZone(I), CALL);
    await changes();
    await traffic.isCut(I);
    await traffic.isClosed(I);
    await traffic.goesOn(H);
    await answers('the endpoint', domainName, [ofH]);
    await answers(I, nameOfI, 'NODATA');
    await answers(H, inH?.domainName ?? '', [ofH]);
    act(`provider disables ${H} too: refused, it is the last one`);
    await expectReason('LAST_ENABLED_ZONE', () => provider.broker.disableZoneConnection(ofZone(H), CALL));
    act(`provider enables ${I}`);
    await provider.broker.enableZoneConnection(ofZone(I), CALL);
    await changes();
    await both();
    await traffic.opens(I, 'i');
    await traffic.goesOn(H);

    narrator.title('What stands behind it is replaced');
    act(`provider attaches nlb-3 in ${I}, with the same port: nothing changes`);
    const instead = await serve({ zone: 'i-new', host: OTHER_HOST, port });
    const resource = resourceAt({ ...instead, zone: I }, 'nlb-3');
    await provider.provider.attachResource({ requestId: requestId(), serviceId: service.serviceId, resource }, CALL);
    await feed.next(
      ({ fact: { transition }, resourceId }) =>
        resourceId === service.serviceId && transition?.from === 'CHANGING' && transition.to === 'ACTIVE',
      'the resource is attached',
    );
    await reaches();
    await traffic.goesOn(I);
    const replace = async (resourceId: string, mode: ReplacementMode) => {
      const request = { ...ofZone(I), resourceId, mode, automatic: false };
      await provider.broker.replaceZoneResource(request, CALL);
      await changes();
    };
    act('provider replaces nlb-2 by nlb-3, gracefully');
    await replace('nlb-3', ReplacementMode.GRACEFUL);
    await traffic.goesOn(I);
    await traffic.opens(I, 'i-new');
    await traffic.goesOn(I);
    act('provider replaces nlb-3 by nlb-2, by force');
    await replace('nlb-2', ReplacementMode.FORCE);
    await traffic.isCut(I);
    await traffic.opens(I, 'i');
    await traffic.goesOn(H);
    await both();

    narrator.title('The zone is removed');
    act(`consumer removes ${I}`);
    const remove = (zoneId: string) =>
      consumer.consumer.removeEndpointZone({ requestId: requestId(), endpointId, zoneId, vswitchId: '' }, CALL);
    await remove(I);
    await changes();
    await traffic.isCut(I);
    await traffic.isClosed(I);
    await traffic.goesOn(H);
    await answers('the endpoint', domainName, [ofH]);
    await answers(I, nameOfI, 'NXDOMAIN');
    act(`consumer removes ${H} too: refused, it is the last one`);
    await expectReason('LAST_ZONE', () => remove(H));
    await traffic.goesOn(H);
  },
};
