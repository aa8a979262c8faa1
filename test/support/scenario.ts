import { randomInt } from 'node:crypto';
import type { RunFile } from '@privatelink/embedded/run-file';
import { AddressType, EndpointType, Payer } from '@privatelink/proto/common/v1/common';
import type { CreateEndpointRequest } from '@privatelink/proto/consumer/v1/consumer_service';
import type { Endpoint } from '@privatelink/proto/consumer/v1/endpoint';
import { SecurityGroupPolicy, type SecurityGroupRule } from '@privatelink/proto/consumer/v1/network';
import { ResourceType } from '@privatelink/proto/provider/v1/endpoint_service';
import type { CallContext } from '@privatelink/shared/grpc/client';
import { RemoteError } from '@privatelink/shared/grpc/remote-error';
import { type Api, apiFor, CALL, requestId } from './world.ts';

const ZONES = ['cn-hangzhou-h', 'cn-hangzhou-i'] as const;

/** An account that nobody used before. */
export const newAccount = (): string => `9${String(randomInt(1e14)).padStart(14, '0')}0`;

/** Somebody with a role, of an account of their own. */
export type Actor = Api & Readonly<{ account: string }>;

/** Everybody who takes part in a story; the two sides are of accounts that nobody used before. */
export type Cast = Readonly<{
  provider: Actor;
  consumer: Actor;
  billing: Api;
  operator: Api;
  /** What one of the services itself could ask of another one. */
  service: Api;
  close: () => void;
}>;

/** A call may be held at a failpoint for a while. */
const PATIENT_MS = 20_000;

export const openCast = async (
  run: Pick<RunFile, 'grpc' | 'issuer'>,
  accounts = { provider: newAccount(), consumer: newAccount() },
): Promise<Cast> => {
  const provider = await openActor(run, 'provider', accounts.provider);
  const consumer = await openActor(run, 'consumer', accounts.consumer);
  const without = (role: 'billing' | 'operator' | 'service', subject: string = role) =>
    apiFor(run, { account: '', roles: [role], subject, timeoutMs: PATIENT_MS });
  const [billing, operator] = [await without('billing'), await without('operator')];
  const service = await without('service', 'consumer');
  return {
    ...{ provider, consumer, billing, operator, service },
    close: () => {
      for (const api of [provider, consumer, billing, operator, service]) api.close();
    },
  };
};

export const openActor = async (
  run: Pick<RunFile, 'grpc' | 'issuer'>,
  role: 'provider' | 'consumer',
  account: string = newAccount(),
): Promise<Actor> => {
  const api = await apiFor(run, { account, roles: [role], subject: role, timeoutMs: PATIENT_MS });
  return { ...api, account };
};

/** Calls again, with the same request, for as long as nobody answers. */
export const untilAnswered = async <T>(call: () => Promise<T>): Promise<T> => {
  const UNANSWERED = [4, 14];
  const giveUpAt = performance.now() + 40_000;
  for (;;) {
    try {
      return await call();
    } catch (error) {
      const again = error instanceof RemoteError && UNANSWERED.includes(error.code) && performance.now() < giveUpAt;
      if (!again) throw error;
    }
  }
};

export type PublishedService = Readonly<{ serviceId: string; serviceName: string }>;

export type ServiceOptions = Readonly<{
  serviceType?: 'INTERFACE' | 'GATEWAY_LOAD_BALANCER';
  autoAccept?: boolean;
  payer?: Payer;
  zones?: readonly string[];
  /** How many resources each zone has: `nlb-1`, `nlb-2`, ... */
  resourcesPerZone?: number;
  /** What stands behind it, a resource each, instead of an address that nobody answers at. */
  backends?: readonly Place[];
  /** VPC of what stands behind it. */
  vpcId?: string;
  /** Accounts on the whitelist besides the owner. */
  users?: readonly string[];
}>;

type Place = Readonly<{ zone: string; ip: string; port: number }>;

/** A service that takes endpoints. */
export const publishService = async (
  { provider }: Pick<Api, 'provider'>,
  log: Readonly<{ records: (category: 'endpointService', id: string, type: string) => Promise<unknown> }>,
  options: ServiceOptions,
): Promise<PublishedService> => {
  const { autoAccept = false, payer = Payer.ENDPOINT, zones = ZONES, resourcesPerZone = 1, users = [] } = options;
  const { serviceType = 'INTERFACE' } = options;
  const resourceType = serviceType === 'INTERFACE' ? ResourceType.NLB : ResourceType.GWLB;
  const numbered = Array.from({ length: resourcesPerZone }, (_, index) => `nlb-${index + 1}`);
  const create = {
    ...{
      requestId: requestId(),
      serviceType: EndpointType[serviceType],
      addressType: AddressType.IPV4,
      description: 'e2e',
      autoAccept,
      payer,
    },
    tags: [],
    resources: (options.backends
      ? options.backends.map((place, index) => resourceAt(place, `nlb-${index + 1}`, options.vpcId))
      : zones.flatMap((zone) => numbered.map((id) => resourceAt({ zone, ip: '192.168.0.10', port: 8080 }, id)))
    ).map((resource) => ({ ...resource, resourceType })),
  };
  const { endpointService } = await untilAnswered(() => provider.createEndpointService(create, CALL));
  const { serviceId = '', serviceName = '' } = endpointService ?? {};
  await log.records('endpointService', serviceId, 'EndpointServiceActivated');
  for (const accountId of users) {
    const add = { requestId: requestId(), serviceId, accountId, approvalTtl: undefined };
    await untilAnswered(() => provider.addServiceUser(add, CALL));
  }
  return { serviceId, serviceName };
};

export const resourceAt = ({ zone, ip, port }: Place, resourceId: string, vpcId = '') => ({
  ...{ resourceId, zoneId: zone, vpcId, resourceType: ResourceType.NLB },
  targets: [{ ip, port }],
  proxyProtocol: true,
});

/** A rule of a security group about all ports. */
export const anyPortOf = (
  sourceCidr: string,
  policy: SecurityGroupPolicy = SecurityGroupPolicy.ALLOW,
  priority = 10,
): SecurityGroupRule => ({
  ...{ policy, protocol: 'tcp', fromPort: 0, toPort: 65_535, sourceCidr, priority },
});

/** A VPC with a vSwitch in each of some zones, and a security group that lets everybody in. */
export type Network = Readonly<{
  vpcId: string;
  securityGroupId: string;
  /** vSwitch by zone. */
  vswitches: Readonly<Record<string, string>>;
}>;

export const registerNetwork = async (
  { consumer }: Pick<Api, 'consumer'>,
  {
    zones = ZONES,
    prefix = 24,
    regionId,
  }: Readonly<{ zones?: readonly string[]; prefix?: number; regionId?: string }> = {},
): Promise<Network> => {
  const cidrs = { ipv4Cidr: '10.0.0.0/16', ipv6Cidr: '', ...(regionId && { regionId }) };
  const registration = { requestId: requestId(), ...cidrs };
  const { vpc } = await untilAnswered(() => consumer.registerVpc(registration, CALL));
  const vpcId = vpc?.vpcId ?? '';
  const vswitches: Record<string, string> = {};
  for (const [index, zoneId] of zones.entries()) {
    const inZone = { requestId: requestId(), vpcId, zoneId, ipv4Cidr: `10.0.${index + 1}.0/${prefix}`, ipv6Cidr: '' };
    const { vswitch } = await untilAnswered(() => consumer.registerVSwitch(inZone, CALL));
    vswitches[zoneId] = vswitch?.vswitchId ?? '';
  }
  const group = { requestId: requestId(), vpcId, rules: [anyPortOf('0.0.0.0/0'), anyPortOf('::/0')] };
  const { securityGroup } = await untilAnswered(() => consumer.registerSecurityGroup(group, CALL));
  return { vpcId, vswitches, securityGroupId: securityGroup?.securityGroupId ?? '' };
};

export const endpointRequest = (
  { serviceName }: Pick<PublishedService, 'serviceName'>,
  { vpcId, vswitches, securityGroupId }: Network,
  zones: readonly string[] = Object.keys(vswitches),
): CreateEndpointRequest => ({
  requestId: requestId(),
  service: serviceName,
  endpointType: EndpointType.INTERFACE,
  addressType: AddressType.IPV4,
  vpcId,
  zones: zones.map((zoneId) => ({ zoneId, vswitchId: vswitches[zoneId] ?? '', ipv4Address: '', ipv6Address: '' })),
  securityGroupIds: [securityGroupId],
  description: 'e2e',
  ...{ protected: false, tags: [], expectedPayer: Payer.UNSPECIFIED, policy: '', targets: [] },
});

export const createEndpoint = async (
  { consumer }: Pick<Api, 'consumer'>,
  request: CreateEndpointRequest,
  context: CallContext = CALL,
): Promise<Endpoint> => {
  const { endpoint } = await untilAnswered(() => consumer.createEndpoint(request, context));
  if (!endpoint) throw new Error('createEndpoint answered no endpoint');
  return endpoint;
};

export const addressesOf = ({ zones }: Pick<Endpoint, 'zones'>): readonly string[] =>
  zones.map(({ ipv4Address }) => ipv4Address).sort();

let reports = 0;

/** A provider's yes, without conditions. */
export const acceptRequest = (connectionId: string, message = '') => ({
  ...{ requestId: requestId(), connectionId, message, expireTime: undefined },
  ...{ zoneIds: [], zoneResources: [] },
});

/** A bill of a resource (by its id) or of an account (by its 16 digits), with a sequence above all before. */
export const reportPayment = async (
  { broker }: Pick<Api, 'broker'>,
  what: 'overdue' | 'settled',
  scopeId: string,
  sequence: bigint = BigInt(++reports),
): Promise<void> => {
  const $case = /^\d{16}$/.test(scopeId) ? 'accountId' : 'resourceId';
  const scope = { scope: { $case, value: scopeId } } as const;
  const request = { requestId: requestId(), source: 'billing', scope, sequence, message: 'see invoice 7' };
  const rpc = what === 'overdue' ? broker.reportPaymentOverdue : broker.reportPaymentSettled;
  await untilAnswered(() => rpc(request, CALL));
};

/** The reason and code of a refusal. */
export const refusalOf = async (call: Promise<unknown>): Promise<RemoteError> => {
  try {
    await call;
  } catch (error) {
    if (error instanceof RemoteError) return error;
    throw error;
  }
  throw new Error('expected a refusal, but the call succeeded');
};
