import { status } from '@grpc/grpc-js';
import { AddressType, EndpointType, Payer } from '@privatelink/proto/common/v1/common';
import { ResourceType } from '@privatelink/proto/provider/v1/endpoint_service';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { endpointsOf } from '../../services/provider/src/service-admissions/service-admissions.ts';
import { activeService, CONSUMER, calling, changesNothing, newId, PROVIDER, refusalOf, ZONE } from './support/given.ts';
import { type Services, startServices } from './support/services.ts';

const OPERATOR_ACTOR = 'user:somebody';
const STRANGER = '3000000000000003';

type Clients = Awaited<ReturnType<Services['clientsOf']>>;
let services: Services;
let provider: Clients['provider'];
let consumer: Clients['provider'];
let operator: Clients['provider'];
beforeAll(async () => {
  services = await startServices();
  ({ provider } = await services.clientsOf(PROVIDER, 'provider'));
  ({ provider: consumer } = await services.clientsOf(CONSUMER, 'consumer'));
  ({ provider: operator } = await services.clientsOf('', 'operator'));
});
afterAll(() => services?.close());

const get = async (client: Clients['provider'], serviceId: string) =>
  (await client.getEndpointService({ serviceId }, {})).endpointService;
const settle = (serviceId: string) => services.provider.lifecycle.settle(serviceId);
const naming = (serviceId: string) => ({ requestId: newId('r'), serviceId });
const said = { description: undefined, tags: undefined };
const PAGE = { pageSize: 0, pageToken: '', consistencyToken: '' };

describe('a creation', () => {
  it('is answered again as at first, also when a quota was lowered since', async () => {
    const resource = { resourceType: ResourceType.NLB, zoneId: ZONE, targets: [{ ip: '10.0.1.10', port: 443 }] };
    const creation = {
      ...{ requestId: newId('r'), description: '', autoAccept: true, tags: [], serviceType: EndpointType.INTERFACE },
      ...{ addressType: AddressType.IPV4, payer: Payer.ENDPOINT_SERVICE },
      resources: ['nlb-1', 'nlb-2'].map((resourceId) => ({ ...resource, resourceId, vpcId: '', proxyProtocol: false })),
    };
    const first = await provider.createEndpointService(creation, {});
    const { quotas, store } = services.provider;
    const { resourcesAtCreation } = quotas;
    quotas.resourcesAtCreation = 1;
    try {
      expect(await changesNothing(store, () => provider.createEndpointService(creation, {}))).toEqual(first);
      const another = { ...creation, requestId: newId('r') };
      const refusal = await changesNothing(store, () => refusalOf(provider.createEndpointService(another, {})));
      expect(refusal).toMatchObject({ reason: 'QUOTA_EXCEEDED', facts: { limit: '1' } });
    } finally {
      quotas.resourcesAtCreation = resourcesAtCreation;
    }
  });
});

describe('an update', () => {
  it('of description and tags is a change that ends; both are shown to the owner only', async () => {
    const serviceId = await activeService(services);
    const tags = [
      { key: 'team', value: 'storage' },
      { key: 'stage', value: '' },
    ];
    const update = { ...naming(serviceId), description: 'new', tags: { tags } };
    const changed = await provider.updateEndpointService(update, {});
    const shown = { description: 'new', tags: tags.toReversed() };
    expect(changed.endpointService).toMatchObject({ ...shown, status: 'ENDPOINT_SERVICE_STATUS_CHANGING' });
    await settle(serviceId);
    expect(await get(provider, serviceId)).toMatchObject({ ...shown, status: 'ENDPOINT_SERVICE_STATUS_ACTIVE' });
    expect(await get(consumer, serviceId)).toMatchObject({ description: '', tags: [], resources: [] });

    const same = { ...naming(serviceId), description: undefined, tags: { tags: shown.tags } };
    await changesNothing(services.provider.store, () => provider.updateEndpointService(same, {}));
    await provider.updateEndpointService({ ...naming(serviceId), ...said, tags: { tags: [] } }, {});
    expect(await get(provider, serviceId)).toMatchObject({ description: 'new', tags: [] });
  });
});

describe('resources', () => {
  it('are listed in order of zone and id, page by page', async () => {
    const serviceId = await activeService(services);
    const more = { resourceType: ResourceType.NLB, targets: [{ ip: '10.0.1.10', port: 443 }], vpcId: '' };
    for (const [resourceId, zoneId] of [
      ['nlb-0', 'cn-hangzhou-i'],
      ['nlb-10', ZONE],
    ] as const) {
      const resource = { ...more, resourceId, zoneId, proxyProtocol: true };
      await provider.attachResource({ ...naming(serviceId), resource }, {});
    }
    const keys: string[] = [];
    for (let pageToken = ''; ; ) {
      const page = await provider.listResources({ serviceId, pageSize: 3, pageToken }, {});
      keys.push(...page.resources.map(({ zoneId, resourceId }) => `${zoneId} ${resourceId}`));
      pageToken = page.nextPageToken;
      if (pageToken === '') break;
    }
    expect(keys).toEqual([`${ZONE} nlb-1`, `${ZONE} nlb-10`, `${ZONE} nlb-2`, 'cn-hangzhou-i nlb-0']);
  });

  it('take new endpoints or not, and the last one of a zone does', async () => {
    const serviceId = await activeService(services);
    const allocate = (resourceId: string, autoAllocated: boolean) =>
      provider.updateResource({ ...naming(serviceId), resourceId, zoneId: ZONE, autoAllocated }, {});
    const { endpointService } = await allocate('nlb-1', false);
    expect(endpointService?.status).toBe('ENDPOINT_SERVICE_STATUS_CHANGING');
    expect(endpointService?.resources.map(({ autoAllocated }) => autoAllocated)).toEqual([false, true]);
    await settle(serviceId);
    const facts = { resource_id: 'nlb-2', zone_id: ZONE };
    const refusal = { code: status.FAILED_PRECONDITION, reason: 'LAST_AUTO_ALLOCATED_RESOURCE', facts };
    expect(await refusalOf(allocate('nlb-2', false))).toMatchObject(refusal);
    const detach = { ...naming(serviceId), resourceId: 'nlb-2', zoneId: ZONE };
    expect(await refusalOf(provider.detachResource(detach, {}))).toMatchObject(refusal);
    expect(await refusalOf(allocate('nlb-9', false))).toMatchObject({
      ...{ code: status.NOT_FOUND, reason: 'RESOURCE_NOT_FOUND' },
    });
    expect((await admit(serviceId, newId('ep')))?.resources.map(({ resourceId }) => resourceId)).toEqual(['nlb-2']);
  });
});

const admit = async (serviceId: string, endpointId: string, accountId = CONSUMER) => {
  const asked = { service: serviceId, endpointId, accountId, zoneIds: [ZONE] };
  const request = { ...asked, endpointType: 'ENDPOINT_TYPE_INTERFACE', addressType: 'ADDRESS_TYPE_IPV4' } as const;
  return (await services.clients.provider.admitEndpoint(request, calling())).admission;
};

describe('changes of one service that are asked for at once', () => {
  it('all come about, and nobody is told to try again', async () => {
    const serviceId = await activeService(services);
    const ids = [1, 2, 3].map(String);
    const resource = { resourceType: ResourceType.NLB, zoneId: ZONE, vpcId: '', proxyProtocol: true };
    await Promise.all([
      ...ids.map((id) => {
        const targets = [{ ip: `10.0.9.${id}`, port: 443 }];
        return provider.attachResource(
          { ...naming(serviceId), resource: { ...resource, resourceId: id, targets } },
          {},
        );
      }),
      ...ids.map((id) =>
        provider.addServiceUser({ ...naming(serviceId), accountId: id.repeat(16), approvalTtl: undefined }, {}),
      ),
      provider.updateEndpointService({ ...naming(serviceId), ...said, description: 'new' }, {}),
      provider.setAutoAccept({ ...naming(serviceId), autoAccept: false, acceptWaiting: false }, {}),
    ]);
    await settle(serviceId);
    const service = await get(provider, serviceId);
    expect(service).toMatchObject({ status: 'ENDPOINT_SERVICE_STATUS_ACTIVE', description: 'new', autoAccept: false });
    expect(service?.resources.map(({ resourceId }) => resourceId)).toEqual(expect.arrayContaining(ids));
    const { serviceUsers } = await provider.listServiceUsers({ serviceId, ...PAGE }, {});
    expect(serviceUsers.map(({ accountId }) => accountId)).toEqual(
      expect.arrayContaining(ids.map((id) => id.repeat(16))),
    );
  });
});

describe('the terms of an account', () => {
  const hour = { seconds: 3_600n, nanos: 500_000_000 };
  const add = (serviceId: string, accountId: string, terms: object) =>
    provider.addServiceUser({ ...naming(serviceId), accountId, approvalTtl: undefined, ...terms }, {});
  const acceptance = (admission: Awaited<ReturnType<typeof admit>>) => [admission?.autoAccept, admission?.approvalTtl];

  it('are listed as they were said last; said again they change nothing', async () => {
    const serviceId = await activeService(services);
    const terms = { autoAccept: false, maxConnections: 0, approvalTtl: hour };
    await add(serviceId, CONSUMER, { maxConnections: 9 });
    await add(serviceId, CONSUMER, terms);
    await changesNothing(services.provider.store, () => add(serviceId, CONSUMER, terms));
    const { serviceUsers } = await provider.listServiceUsers({ serviceId, pageSize: 0, pageToken: '' }, {});
    const none = { autoAccept: undefined, maxConnections: undefined, approvalTtl: undefined };
    expect(serviceUsers.map(({ createTime: _since, ...user }) => user)).toEqual([
      { accountId: '*', ...none },
      { accountId: PROVIDER, ...none },
      { accountId: CONSUMER, ...terms },
    ]);
  });

  it('decide whether it is accepted without being asked about, and for how long', async () => {
    const serviceId = await activeService(services, false);
    expect(acceptance(await admit(serviceId, newId('ep')))).toEqual([false, undefined]);
    await add(serviceId, '*', { autoAccept: true });
    expect(acceptance(await admit(serviceId, newId('ep')))).toEqual([true, undefined]);
    await add(serviceId, CONSUMER, { autoAccept: true, approvalTtl: hour });
    expect(acceptance(await admit(serviceId, newId('ep')))).toEqual([true, hour]);
    expect(acceptance(await admit(serviceId, newId('ep'), STRANGER))).toEqual([true, undefined]);
    await add(serviceId, CONSUMER, { autoAccept: false, approvalTtl: hour });
    expect(acceptance(await admit(serviceId, newId('ep')))).toEqual([false, undefined]);
  });

  it('let requests beyond so many endpoints wait: the first ones are accepted, in whatever race', async () => {
    const serviceId = await activeService(services);
    await add(serviceId, CONSUMER, { maxConnections: 2 });
    const asked = Array.from({ length: 6 }, () => newId('ep'));
    const admitted = await Promise.all(asked.map((endpointId) => admit(serviceId, endpointId)));
    expect(admitted.filter((admission) => admission?.autoAccept)).toHaveLength(2);
    const again = await Promise.all(asked.map((endpointId) => admit(serviceId, endpointId)));
    expect(again).toEqual(admitted);
    expect((await admit(serviceId, newId('ep'), STRANGER))?.autoAccept).toBe(true);
    await add(serviceId, CONSUMER, { maxConnections: 0 });
    expect((await admit(serviceId, asked[0] ?? ''))?.autoAccept).toBe(false);
  });
});

describe('a lock', () => {
  const lock = (serviceId: string, message = 'leaks') =>
    operator.lockEndpointService({ ...naming(serviceId), message }, {});
  const locked = { code: status.FAILED_PRECONDITION, reason: 'SERVICE_LOCKED' };

  it('is shown to the owner with its message, to consumers without', async () => {
    const serviceId = await activeService(services);
    const business = 'BUSINESS_STATUS_SECURITY_LOCKED';
    const shown = { businessStatus: business, securityLock: { message: 'leaks' } };
    expect((await lock(serviceId)).endpointService).toMatchObject(shown);
    expect(await get(provider, serviceId)).toMatchObject(shown);
    expect(await get(consumer, serviceId)).toMatchObject({ businessStatus: business, securityLock: undefined });
    await changesNothing(services.provider.store, () => lock(serviceId));
    await operator.unlockEndpointService(naming(serviceId), {});
    const none = { businessStatus: 'BUSINESS_STATUS_NORMAL', securityLock: undefined };
    expect(await get(provider, serviceId)).toMatchObject(none);
    await changesNothing(services.provider.store, () => operator.unlockEndpointService(naming(serviceId), {}));
  });

  it('is told to the broker, in order, with who placed it and why', async () => {
    const serviceId = await activeService(services);
    const known = async () => (await services.broker.scopes.fold(serviceId)).state.lock;
    await lock(serviceId);
    const { version } = (await settle(serviceId)).state;
    const told = { locked: true, message: 'leaks', actor: OPERATOR_ACTOR };
    expect(await known()).toMatchObject({ ...told, revision: version - 1 });
    await operator.unlockEndpointService(naming(serviceId), {});
    await lock(serviceId, 'again');
    await settle(serviceId);
    expect(await known()).toMatchObject({ ...told, message: 'again', revision: version + 2 });
  });

  it('refuses every change and every new endpoint, but no deletion', async () => {
    const serviceId = await activeService(services);
    await lock(serviceId);
    const key = { resourceId: 'nlb-1', zoneId: ZONE };
    const spec = { ...key, resourceType: ResourceType.NLB, targets: [{ ip: '10.0.1.1', port: 1 }], vpcId: '' };
    const user = { ...naming(serviceId), accountId: CONSUMER };
    const changes = [
      () => provider.updateEndpointService({ ...naming(serviceId), ...said, description: 'x' }, {}),
      () => provider.attachResource({ ...naming(serviceId), resource: { ...spec, proxyProtocol: false } }, {}),
      () => provider.updateResource({ ...naming(serviceId), ...key, autoAllocated: false }, {}),
      () => provider.detachResource({ ...naming(serviceId), ...key }, {}),
      () => provider.addServiceUser({ ...user, approvalTtl: undefined }, {}),
      () => provider.removeServiceUser({ ...user, reconcile: 'RECONCILE_KEEP' }, {}),
      () => provider.setAutoAccept({ ...naming(serviceId), autoAccept: false, acceptWaiting: false }, {}),
    ];
    for (const change of changes) {
      expect(await changesNothing(services.provider.store, () => refusalOf(change()))).toMatchObject(locked);
    }
    const endpointId = newId('ep');
    expect(await refusalOf(admit(serviceId, endpointId))).toMatchObject(locked);
    expect(endpointsOf((await services.provider.admissions.fold(serviceId)).state, '*')).not.toContain(endpointId);
    const { endpointService } = await provider.deleteEndpointService({ ...naming(serviceId), force: false }, {});
    expect(endpointService?.status).toBe('ENDPOINT_SERVICE_STATUS_DELETING');
  });
});

describe('accepting those that wait', () => {
  it('can be asked for again, by another request', async () => {
    const serviceId = await activeService(services);
    const accept = (requestId: string) =>
      provider.setAutoAccept({ requestId, serviceId, autoAccept: true, acceptWaiting: true }, {});
    const first = newId('r');
    await accept(first);
    await changesNothing(services.provider.store, () => accept(first));
    const { revision } = await accept(newId('r'));
    const { state } = await services.provider.services.fold(serviceId);
    expect([state.waitingAcceptedAt, state.untold.map(({ kind }) => kind)]).toEqual([
      Number(revision) + 1,
      ['waitingAccepted', 'waitingAccepted'],
    ]);
  });
});

describe('services that an account may connect to', () => {
  it('are listed as a consumer sees them, while they take endpoints', async () => {
    const owner = '6000000000000006';
    const { provider: theirs } = await services.clientsOf(owner, 'provider');
    const create = async (): Promise<string> => {
      const rest = {
        serviceType: 'ENDPOINT_TYPE_INTERFACE',
        addressType: 'ADDRESS_TYPE_IPV4',
        payer: 'PAYER_ENDPOINT',
        autoAccept: false,
      } as const;
      const request = { requestId: newId('r'), ...rest, description: 'secret', resources: [], tags: [] };
      return (await theirs.createEndpointService(request, {})).endpointService?.serviceId ?? '';
    };
    const [named, all, own, ended] = [await create(), await create(), await create(), await create()];
    for (const serviceId of [named, all, own, ended]) await settle(serviceId);
    const fresh = await create();
    const users = [
      [named, CONSUMER],
      [all, '*'],
      [fresh, CONSUMER],
      [ended, CONSUMER],
    ] as const;
    for (const [serviceId, accountId] of users) {
      await theirs.addServiceUser({ ...naming(serviceId), accountId, approvalTtl: undefined }, {});
    }
    const last = await theirs.deleteEndpointService({ ...naming(ended), force: true }, {});
    const mine = new Set([named, all, own, fresh, ended]);
    const visible = async (client: Clients['provider'], consistencyToken: string) => {
      const { endpointServices } = await client.listVisibleServices({ ...PAGE, pageSize: 1_000, consistencyToken }, {});
      return endpointServices.filter(({ serviceId }) => mine.has(serviceId));
    };
    const idsTo = async (client: Clients['provider'], token: string) =>
      (await visible(client, token)).map(({ serviceId }) => serviceId);
    const { consistencyToken: token } = last;
    expect(await idsTo(consumer, token)).toEqual([named, all].sort());
    expect(await idsTo(theirs, token)).toEqual([named, all, own].sort());
    const { provider: strangers } = await services.clientsOf(STRANGER, 'consumer');
    expect(await idsTo(strangers, token)).toEqual([all]);
    const [shown] = await visible(strangers, token);
    expect(shown).toMatchObject({ accountId: owner, description: '', status: 'ENDPOINT_SERVICE_STATUS_ACTIVE' });

    const gone = await theirs.removeServiceUser(
      { ...naming(all), accountId: '*', reconcile: 'RECONCILE_DISCONNECT' },
      {},
    );
    expect(await idsTo(strangers, gone.consistencyToken)).toEqual([]);
    const one = await consumer.listVisibleServices({ ...PAGE, pageSize: 1, consistencyToken: token }, {});
    const rest = await consumer.listVisibleServices({ ...PAGE, pageToken: one.nextPageToken }, {});
    const ids = [...one.endpointServices, ...rest.endpointServices].map(({ serviceId }) => serviceId);
    expect(ids).toEqual([...new Set(ids)].sort());
    expect(ids).toContain(named);
  });
});
