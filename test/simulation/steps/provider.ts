import { AddressType, EndpointType, Payer } from '@privatelink/proto/common/v1/common';
import { ResourceType } from '@privatelink/proto/provider/v1/endpoint_service';
import { Reconcile } from '@privatelink/proto/provider/v1/provider_service';
import { OTHER_REGION, ZONES } from '../world/programs.ts';
import type { Random } from '../world/random.ts';
import {
  CONSUMERS,
  type KnownService,
  onSome,
  operator,
  PROVIDERS,
  provider,
  type Step,
  someAffinity,
} from './step.ts';

type Type = KnownService['serviceType'];

const RESOURCE_TYPES: Readonly<Record<Type, ResourceType>> = {
  INTERFACE: ResourceType.NLB,
  GATEWAY_LOAD_BALANCER: ResourceType.GWLB,
  REVERSE: ResourceType.EGRESS_SOURCE,
};

const resourceIn = (serviceType: Type, zoneId: string, resourceId: string) => ({
  ...{ resourceId, zoneId, vpcId: '', proxyProtocol: false },
  resourceType: RESOURCE_TYPES[serviceType],
  // An egress source has no port of its own.
  targets: [{ ip: '192.168.0.10', port: serviceType === 'REVERSE' ? 0 : 8080 }],
});

const someResource = (random: Random) => ({ resourceId: `nlb-${1 + random.int(3)}`, zoneId: random.pick(ZONES) });

export const publishService: Step = async ({ client, known, random, requestId }) => {
  const account = random.pick(PROVIDERS);
  const serviceType: Type = random.pick(['INTERFACE', 'INTERFACE', 'INTERFACE', 'GATEWAY_LOAD_BALANCER', 'REVERSE']);
  // Without the flag, now and then, it is refused.
  if (serviceType === 'REVERSE' && random.chance(0.8)) {
    const flag = { requestId: requestId(), accountId: account, platform: true };
    await client.ask(operator, 'provider', 'setPlatformAccount', flag);
  }
  const zones = random.chance(0.85) ? [...ZONES] : [random.pick(ZONES)];
  const reply = await client.ask(provider(account), 'provider', 'createEndpointService', {
    ...{
      requestId: requestId(),
      serviceType: EndpointType[serviceType],
      addressType: random.pick([AddressType.IPV4, AddressType.DUAL_STACK]),
      description: '',
      autoAccept: random.chance(0.75),
      ...someAffinity(random),
    },
    ...{ payer: random.pick([Payer.ENDPOINT, Payer.ENDPOINT_SERVICE]), tags: [] },
    resources: zones.flatMap((zoneId) =>
      Array.from({ length: 1 + random.int(2) }, (_, index) => resourceIn(serviceType, zoneId, `nlb-${index + 1}`)),
    ),
  });
  if (!reply?.endpointService) return;
  const { serviceId, serviceName } = reply.endpointService;
  known.services.push({ serviceId, serviceName, account, serviceType });
  if (serviceType === 'INTERFACE' && random.fork('region').chance(0.6)) {
    const region = { requestId: requestId(), serviceId, regionId: OTHER_REGION };
    await client.ask(provider(account), 'provider', 'addSupportedRegion', region);
  }
  if (random.chance(0.1)) return;
  const accountId = random.chance(0.8) ? '*' : random.pick(CONSUMERS);
  const user = { requestId: requestId(), serviceId, accountId, approvalTtl: undefined };
  await client.ask(provider(account), 'provider', 'addServiceUser', user);
};

export const addServiceUser = onSome('services', ({ account, serviceId }, { client, random, requestId }) => {
  const terms = random.chance(0.6)
    ? { approvalTtl: undefined }
    : {
        ...{ autoAccept: random.chance(0.5), maxConnections: random.int(4) },
        approvalTtl: random.chance(0.5) ? { seconds: BigInt(2 + random.int(30)), nanos: 0 } : undefined,
      };
  const request = { requestId: requestId(), serviceId, accountId: random.pick([...CONSUMERS, '*']), ...terms };
  return client.ask(provider(account), 'provider', 'addServiceUser', request);
});

export const removeServiceUser = onSome('services', ({ account, serviceId }, { client, random, requestId }) =>
  client.ask(provider(account), 'provider', 'removeServiceUser', {
    ...{ requestId: requestId(), serviceId, accountId: random.pick([...CONSUMERS, '*']) },
    reconcile: random.chance(0.7) ? Reconcile.DISCONNECT : Reconcile.KEEP,
  }),
);

export const setAutoAccept = onSome('services', ({ account, serviceId }, { client, random, requestId }) =>
  client.ask(provider(account), 'provider', 'setAutoAccept', {
    ...{ requestId: requestId(), serviceId },
    ...{ autoAccept: random.chance(0.6), acceptWaiting: random.chance(0.6) },
  }),
);

export const attachResource = onSome(
  'services',
  ({ account, serviceId, serviceType }, { client, random, requestId }) => {
    const { zoneId, resourceId } = someResource(random);
    const request = { requestId: requestId(), serviceId, resource: resourceIn(serviceType, zoneId, resourceId) };
    return client.ask(provider(account), 'provider', 'attachResource', request);
  },
);

export const detachResource = onSome('services', ({ account, serviceId }, { client, random, requestId }) => {
  const request = { requestId: requestId(), serviceId, ...someResource(random) };
  return client.ask(provider(account), 'provider', 'detachResource', request);
});

/** Offers a resource to new endpoints, or does not any more. */
export const updateResource = onSome('services', ({ account, serviceId }, { client, random, requestId }) =>
  client.ask(provider(account), 'provider', 'updateResource', {
    ...{ requestId: requestId(), serviceId, ...someResource(random), autoAllocated: random.chance(0.6) },
  }),
);

export const describeService = onSome('services', ({ account, serviceId }, { client, random, requestId }) => {
  const addressType = random.chance(0.3) ? random.pick([AddressType.IPV4, AddressType.DUAL_STACK]) : undefined;
  const request = {
    requestId: requestId(),
    serviceId,
    description: `${random.int(3)}`,
    tags: undefined,
    ...someAffinity(random),
  };
  const change = addressType === undefined ? request : { ...request, addressType };
  return client.ask(provider(account), 'provider', 'updateEndpointService', change);
});

export const addSupportedRegion = onSome('services', ({ account, serviceId }, { client, requestId }) =>
  client.ask(provider(account), 'provider', 'addSupportedRegion', {
    ...{ requestId: requestId(), serviceId, regionId: OTHER_REGION },
  }),
);

export const removeSupportedRegion = onSome('services', ({ account, serviceId }, { client, random, requestId }) =>
  client.ask(provider(account), 'provider', 'removeSupportedRegion', {
    ...{ requestId: requestId(), serviceId, regionId: OTHER_REGION, force: random.chance(0.5) },
  }),
);

export const lockService = onSome('services', ({ serviceId }, { client, requestId }) =>
  client.ask(operator, 'provider', 'lockEndpointService', { requestId: requestId(), serviceId, message: 'abuse' }),
);

export const unlockService = onSome('services', ({ serviceId }, { client, requestId }) =>
  client.ask(operator, 'provider', 'unlockEndpointService', { requestId: requestId(), serviceId }),
);

export const deleteService = onSome('services', ({ account, serviceId }, { client, random, requestId }) => {
  const request = { requestId: requestId(), serviceId, force: random.chance(0.4) };
  return client.ask(provider(account), 'provider', 'deleteEndpointService', request);
});
