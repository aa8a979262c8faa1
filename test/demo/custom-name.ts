import { CustomDomainStatus } from '@privatelink/proto/provider/v1/endpoint_service';
import { queryDns, queryDnsOverTcp } from '../support/dns-query.ts';
import {
  type Actor,
  addressesOf,
  endpointRequest,
  openActor,
  type PublishedService,
  publishService,
  refusalOf,
  registerNetwork,
} from '../support/scenario.ts';
import { startBackend } from '../support/traffic/backend.ts';
import { localClient } from '../support/traffic/client.ts';
import { CALL, requestId } from '../support/world.ts';
import { expectEqual, followStatuses, narrateStatusChanges, type Story } from './story.ts';
import { checkTraffic } from './traffic-checks.ts';

const ZONES = ['cn-hangzhou-h', 'cn-hangzhou-i'] as const;
const WILDCARD = '*.db.example.com';
const NAME = 'orders.db.example.com';

/** A provider proves a name of its own; in each consumer's VPC it leads to that consumer's endpoint, and nowhere else. */
export const customName: Story = {
  name: 'custom-name',
  about: 'a provider proves a name by DNS; in each VPC it leads to the endpoint there, and outside it is not known',
  forwarding: 'loopback',
  play: async (stage) => {
    const { run, feed, narrator, use, txt } = stage;
    const { act, checked } = narrator;
    const enter = async (role: 'provider' | 'consumer'): Promise<Actor> => use(await openActor(run, role));
    const owners = new Map<string, string>();
    const told = narrateStatusChanges(stage, { domainName: () => undefined, owner: (id) => owners.get(id) ?? '' });
    const provider = await enter('provider');
    const domain = async (
      rpc: 'declareCustomDomain' | 'verifyCustomDomain' | 'removeCustomDomain',
      serviceId: string,
    ) => {
      const request = { requestId: requestId(), serviceId, domainName: WILDCARD };
      const { endpointService } = await provider.provider[rpc](request, CALL);
      return endpointService?.customDomains.find(({ domainName }) => domainName === WILDCARD);
    };

    /** A consumer with a VPC, whose endpoint has the custom domains of the service. */
    const connect = async (who: string, service: PublishedService, zones: readonly string[]) => {
      const actor = await enter('consumer');
      const user = { requestId: requestId(), serviceId: service.serviceId, accountId: actor.account };
      await provider.provider.addServiceUser({ ...user, approvalTtl: undefined }, CALL);
      const network = await registerNetwork(actor, { zones });
      act(`${who} registers the VPC ${network.vpcId} and creates an endpoint in it, with custom names`);
      const request = { ...endpointRequest(service, network), customDomainEnabled: true };
      const { endpoint } = await actor.consumer.createEndpoint(request, CALL);
      const { endpointId = '', domainName = '' } = endpoint ?? {};
      owners.set(endpointId, who.slice(-1));
      const reaches = followStatuses(stage, endpointId, told);
      await reaches('CONNECTING', 'CONNECTED');
      return {
        ...{ who, actor, network, endpointId, domainName, reaches },
        addresses: addressesOf(endpoint ?? { zones: [] }),
      };
    };
    type Consumer = Awaited<ReturnType<typeof connect>>;

    const answers = async (where: string, address: string, name: string, expected: string | readonly string[]) => {
      for (const ask of [queryDns, queryDnsOverTcp]) {
        const { rcode, records } = await ask(address, name);
        expectEqual(`what ${address} answers for ${name}`, records.length > 0 ? records : rcode, expected);
      }
      checked(`${where} (dig @${address.replace(':', ' -p ')} ${name}): ${[expected].flat().join(' ')}`);
    };
    const resolversOf = async ({ actor, network }: Consumer): Promise<readonly string[]> => {
      const { resolvers } = await actor.dns.listVpcResolvers({ vpcId: network.vpcId }, CALL);
      return resolvers.filter(({ zoneId }) => zoneId === '').map(({ address }) => address);
    };
    const leadsTo = async (consumer: Consumer): Promise<void> => {
      const [resolver = '', ...others] = await resolversOf(consumer);
      expectEqual('name servers for any zone of the VPC', [resolver !== '', others.length], [true, 0]);
      await answers(`in the VPC of ${consumer.who}`, resolver, NAME, consumer.addresses);
    };
    const hasNone = async (consumer: Consumer): Promise<void> => {
      expectEqual('name servers of the VPC', await resolversOf(consumer), []);
      checked(`the VPC of ${consumer.who} has no names of its own, and no name servers`);
    };
    const isUnknownOutside = () => answers('outside any VPC', run.dns.address, NAME, 'REFUSED');
    const toggle = async ({ actor, endpointId }: Consumer, customDomainEnabled: boolean) =>
      actor.consumer.updateEndpoint({ requestId: requestId(), endpointId, tags: undefined, customDomainEnabled }, CALL);
    const isRefused = async (reason: string, call: Promise<unknown>): Promise<void> =>
      expectEqual('reason of the refusal', (await refusalOf(call)).reason, reason);

    narrator.title('The provider proves that a name is its own');
    const backends = await Promise.all(ZONES.map(async (zone) => use(await startBackend({ zone }))));
    act('provider publishes a service in two zones, and accepts everybody on its whitelist');
    const service = await publishService(provider, feed, { autoAccept: true, backends });
    act(`provider declares ${WILDCARD}`);
    const { token = '', txtRecordName = '' } = (await domain('declareCustomDomain', service.serviceId)) ?? {};
    act('provider has it verified: there is no TXT record');
    const missed = await domain('verifyCustomDomain', service.serviceId);
    expectEqual('status of the domain', missed?.status, CustomDomainStatus.FAILED);
    act(`provider puts into its DNS: ${txtRecordName} TXT "${token}"`);
    txt.set(txtRecordName, [[token]]);
    const proven = await domain('verifyCustomDomain', service.serviceId);
    expectEqual('status of the domain', proven?.status, CustomDomainStatus.VERIFIED);
    checked(`${WILDCARD} is VERIFIED`);

    narrator.title('In each VPC it leads to the endpoint there');
    const first = await connect('consumer A', service, ZONES);
    const second = await connect('consumer B', service, ZONES.slice(0, 1));
    await leadsTo(first);
    await leadsTo(second);
    await isUnknownOutside();
    await answers('outside any VPC', run.dns.address, first.domainName, first.addresses);
    await checkTraffic(stage, { consumer: first.actor, connectionId: first.endpointId, client: localClient }).flows();
    act('consumer A creates another endpoint in its VPC that wants the same name: refused');
    const another = { ...endpointRequest(service, first.network), customDomainEnabled: true };
    await isRefused('CUSTOM_DOMAIN_IN_USE', first.actor.consumer.createEndpoint(another, CALL));

    narrator.title('Switched off and on; taken back by the provider');
    act('consumer A switches custom names off');
    await toggle(first, false);
    await first.reaches('CHANGING', 'CONNECTED');
    await hasNone(first);
    await answers('outside any VPC', run.dns.address, first.domainName, first.addresses);
    act('provider takes the domain back: whoever has it keeps it, nobody gets it anew');
    await domain('removeCustomDomain', service.serviceId);
    await leadsTo(second);
    await isRefused('CUSTOM_DOMAIN_NOT_VERIFIED', toggle(first, true));
    act('provider declares and verifies it once more: the token is the same');
    expectEqual('token', (await domain('declareCustomDomain', service.serviceId))?.token, token);
    await domain('verifyCustomDomain', service.serviceId);
    await toggle(first, true);
    await first.reaches('CHANGING', 'CONNECTED');
    await leadsTo(first);

    narrator.title('One endpoint goes, the name of the other stays');
    act('consumer A deletes its endpoint');
    await first.actor.consumer.deleteEndpoint(
      { requestId: requestId(), endpointId: first.endpointId, force: false },
      CALL,
    );
    await first.reaches('DELETING', 'GONE');
    await hasNone(first);
    await leadsTo(second);
  },
};
