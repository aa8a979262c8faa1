import { EndpointType, Payer } from '@privatelink/proto/common/v1/common';
import type { CreateEndpointRequest } from '@privatelink/proto/consumer/v1/consumer_service';
import { ResourceType } from '@privatelink/proto/provider/v1/endpoint_service';
import { systemClock as clock } from '@privatelink/shared/runtime/clock';
import { consumerPort } from '../../../services/connection-broker/src/dispatch/consumer.ts';
import { dnsPort } from '../../../services/connection-broker/src/dispatch/dns.ts';
import { providerPort as brokersProvider } from '../../../services/connection-broker/src/dispatch/provider.ts';
import { connecting } from '../../../services/connection-broker/src/processes/connecting.ts';
import { brokerPort } from '../../../services/consumer/src/dispatch/broker.ts';
import { providerPort } from '../../../services/consumer/src/dispatch/provider.ts';
import { endpointLifecycle } from '../../../services/consumer/src/processes/endpoint-lifecycle.ts';
import { reservationCleanup } from '../../../services/consumer/src/processes/reservation-cleanup.ts';
import { activeService, CONSUMER, newId, OTHER_ZONE, PROVIDER, ZONE } from './given.ts';
import { dnsSuffix, type Services, startServices } from './services.ts';

export type Clients = Awaited<ReturnType<Services['clientsOf']>>;

/** A consumer with a network, a service that it may use, and the background work that goes on only when it is told to. */
export type ConsumerStage = Awaited<ReturnType<typeof consumerStage>>;

export const consumerStage = async () => {
  const services = await startServices();
  const { consumer } = await services.clientsOf(CONSUMER, 'consumer');
  const { provider } = await services.clientsOf(PROVIDER, 'provider');
  const serviceId = await activeService(services);
  await provider.attachResource(
    {
      ...{ requestId: newId('r'), serviceId },
      resource: {
        ...{ resourceId: 'nlb-i', resourceType: ResourceType.NLB, zoneId: OTHER_ZONE, vpcId: '', proxyProtocol: true },
        targets: [{ ip: '10.0.2.10', port: 443 }],
      },
    },
    {},
  );
  await services.provider.lifecycle.settle(serviceId);

  const { vpc } = await consumer.registerVpc({ requestId: '', ipv4Cidr: '10.0.0.0/16', ipv6Cidr: '' }, {});
  const vpcId = vpc?.vpcId ?? '';
  const subnet = async (zoneId: string, ipv4Cidr: string): Promise<string> => {
    const said = { requestId: '', vpcId, zoneId, ipv4Cidr, ipv6Cidr: '' };
    return (await consumer.registerVSwitch(said, {})).vswitch?.vswitchId ?? '';
  };
  const vswitchId = await subnet(ZONE, '10.0.1.0/24');
  const otherVSwitchId = await subnet(OTHER_ZONE, '10.0.2.0/24');
  const group = async (): Promise<string> =>
    (await consumer.registerSecurityGroup({ requestId: '', vpcId, rules: [] }, {})).securityGroup?.securityGroupId ??
    '';
  const securityGroupId = await group();

  const provided = { provider: providerPort(services.clients.provider), clock };
  const lifecycle = endpointLifecycle({
    ...{ ...services.consumer, ...provided, broker: brokerPort(services.clients.broker) },
  });
  const cleanup = reservationCleanup({ ...services.consumer, ...provided, abandonAfterMs: 0 });
  const broker = connecting({
    ...{ ...services.broker, clock, forwarding: 'none', dns: dnsPort(services.clients.dns, dnsSuffix) },
    ...{ consumer: consumerPort(services.clients.consumer), provider: brokersProvider(services.clients.provider) },
  });

  const creation = (change: Partial<CreateEndpointRequest> = {}): CreateEndpointRequest => ({
    ...{
      requestId: newId('r'),
      service: serviceId,
      endpointType: EndpointType.INTERFACE,
      addressType: 'ADDRESS_TYPE_IPV4',
      vpcId,
    },
    zones: [{ zoneId: '', vswitchId, ipv4Address: '', ipv6Address: '' }],
    ...{ securityGroupIds: [securityGroupId], description: '', protected: false, tags: [] },
    ...{ expectedPayer: Payer.UNSPECIFIED, policy: '', targets: [], ...change },
  });
  /** Lets the consumer service's own work on an endpoint go on until it rests. */
  const settle = async (endpointId: string): Promise<void> => {
    const { endpoints } = services.consumer;
    for (let before: bigint | null = null; ; ) {
      await lifecycle.reactor.work(endpointId, null);
      const { revision } = await endpoints.fold(endpointId);
      if (revision === before) return;
      before = revision;
    }
  };
  const activeEndpoint = async (change: Partial<CreateEndpointRequest> = {}): Promise<string> => {
    const { endpoint } = await consumer.createEndpoint(creation(change), {});
    const endpointId = endpoint?.endpointId ?? '';
    await settle(endpointId);
    return endpointId;
  };

  return {
    ...{ services, consumer, provider, serviceId, vpcId, vswitchId, otherVSwitchId, securityGroupId },
    ...{ group, creation, settle, activeEndpoint },
    /** Lets the broker's work on a connection go on until it rests. */
    connect: (endpointId: string) => broker.work(endpointId, null),
    /** Undoes what nobody has committed, however young it is; `partId` is empty for the whole. */
    cleanUp: (endpointId: string, partId = '', inVpc = vpcId) =>
      cleanup.work([inVpc, endpointId, ...(partId ? [partId] : [])].join('/'), null),
    naming: (endpointId: string) => ({ requestId: newId('r'), endpointId }),
    /** With what the broker says of it, however long that takes on a busy machine. */
    get: async (endpointId: string) => {
      for (;;) {
        const { endpoint } = await consumer.getEndpoint({ endpointId }, {});
        if (!endpoint?.stale) return endpoint;
      }
    },
    ledger: async () => (await services.consumer.vpcs.fold(vpcId)).state,
    close: services.close,
  };
};
