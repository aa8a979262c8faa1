import { status } from '@grpc/grpc-js';
import { AddressType, EndpointType, Payer } from '@privatelink/proto/common/v1/common';
import { EndpointStatus } from '@privatelink/proto/consumer/v1/endpoint';
import { SecurityGroupPolicy } from '@privatelink/proto/consumer/v1/network';
import { ResourceType } from '@privatelink/proto/provider/v1/endpoint_service';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Clients, type ConsumerStage, consumerStage } from './support/consumer-stage.ts';
import { CONSUMER, changesNothing, newId, OTHER_ZONE, PROVIDER, refusalOf, ZONE } from './support/given.ts';

let stage: ConsumerStage;
let operator: Clients['provider'];
let groups: Readonly<Record<'databases' | 'caches', string>>;

beforeAll(async () => {
  stage = await consumerStage();
  ({ provider: operator } = await stage.services.clientsOf('', 'operator'));
  groups = { databases: await groupFor(5432), caches: await groupFor(6379) };
});
afterAll(() => stage?.close());

const flag = (platform: boolean, dryRun = false) =>
  operator.setPlatformAccount({ requestId: newId('r'), accountId: PROVIDER, platform, dryRun }, {});

const egressIn = (zoneId: string, change: object = {}) => ({
  ...{ resourceId: 'egress-1', resourceType: ResourceType.EGRESS_SOURCE, zoneId, vpcId: '', proxyProtocol: false },
  targets: [{ ip: '192.168.0.7', port: 0 }],
  ...change,
});
const publish = (change: object = {}) =>
  stage.provider.createEndpointService(
    {
      ...{ requestId: newId('r'), serviceType: EndpointType.REVERSE, addressType: AddressType.IPV4 },
      ...{ description: '', autoAccept: true, payer: Payer.ENDPOINT, tags: [], resources: [egressIn(ZONE)], ...change },
    },
    {},
  );
/** A service of the platform, active, open to everybody. */
const reverseService = async (): Promise<string> => {
  await flag(true);
  const serviceId = (await publish()).endpointService?.serviceId ?? '';
  await stage.services.provider.lifecycle.settle(serviceId);
  const user = { requestId: newId('r'), serviceId, accountId: '*', approvalTtl: undefined };
  await stage.provider.addServiceUser(user, {});
  await stage.services.provider.lifecycle.settle(serviceId);
  return serviceId;
};

/** A security group that lets providers to one port of the whole VPC. */
const groupFor = async (port: number): Promise<string> => {
  const rule = { protocol: 'tcp', fromPort: port, toPort: port, sourceCidr: '10.0.0.0/16', priority: 1 };
  const rules = [{ ...rule, policy: SecurityGroupPolicy.ALLOW }];
  const group = await stage.consumer.registerSecurityGroup({ requestId: newId('r'), vpcId: stage.vpcId, rules }, {});
  return group.securityGroup?.securityGroupId ?? '';
};

const TARGETS = [
  { ip: '10.0.3.7', port: 5432 },
  { ip: '10.0.3.8', port: 6379 },
];
const reverse = (service: string, change: object = {}) => ({
  ...{ service, endpointType: EndpointType.REVERSE, targets: TARGETS, securityGroupIds: [groups.databases] },
  ...change,
});
const refused = (request: object) =>
  changesNothing(stage.services.consumer.store, () =>
    refusalOf(stage.consumer.createEndpoint(stage.creation(request), {})),
  );
const connectionOf = async (endpointId: string) => (await stage.services.broker.connections.fold(endpointId)).state;

describe('a REVERSE service', () => {
  it('is published by accounts of the platform alone, which an operator says', async () => {
    await flag(false);
    expect(await changesNothing(stage.services.provider.store, () => refusalOf(publish()))).toMatchObject({
      ...{ code: status.FAILED_PRECONDITION, reason: 'PLATFORM_ACCOUNT_REQUIRED', facts: { field: 'service_type' } },
    });
    const dry = await changesNothing(stage.services.provider.store, () => flag(true, true));
    expect(dry.preview?.events.map(({ type }) => type)).toEqual(['PlatformFlagged']);
    await flag(true);
    const { providerAccount } = await stage.provider.getProviderAccount({ accountId: PROVIDER }, {});
    expect(providerAccount).toMatchObject({ accountId: PROVIDER, platform: true });
    expect(await refusalOf(stage.provider.getProviderAccount({ accountId: CONSUMER }, {}))).toMatchObject({
      ...{ code: status.NOT_FOUND, reason: 'PROVIDER_ACCOUNT_NOT_FOUND' },
    });
    const dryService = await changesNothing(stage.services.provider.store, () => publish({ dryRun: true }));
    expect(dryService.preview?.events.map(({ type }) => type)).toContain('EndpointServiceCreated');
    const { endpointService } = await publish();
    expect(endpointService).toMatchObject({ serviceType: EndpointType.REVERSE, zoneIds: [ZONE] });
  });

  it('stays when its account is the platform’s no more', async () => {
    const serviceId = await reverseService();
    await flag(false);
    const { endpointService } = await stage.provider.attachResource(
      { requestId: newId('r'), serviceId, resource: egressIn(OTHER_ZONE) },
      {},
    );
    expect(endpointService?.zoneIds).toEqual([ZONE, OTHER_ZONE]);
  });

  it('has egress sources, an address each, and no load balancer; others have no egress source', async () => {
    await flag(true);
    const balancer = { ...egressIn(ZONE), resourceType: ResourceType.NLB, targets: TARGETS };
    expect(await refusalOf(publish({ resources: [balancer] }))).toMatchObject({
      ...{ reason: 'RESOURCE_TYPE_MISMATCH', facts: { required: 'EGRESS_SOURCE' } },
    });
    expect(await refusalOf(publish({ serviceType: EndpointType.INTERFACE }))).toMatchObject({
      ...{ reason: 'RESOURCE_TYPE_MISMATCH', facts: { resource_type: 'EGRESS_SOURCE' } },
    });
    for (const wrong of [{ targets: TARGETS }, { targets: [] }, { proxyProtocol: true }]) {
      expect(await refusalOf(publish({ resources: [egressIn(ZONE, wrong)] }))).toMatchObject({
        code: status.INVALID_ARGUMENT,
      });
    }
    expect(await refusalOf(publish({ addressType: AddressType.DUAL_STACK }))).toMatchObject({
      ...{ reason: 'DUAL_STACK_UNAVAILABLE', facts: { missing: 'RESOURCE' } },
    });
  });
});

describe('a REVERSE endpoint', () => {
  it('is refused to services of other types, with the type that is required, and other endpoints to its', async () => {
    const serviceId = await reverseService();
    const mismatch = { code: status.FAILED_PRECONDITION, reason: 'ENDPOINT_TYPE_MISMATCH' };
    expect(await refused(reverse(stage.serviceId))).toMatchObject({
      ...{ ...mismatch, facts: { required: 'INTERFACE', given: 'REVERSE', field: 'endpoint_type' } },
    });
    expect(await refused({ service: serviceId })).toMatchObject({
      ...{ ...mismatch, facts: { required: 'REVERSE', given: 'INTERFACE', field: 'endpoint_type' } },
    });
    expect(await refused({ targets: TARGETS })).toMatchObject({ ...mismatch, facts: { field: 'targets' } });
    for (const [field, change] of Object.entries({
      policy: { policy: '{"Version":"1","Statement":[{"Effect":"Deny","Action":"*","Resource":"*","Principal":"*"}]}' },
      custom_domain_enabled: { customDomainEnabled: true },
      zone_affinity: { zoneAffinity: true },
    })) {
      expect(await refused(reverse(serviceId, change))).toMatchObject({ ...mismatch, facts: { field } });
    }
  });

  it('has targets inside its VPC, each once, and security groups', async () => {
    const serviceId = await reverseService();
    const outside = [...TARGETS, { ip: '10.1.0.1', port: 80 }];
    expect(await refused(reverse(serviceId, { targets: [] }))).toMatchObject({ reason: 'TARGET_REQUIRED' });
    expect(await refused(reverse(serviceId, { targets: outside }))).toMatchObject({
      ...{ reason: 'TARGET_OUTSIDE_VPC', facts: { target: '10.1.0.1:80', field: 'targets[2].ip' } },
    });
    expect(await refused(reverse(serviceId, { targets: [...TARGETS, ...TARGETS] }))).toMatchObject({
      ...{ reason: 'TARGET_DUPLICATE', facts: { field: 'targets[2]' } },
    });
    expect(await refused(reverse(serviceId, { securityGroupIds: [] }))).toMatchObject({
      reason: 'SECURITY_GROUP_REQUIRED',
    });
    const wrong = [
      { ip: 'fd00::1', port: 80 },
      { ip: '10.0.0.1', port: 0 },
    ];
    for (const target of wrong) {
      expect(await refused(reverse(serviceId, { targets: [target] }))).toMatchObject({ code: status.INVALID_ARGUMENT });
    }
    expect(await refused(reverse(serviceId, { addressType: AddressType.DUAL_STACK }))).toMatchObject({
      reason: 'DUAL_STACK_UNAVAILABLE',
    });
  });

  it('is connected like others, without names: to the targets that its security groups let the provider to', async () => {
    const serviceId = await reverseService();
    const endpointId = await stage.activeEndpoint(reverse(serviceId));
    await stage.connect(endpointId);
    const bounded = [
      { ...TARGETS[0], allowed: true },
      { ...TARGETS[1], allowed: false },
    ];
    const endpoint = await stage.get(endpointId);
    expect(endpoint).toMatchObject({ usable: true, domainName: '', targets: bounded, zones: [{ domainName: '' }] });
    const connection = await connectionOf(endpointId);
    expect(connection).toMatchObject({ status: 'CONNECTED', names: null, targets: bounded });
    expect(connection.zones[ZONE]?.resource).toMatchObject({ resourceId: 'egress-1' });
    const [{ generation }] = [connection];

    const group = { ...stage.naming(endpointId), securityGroupId: groups.caches };
    const { endpoint: changing } = await stage.consumer.attachSecurityGroup(group, {});
    expect(changing?.status).toBe(EndpointStatus.CHANGING);
    await stage.settle(endpointId);
    expect(await connectionOf(endpointId)).toMatchObject({ status: 'CHANGING', generation: generation + 1 });
    await stage.connect(endpointId);
    await stage.settle(endpointId);
    expect(await stage.get(endpointId)).toMatchObject({
      ...{ status: EndpointStatus.ACTIVE, usable: true, targets: [{ allowed: true }, { allowed: true }] },
    });
    await stage.consumer.detachSecurityGroup({ ...group, ...stage.naming(endpointId) }, {});
    await stage.settle(endpointId);
    await stage.connect(endpointId);
    expect((await connectionOf(endpointId)).targets).toEqual(bounded);
  });

  it('waits for its acceptance, and shows each side what is its affair', async () => {
    const serviceId = await reverseService();
    await stage.provider.setAutoAccept(
      { requestId: newId('r'), serviceId, autoAccept: false, acceptWaiting: false },
      {},
    );
    const endpointId = await stage.activeEndpoint(reverse(serviceId));
    await stage.connect(endpointId);
    const { broker: provider } = await stage.services.clientsOf(PROVIDER, 'provider');
    const { broker: consumer } = await stage.services.clientsOf(CONSUMER, 'consumer');
    const shown = async (api: typeof provider) =>
      (await api.getConnection({ connectionId: endpointId }, {})).connection;
    expect((await shown(provider))?.holds).toHaveLength(1);
    const decision = { message: '', expireTime: undefined, zoneIds: [], zoneResources: [] };
    await provider.acceptConnection({ requestId: newId('r'), connectionId: endpointId, ...decision }, {});
    await stage.connect(endpointId);
    expect((await connectionOf(endpointId)).status).toBe('CONNECTED');
    expect((await shown(provider))?.targets).toEqual([{ ...TARGETS[0], allowed: true }]);
    expect((await shown(consumer))?.targets).toHaveLength(2);
  });

  it('that is asked for as a dry run is nowhere', async () => {
    const serviceId = await reverseService();
    const dry = await changesNothing(stage.services.consumer.store, () =>
      stage.consumer.createEndpoint({ ...stage.creation(reverse(serviceId)), dryRun: true }, {}),
    );
    expect(dry.endpoint?.targets).toHaveLength(2);
    expect(dry.preview?.domainNames).toEqual([]);
  });
});
