import { AddressType, EndpointType, Payer } from '@privatelink/proto/common/v1/common';
import type { CreateEndpointRequest } from '@privatelink/proto/consumer/v1/consumer_service';
import { SecurityGroupPolicy } from '@privatelink/proto/consumer/v1/network';
import { ResourceType, type Target } from '@privatelink/proto/provider/v1/endpoint_service';
import { type Cast, type Network, type PublishedService, untilAnswered } from './scenario.ts';
import { type Api, CALL, requestId } from './world.ts';

/** The network that everything is in which listens on this machine. */
const LOOPBACK_VPC = { ipv4Cidr: '127.0.0.0/8', vswitchCidr: '127.1.1.0/24' };

/** The account becomes the platform's, and publishes a service that connects into VPCs from one zone. */
export const publishReverseService = async (
  { operator, provider }: Pick<Cast, 'operator' | 'provider'>,
  log: Readonly<{ records: (category: 'endpointService', id: string, type: string) => Promise<unknown> }>,
  options: Readonly<{ zone: string; ip: string; vpcId?: string; users: readonly string[]; autoAccept?: boolean }>,
): Promise<PublishedService> => {
  const { zone, ip, vpcId = '', users, autoAccept = true } = options;
  const flag = { requestId: requestId(), accountId: provider.account, platform: true };
  await untilAnswered(() => operator.provider.setPlatformAccount(flag, CALL));
  const source = { resourceId: 'egress-1', resourceType: ResourceType.EGRESS_SOURCE, zoneId: zone, vpcId };
  const create = {
    ...{ requestId: requestId(), serviceType: EndpointType.REVERSE, addressType: AddressType.IPV4, autoAccept },
    ...{ description: 'reverse', payer: Payer.ENDPOINT, tags: [] },
    resources: [{ ...source, targets: [{ ip, port: 0 }], proxyProtocol: false }],
  };
  const { endpointService } = await untilAnswered(() => provider.provider.createEndpointService(create, CALL));
  const { serviceId = '', serviceName = '' } = endpointService ?? {};
  await log.records('endpointService', serviceId, 'EndpointServiceActivated');
  for (const accountId of users) {
    const add = { requestId: requestId(), serviceId, accountId, approvalTtl: undefined };
    await untilAnswered(() => provider.provider.addServiceUser(add, CALL));
  }
  return { serviceId, serviceName };
};

/** A VPC with a vSwitch in a zone, and no security group yet. */
export const registerOneZone = async (
  { consumer }: Pick<Api, 'consumer'>,
  zone: string,
  { ipv4Cidr, vswitchCidr } = LOOPBACK_VPC,
): Promise<Omit<Network, 'securityGroupId'>> => {
  const { vpc } = await untilAnswered(() =>
    consumer.registerVpc({ requestId: requestId(), ipv4Cidr, ipv6Cidr: '' }, CALL),
  );
  const vpcId = vpc?.vpcId ?? '';
  const inZone = { requestId: requestId(), vpcId, zoneId: zone, ipv4Cidr: vswitchCidr, ipv6Cidr: '' };
  const { vswitch } = await untilAnswered(() => consumer.registerVSwitch(inZone, CALL));
  return { vpcId, vswitches: { [zone]: vswitch?.vswitchId ?? '' } };
};

/** A security group that lets a provider to one target, and nowhere else. */
export const groupFor = async (
  { consumer }: Pick<Api, 'consumer'>,
  vpcId: string,
  { ip, port }: Target,
): Promise<string> => {
  const ports = { protocol: 'tcp', fromPort: port, toPort: port };
  const rule = { ...ports, policy: SecurityGroupPolicy.ALLOW, sourceCidr: `${ip}/32`, priority: 1 };
  const group = { requestId: requestId(), vpcId, rules: [rule] };
  const { securityGroup } = await untilAnswered(() => consumer.registerSecurityGroup(group, CALL));
  return securityGroup?.securityGroupId ?? '';
};

/** To be given to `createEndpoint` with the rest of a request. */
export const reverseTo = (targets: readonly Target[]): Pick<CreateEndpointRequest, 'endpointType' | 'targets'> => ({
  endpointType: EndpointType.REVERSE,
  targets: [...targets],
});
