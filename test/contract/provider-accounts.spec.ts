import { status } from '@grpc/grpc-js';
import { systemClock } from '@privatelink/shared/runtime/clock';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EndpointService } from '../../services/provider/src/endpoint-service/endpoint-service.ts';
import { serviceClaimCleanup } from '../../services/provider/src/processes/service-claim-cleanup.ts';
import { calling, changesNothing, commanding, newId, refusalOf } from './support/given.ts';
import { type Services, startServices } from './support/services.ts';

type Clients = Awaited<ReturnType<Services['clientsOf']>>;
let services: Services;
beforeAll(async () => {
  services = await startServices();
});
afterAll(() => services?.close());

const naming = (serviceId: string) => ({ requestId: newId('r'), serviceId });

describe('the services of an account', () => {
  const create = (client: Clients['provider'], requestId = newId('r'), description = '') => {
    const rest = {
      serviceType: 'ENDPOINT_TYPE_INTERFACE',
      addressType: 'ADDRESS_TYPE_IPV4',
      payer: 'PAYER_ENDPOINT',
      autoAccept: false,
    } as const;
    return client.createEndpointService({ requestId, ...rest, description, resources: [], tags: [] }, {});
  };
  const cleanup = (abandonAfterMs: number) =>
    serviceClaimCleanup({ ...services.provider, clock: systemClock, abandonAfterMs });
  const ledger = async (accountId: string) => (await services.provider.accounts.fold(accountId)).state.services;

  it('are counted before they are there, each once, and no longer when they are gone', async () => {
    const account = '7000000000000007';
    const { provider: theirs } = await services.clientsOf(account, 'provider');
    const requestId = newId('r');
    const { endpointService } = await create(theirs, requestId);
    const serviceId = endpointService?.serviceId ?? '';
    expect(Object.keys(await ledger(account))).toEqual([serviceId]);
    await changesNothing(services.provider.store, () => create(theirs, requestId));
    await changesNothing(services.provider.store, () =>
      expect(refusalOf(create(theirs, requestId, 'other'))).resolves.toMatchObject({ reason: 'REQUEST_ID_REUSED' }),
    );
    await cleanup(0).work(`${account}/${serviceId}`, null);
    expect(Object.keys(await ledger(account))).toEqual([serviceId]);

    await services.provider.lifecycle.settle(serviceId);
    const { state } = await services.provider.services.fold(serviceId);
    await theirs.deleteEndpointService({ ...naming(serviceId), force: true }, {});
    const confirm = { serviceId, serviceRevision: BigInt(state.version + 1), connectionCount: 0n };
    await services.clients.provider.confirmServiceTeardown(confirm, calling());
    await services.provider.lifecycle.reactor.work(serviceId, null);
    expect(await ledger(account)).toEqual({});
    await changesNothing(services.provider.store, async () =>
      services.provider.lifecycle.reactor.work(serviceId, null),
    );
    const again = await changesNothing(services.provider.store, () => create(theirs, requestId));
    expect(again.endpointService?.status).toBe('ENDPOINT_SERVICE_STATUS_DELETING');
  });

  it('are at most 200, in whatever race', async () => {
    const account = '8000000000000008';
    const { provider: theirs } = await services.clientsOf(account, 'provider');
    const claims = Array.from({ length: 195 }, () =>
      services.provider.accounts.execute(
        account,
        { type: 'ClaimService', data: { serviceId: newId('epsrv'), serviceType: 'INTERFACE' } },
        commanding(),
      ),
    );
    await Promise.all(claims);
    const answers = await Promise.allSettled(Array.from({ length: 12 }, () => create(theirs)));
    expect(answers.filter(({ status: answered }) => answered === 'fulfilled')).toHaveLength(5);
    const refusal = await changesNothing(services.provider.store, () => refusalOf(create(theirs)));
    expect(refusal).toMatchObject({
      ...{ code: status.RESOURCE_EXHAUSTED, reason: 'QUOTA_EXCEEDED' },
      facts: { quota: 'services per account', limit: '200', current: '200' },
    });
  });

  it('that were claimed and never created are given up after a while, for ever', async () => {
    const [account, serviceId] = ['9000000000000009', newId('epsrv')];
    const claim = { type: 'ClaimService', data: { serviceId, serviceType: 'INTERFACE' } } as const;
    await services.provider.accounts.execute(account, claim, commanding());
    const key = `${account}/${serviceId}`;
    const early = await changesNothing(services.provider.store, async () => cleanup(60_000).work(key, null));
    expect(early).toEqual({ againMs: expect.any(Number) });
    expect(await cleanup(0).work(key, null)).toBe('settled');
    expect(await ledger(account)).toEqual({});
    const { state } = await services.provider.services.fold(serviceId);
    expect(state).toMatchObject({ status: 'GONE', accountId: account, createdAt: '' });
    const created = createdBy(state, serviceId);
    await expect(services.provider.services.execute(serviceId, created, commanding())).rejects.toMatchObject({
      reason: 'ENDPOINT_SERVICE_CREATION_ABANDONED',
    });
    await changesNothing(services.provider.store, async () => cleanup(0).work(key, null));
  });
});

const createdBy = (
  {
    accountId,
    regionId,
    serviceType,
    addressType,
    description,
    autoAccept,
    payer,
    resources,
    tags,
    zoneAffinity,
    connectBandwidth,
  }: EndpointService,
  serviceId: string,
) => {
  const rest = {
    accountId,
    regionId,
    serviceType,
    addressType,
    description,
    autoAccept,
    payer,
    resources,
    tags,
    zoneAffinity,
    connectBandwidth,
  };
  return { type: 'CreateEndpointService', data: { serviceId, serviceName: serviceId, ...rest } } as const;
};
