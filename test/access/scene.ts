import type { RunFile } from '@privatelink/embedded/run-file';
import { ConnectionStatus } from '@privatelink/proto/broker/v1/connection';
import { EndpointType, Payer } from '@privatelink/proto/common/v1/common';
import { EndpointServiceStatus, ResourceType } from '@privatelink/proto/provider/v1/endpoint_service';
import { type Api, apiFor, CALL, requestId } from '../support/world.ts';

/** The provider, the consumer that is connected to its service, and somebody who has to do with neither. */
export const accounts = { P: '1000000000000001', C: '2000000000000002', S: '3000000000000003' } as const;
export type Party = keyof typeof accounts;

type Network = Readonly<{ vpcId: string; vswitchId: string; securityGroupId: string; routeTableId: string }>;

/** What there is: two services of P; two endpoints of C on the first one, connected; a network of each. */
export type Scene = Readonly<{
  serviceId: string;
  serviceName: string;
  /** Of P, open to nobody else. */
  closedServiceId: string;
  endpointId: string;
  /** The other one, on which nothing else is tried. */
  idleEndpointId: string;
  /** Of C, one of two. */
  gatewayEndpointId: string;
  networks: Readonly<Record<Party, Network>>;
  /** Of P, for the facts of the broker. */
  resumeToken: string;
  /** Of each list RPC: its owner's request, and the tokens that came with the first of its pages. */
  lists: Readonly<Record<string, Readonly<{ request: object; pageToken: string; consistencyToken: string }>>>;
}>;

export const ZONE = 'cn-hangzhou-h';
export const VSWITCH_CIDR = '10.0.1.0/24';

/** What is known of a scene once it has been asked. */
export type Tokens = 'lists' | 'resumeToken';

const target = [{ ip: '192.168.0.10', port: 8080 }];
export const resource = (resourceId: string, zoneId = ZONE) => ({
  ...{ resourceId, zoneId, resourceType: ResourceType.NLB, targets: target, vpcId: '', proxyProtocol: false },
});

export const createService = async ({ provider }: Api, autoAccept: boolean) => {
  const { endpointService } = await provider.createEndpointService(
    {
      requestId: requestId(),
      serviceType: EndpointType.INTERFACE,
      addressType: 'ADDRESS_TYPE_IPV4',
      description: 'scene',
      autoAccept,
      payer: Payer.ENDPOINT,
      resources: [resource('nlb-1'), resource('nlb-2')],
      tags: [],
    },
    CALL,
  );
  if (!endpointService) throw new Error('no service');
  for (;;) {
    const { serviceId } = endpointService;
    const found = await provider.getEndpointService({ serviceId }, CALL);
    if (found.endpointService?.status === EndpointServiceStatus.ACTIVE) return endpointService;
  }
};

export const createNetwork = async ({ consumer }: Api): Promise<Network> => {
  const { vpc } = await consumer.registerVpc({ requestId: requestId(), ipv4Cidr: '10.0.0.0/16', ipv6Cidr: '' }, CALL);
  const vpcId = vpc?.vpcId ?? '';
  const subnet = { requestId: requestId(), vpcId, zoneId: ZONE, ipv4Cidr: VSWITCH_CIDR, ipv6Cidr: '' };
  const { vswitch } = await consumer.registerVSwitch(subnet, CALL);
  const { securityGroup } = await consumer.registerSecurityGroup({ requestId: requestId(), vpcId, rules: [] }, CALL);
  const { routeTable } = await consumer.registerRouteTable({ requestId: requestId(), vpcId }, CALL);
  return {
    ...{ vpcId, vswitchId: vswitch?.vswitchId ?? '', securityGroupId: securityGroup?.securityGroupId ?? '' },
    routeTableId: routeTable?.routeTableId ?? '',
  };
};

export const createEndpoint = async ({ consumer }: Api, service: string, network: Network): Promise<string> => {
  const { vpcId, vswitchId, securityGroupId } = network;
  const { endpoint } = await consumer.createEndpoint(
    {
      ...{
        requestId: requestId(),
        service,
        endpointType: EndpointType.INTERFACE,
        addressType: 'ADDRESS_TYPE_IPV4',
        vpcId,
        description: '',
      },
      zones: [{ zoneId: '', vswitchId, ipv4Address: '', ipv6Address: '' }],
      securityGroupIds: [securityGroupId],
      ...{ protected: false, tags: [], expectedPayer: Payer.UNSPECIFIED, policy: '', targets: [] },
    },
    CALL,
  );
  return endpoint?.endpointId ?? '';
};

const createGateway = async ({ consumer }: Api, { vpcId }: Network): Promise<string> => {
  const { routeTable } = await consumer.registerRouteTable({ requestId: requestId(), vpcId }, CALL);
  const routeTableIds = [routeTable?.routeTableId ?? ''];
  const { gatewayEndpoint } = await consumer.createGatewayEndpoint(
    { requestId: requestId(), vpcId, routeTableIds, serviceName: 'com.example.oss', policy: '', tags: [] },
    CALL,
  );
  return gatewayEndpoint?.gatewayEndpointId ?? '';
};

/** Resolves when each of the account's connections in question is connected. */
export const untilConnected = async ({ broker }: Api, ...connectionIds: readonly string[]): Promise<void> => {
  for (const connectionId of connectionIds) {
    for await (const { connection } of broker.watchConnections({ connectionId, serviceId: '' }, CALL)) {
      if (connection?.status === ConnectionStatus.CONNECTED) break;
    }
  }
};

export const setScene = async (run: RunFile): Promise<Omit<Scene, Tokens>> => {
  const apis = new Map<Party, Api>();
  for (const party of ['P', 'C', 'S'] as const) {
    apis.set(party, await apiFor(run, { account: accounts[party], roles: ['provider', 'consumer'], subject: party }));
  }
  const of = (party: Party): Api => apis.get(party) as Api;
  try {
    const { serviceId, serviceName } = await createService(of('P'), true);
    const closed = await createService(of('P'), false);
    const user = { requestId: requestId(), serviceId, accountId: accounts.C, approvalTtl: undefined };
    await of('P').provider.addServiceUser(user, CALL);
    const [p, c, s] = await Promise.all([createNetwork(of('P')), createNetwork(of('C')), createNetwork(of('S'))]);
    // A second one, so that a list of one each has a next page.
    await createNetwork(of('C'));
    const endpointId = await createEndpoint(of('C'), serviceId, c);
    const idleEndpointId = await createEndpoint(of('C'), serviceId, c);
    const gatewayEndpointId = await createGateway(of('C'), c);
    await createGateway(of('C'), c);
    await untilConnected(of('C'), endpointId, idleEndpointId);
    const networks = { P: p, C: c, S: s };
    return {
      serviceId,
      serviceName,
      closedServiceId: closed.serviceId,
      networks,
      ...{ endpointId, idleEndpointId, gatewayEndpointId },
    };
  } finally {
    for (const api of apis.values()) api.close();
  }
};
