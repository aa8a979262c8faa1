import { AddressType, EndpointType, Payer } from '@privatelink/proto/common/v1/common';
import { SecurityGroupPolicy } from '@privatelink/proto/consumer/v1/network';
import { OTHER_REGION, OTHER_ZONES, REGION, ZONES } from '../world/programs.ts';
import {
  CONSUMERS,
  consumer,
  type KnownEndpoint,
  onSome,
  operator,
  type Step,
  type StepContext,
  someAffinity,
  someOf,
  someZone,
} from './step.ts';

/** Of targets: the one group lets providers to some, the other to all. */
const rule = (sourceCidr: string) => ({
  ...{ policy: SecurityGroupPolicy.ALLOW, protocol: 'tcp', fromPort: 0, toPort: 65_535, sourceCidr, priority: 1 },
});
const RULES = [rule('10.0.1.0/24'), rule('10.0.0.0/16')] as const;
const TARGETS = [
  { ip: '10.0.1.9', port: 5432 },
  { ip: '10.0.2.9', port: 5432 },
];

export const registerNetwork: Step = async ({ client, known, random, requestId }) => {
  const account = random.pick(CONSUMERS);
  const who = consumer(account);
  const hasIpv6 = random.chance(0.5);
  const isElsewhere = random.fork('region').chance(0.3);
  const regionId = isElsewhere ? OTHER_REGION : REGION;
  const cidrs = { regionId, ipv4Cidr: '10.0.0.0/16', ipv6Cidr: hasIpv6 ? 'fd00::/56' : '' };
  const registered = await client.ask(who, 'consumer', 'registerVpc', { requestId: requestId(), ...cidrs });
  const vpcId = registered?.vpc?.vpcId;
  if (!vpcId) return;
  const vswitches: Record<string, string> = {};
  // Of a /29 three addresses can be given out.
  const prefix = random.pick([24, 29]);
  for (const [index, zoneId] of (isElsewhere ? OTHER_ZONES : ZONES).entries()) {
    const ipv4Cidr = `10.0.${index + 1}.0/${prefix}`;
    const ipv6Cidr = hasIpv6 ? `fd00:0:0:${index + 1}::/64` : '';
    const request = { requestId: requestId(), vpcId, zoneId, ipv4Cidr, ipv6Cidr };
    const reply = await client.ask(who, 'consumer', 'registerVSwitch', request);
    if (reply?.vswitch) vswitches[zoneId] = reply.vswitch.vswitchId;
  }
  const securityGroupIds: string[] = [];
  for (let groups = 0; groups < 2; groups++) {
    const request = { requestId: requestId(), vpcId, rules: [RULES[groups] ?? RULES[0]] };
    const reply = await client.ask(who, 'consumer', 'registerSecurityGroup', request);
    if (reply?.securityGroup) securityGroupIds.push(reply.securityGroup.securityGroupId);
  }
  const routeTableIds: string[] = [];
  for (let tables = 0; tables < 2; tables++) {
    const reply = await client.ask(who, 'consumer', 'registerRouteTable', { requestId: requestId(), vpcId });
    if (reply?.routeTable) routeTableIds.push(reply.routeTable.routeTableId);
  }
  if (securityGroupIds.length === 0 || routeTableIds.length === 0 || Object.keys(vswitches).length === 0) return;
  known.networks.push({ vpcId, account, regionId, vswitches, securityGroupIds, routeTableIds });
};

export const createEndpoint: Step = async (context) => {
  // Who is refused by one service asks another one.
  for (let tries = 0; tries < 3; tries++) if (await createOne(context)) return;
};

const createOne = async ({ client, known, random, requestId }: StepContext): Promise<boolean> => {
  const service = someOf(random, known.services);
  const network = someOf(random, known.networks);
  if (!service || !network) return true;
  const { serviceType } = service;
  const isHop = serviceType === 'GATEWAY_LOAD_BALANCER';
  const isNamed = serviceType === 'INTERFACE';
  const zones = random.chance(0.6) && !isHop ? Object.keys(network.vswitches) : [someZone(random, network)];
  const { account, vpcId, regionId, securityGroupIds } = network;
  // One that says nothing of it is looked for in the wrong region.
  const isNamedRegion = regionId === REGION || random.chance(0.95);
  const reply = await client.ask(consumer(account), 'consumer', 'createEndpoint', {
    ...{ requestId: requestId(), service: random.pick([service.serviceName, service.serviceId]), vpcId },
    ...{
      endpointType: EndpointType[serviceType],
      addressType: random.pick([AddressType.IPV4, AddressType.IPV4, AddressType.DUAL_STACK]),
      description: '',
      protected: false,
      tags: [],
      policy: '',
    },
    expectedPayer: Payer.UNSPECIFIED,
    zones: zones.map((zoneId) => ({
      zoneId,
      vswitchId: network.vswitches[zoneId] ?? '',
      ipv4Address: '',
      ipv6Address: '',
    })),
    securityGroupIds: securityGroupIds.slice(0, isHop ? 0 : 1),
    customDomainEnabled: isNamed && random.chance(0.25),
    ...(isNamed && someAffinity(random)),
    targets: serviceType === 'REVERSE' ? [...TARGETS] : [],
    ...(isNamedRegion && { serviceRegion: REGION }),
  });
  if (reply?.endpoint) known.endpoints.push({ endpointId: reply.endpoint.endpointId, account, service, network });
  return reply !== null;
};

/** Many at once want addresses of the same vSwitches. */
export const createManyEndpoints: Step = async (context) => {
  await Promise.all(Array.from({ length: 2 + context.random.int(4) }, () => createEndpoint(context)));
};

export const addEndpointZone = onSome(
  'endpoints',
  ({ endpointId, account, network }, { client, random, requestId }) => {
    const zoneId = someZone(random, network);
    const zone = { zoneId, vswitchId: network.vswitches[zoneId] ?? '', ipv4Address: '', ipv6Address: '' };
    return client.ask(consumer(account), 'consumer', 'addEndpointZone', { requestId: requestId(), endpointId, zone });
  },
);

export const removeEndpointZone = onSome(
  'endpoints',
  ({ endpointId, account, network }, { client, random, requestId }) => {
    const request = { requestId: requestId(), endpointId, zoneId: someZone(random, network), vswitchId: '' };
    return client.ask(consumer(account), 'consumer', 'removeEndpointZone', request);
  },
);

export const attachSecurityGroup = onSome(
  'endpoints',
  ({ endpointId, account, network }, { client, random, requestId }) => {
    const request = { requestId: requestId(), endpointId, securityGroupId: random.pick(network.securityGroupIds) };
    return client.ask(consumer(account), 'consumer', 'attachSecurityGroup', request);
  },
);

export const detachSecurityGroup = onSome(
  'endpoints',
  ({ endpointId, account, network }, { client, random, requestId }) => {
    const request = { requestId: requestId(), endpointId, securityGroupId: random.pick(network.securityGroupIds) };
    return client.ask(consumer(account), 'consumer', 'detachSecurityGroup', request);
  },
);

export const updateEndpoint = onSome('endpoints', ({ endpointId, account }, { client, random, requestId }) => {
  const request = {
    requestId: requestId(),
    endpointId,
    description: `${random.int(3)}`,
    tags: undefined,
    ...someAffinity(random),
  };
  return client.ask(consumer(account), 'consumer', 'updateEndpoint', request);
});

/** On or off, whatever it is now, and perhaps zone affinity with it. */
export const switchCustomDomains = onSome('endpoints', ({ endpointId, account }, { client, random, requestId }) => {
  const customDomainEnabled = random.chance(0.6);
  const request = { requestId: requestId(), endpointId, tags: undefined, customDomainEnabled, ...someAffinity(random) };
  return client.ask(consumer(account), 'consumer', 'updateEndpoint', request);
});

/** For ever, where service, VPC and vSwitches have IPv6. */
export const enableDualStack = onSome('endpoints', ({ endpointId, account }, { client, requestId }) => {
  const request = { requestId: requestId(), endpointId, tags: undefined, addressType: AddressType.DUAL_STACK };
  return client.ask(consumer(account), 'consumer', 'updateEndpoint', request);
});

export const lockEndpoint = onSome('endpoints', ({ endpointId }, { client, requestId }) =>
  client.ask(operator, 'consumer', 'lockEndpoint', { requestId: requestId(), endpointId, message: 'abuse' }),
);

export const unlockEndpoint = onSome('endpoints', ({ endpointId }, { client, requestId }) =>
  client.ask(operator, 'consumer', 'unlockEndpoint', { requestId: requestId(), endpointId }),
);

export const deleteEndpoint = onSome('endpoints', ({ endpointId, account }, { client, random, requestId }) => {
  const request = { requestId: requestId(), endpointId, force: random.chance(0.4) };
  return client.ask(consumer(account), 'consumer', 'deleteEndpoint', request);
});

const destination = ({ random }: StepContext): string => random.pick(['0.0.0.0/0', '10.1.0.0/16', '100.64.0.0/10']);

/** To an endpoint that takes none, now and then. */
export const addRoute = onSome('endpoints', ({ endpointId, account, network }, context) => {
  const { client, known, random, requestId } = context;
  const hops = known.endpoints.filter((one) => one.network === network && isNextHop(one));
  const nextHop = (random.chance(0.9) ? someOf(random, hops)?.endpointId : undefined) ?? endpointId;
  const inTable = { vpcId: network.vpcId, routeTableId: random.pick(network.routeTableIds) };
  const request = { requestId: requestId(), ...inTable, destinationCidr: destination(context), nextHop };
  return client.ask(consumer(account), 'consumer', 'addRoute', request);
});

const isNextHop = ({ service }: KnownEndpoint): boolean => service.serviceType === 'GATEWAY_LOAD_BALANCER';

export const removeRoute = onSome('networks', ({ vpcId, account, routeTableIds }, context) => {
  const { client, random, requestId } = context;
  const inTable = { vpcId, routeTableId: random.pick(routeTableIds) };
  const request = { requestId: requestId(), ...inTable, destinationCidr: destination(context) };
  return client.ask(consumer(account), 'consumer', 'removeRoute', request);
});

/** Somebody deletes a next hop while somebody else routes to it. */
export const routeAndDelete = onSome('endpoints', async (endpoint, context) => {
  const { client, known, random, requestId } = context;
  const { endpointId, account, network } = someOf(random, known.endpoints.filter(isNextHop)) ?? endpoint;
  const inTable = { vpcId: network.vpcId, routeTableId: random.pick(network.routeTableIds) };
  const route = { requestId: requestId(), ...inTable, destinationCidr: destination(context), nextHop: endpointId };
  const removal = { requestId: requestId(), endpointId, force: random.chance(0.3) };
  await Promise.all([
    client.ask(consumer(account), 'consumer', 'addRoute', route),
    client.ask(consumer(account), 'consumer', 'deleteEndpoint', removal),
  ]);
});
