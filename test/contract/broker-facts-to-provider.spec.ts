import { status } from '@grpc/grpc-js';
import { BusinessStatus, Payer } from '@privatelink/proto/common/v1/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { announcements } from './support/announced.ts';
import { activeService, CONSUMER, changesNothing, newId, PROVIDER, refusalOf } from './support/given.ts';
import { type Services, startServices } from './support/services.ts';

type Clients = Awaited<ReturnType<Services['clientsOf']>>;
let services: Services;
let provider: Clients['provider'];
let consumer: Clients['provider'];
let operator: Clients['provider'];
let billing: Clients['broker'];
beforeAll(async () => {
  services = await startServices();
  ({ provider } = await services.clientsOf(PROVIDER, 'provider'));
  ({ provider: consumer } = await services.clientsOf(CONSUMER, 'consumer'));
  ({ provider: operator } = await services.clientsOf('', 'operator'));
  ({ broker: billing } = await services.clientsOf('', 'billing'));
});
afterAll(() => services?.close());

let sequence = 0n;
const report = async (rpc: 'reportPaymentOverdue' | 'reportPaymentSettled', value: string): Promise<void> => {
  const $case = /^\d{16}$/.test(value) ? 'accountId' : 'resourceId';
  const scope = { scope: { $case, value } } as const;
  sequence++;
  await billing[rpc]({ requestId: newId('r'), source: 'erp', scope, sequence, message: 'invoice 7' }, {});
  await announcements(services).payments(value);
};
const get = async (serviceId: string, as = provider) =>
  (await as.getEndpointService({ serviceId }, {})).endpointService;
const naming = (serviceId: string) => ({ requestId: newId('r'), serviceId });
const update = (serviceId: string) =>
  provider.updateEndpointService({ ...naming(serviceId), description: `new ${serviceId}`, tags: undefined }, {});

describe('an overdue payment of a service', () => {
  it('is announced, locks it, shows, and leaves only the deletion', async () => {
    const serviceId = await activeService(services);
    await report('reportPaymentOverdue', serviceId);
    const financial = {
      source: `erp:${serviceId}`,
      message: 'invoice 7',
      businessStatus: BusinessStatus.FINANCIAL_LOCKED,
    };
    expect(await get(serviceId)).toMatchObject({
      ...{ businessStatus: BusinessStatus.FINANCIAL_LOCKED, securityLock: undefined, locks: [financial] },
    });
    expect(await get(serviceId, consumer)).toMatchObject({
      ...{ businessStatus: BusinessStatus.FINANCIAL_LOCKED, locks: [] },
    });
    await changesNothing(services.provider.store, () => announcements(services).payments(serviceId));
    const facts = { service_id: serviceId, business_status: 'FINANCIAL_LOCKED' };
    const refusal = { code: status.FAILED_PRECONDITION, reason: 'SERVICE_LOCKED', facts };
    expect(await refusalOf(update(serviceId))).toMatchObject(refusal);

    await operator.lockEndpointService({ ...naming(serviceId), message: 'leaks' }, {});
    const security = { source: '', message: 'leaks', businessStatus: BusinessStatus.SECURITY_LOCKED };
    expect(await get(serviceId)).toMatchObject({
      ...{ businessStatus: BusinessStatus.SECURITY_LOCKED, securityLock: security, locks: [security, financial] },
    });
    await operator.unlockEndpointService(naming(serviceId), {});
    expect((await get(serviceId))?.businessStatus).toBe(BusinessStatus.FINANCIAL_LOCKED);

    const { endpointService } = await provider.deleteEndpointService({ ...naming(serviceId), force: true }, {});
    expect(endpointService?.status).toBe('ENDPOINT_SERVICE_STATUS_DELETING');
  });

  it('that is settled locks it no longer', async () => {
    const serviceId = await activeService(services);
    await report('reportPaymentOverdue', serviceId);
    await report('reportPaymentSettled', serviceId);
    expect(await get(serviceId)).toMatchObject({ businessStatus: BusinessStatus.NORMAL, locks: [] });
    await update(serviceId);
  });

  it('that nobody has is nothing', () =>
    changesNothing(services.provider.store, () => report('reportPaymentOverdue', newId('epsrv'))));
});

describe('an overdue payment of an account', () => {
  it('locks the services that it pays for, also those created meanwhile, until it is settled', async () => {
    const paying = await activeService(services);
    const other = await activeService(services, true, Payer.ENDPOINT);
    await report('reportPaymentOverdue', PROVIDER);
    const business = async (...ids: readonly string[]) =>
      Promise.all(ids.map(async (id) => (await get(id))?.businessStatus?.replace('BUSINESS_STATUS_', '')));
    expect(await business(paying, other)).toEqual(['FINANCIAL_LOCKED', 'NORMAL']);

    const { endpointService } = await provider.createEndpointService(
      {
        ...{ requestId: newId('r'), serviceType: 'ENDPOINT_TYPE_INTERFACE', addressType: 'ADDRESS_TYPE_IPV4' },
        ...{ description: '', autoAccept: false, payer: Payer.ENDPOINT_SERVICE, resources: [], tags: [] },
      },
      {},
    );
    const meanwhile = endpointService?.serviceId ?? '';
    await services.provider.lifecycle.settle(meanwhile);
    expect(await business(meanwhile)).toEqual(['FINANCIAL_LOCKED']);

    await report('reportPaymentSettled', PROVIDER);
    expect(await business(paying, other, meanwhile)).toEqual(['NORMAL', 'NORMAL', 'NORMAL']);
  });
});
