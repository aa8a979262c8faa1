import { status } from '@grpc/grpc-js';
import { CustomDomainFailure, CustomDomainStatus } from '@privatelink/proto/provider/v1/endpoint_service';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { activeService, CONSUMER, changesNothing, newId, PROVIDER, refusalOf } from './support/given.ts';
import { type Services, startServices } from './support/services.ts';

type Clients = Awaited<ReturnType<Services['clientsOf']>>;
let services: Services;
let provider: Clients['provider'];
let consumer: Clients['provider'];
beforeAll(async () => {
  services = await startServices();
  ({ provider } = await services.clientsOf(PROVIDER, 'provider'));
  ({ provider: consumer } = await services.clientsOf(CONSUMER, 'consumer'));
});
afterAll(() => services?.close());

const naming = (serviceId: string, domainName: string) => ({ requestId: newId('r'), serviceId, domainName });
const domainsFor = async (client: Clients['provider'], serviceId: string) =>
  (await client.getEndpointService({ serviceId }, {})).endpointService?.customDomains ?? [];
const declare = async (serviceId: string, domainName: string) => {
  const { endpointService } = await provider.declareCustomDomain(naming(serviceId, domainName), {});
  const declared = endpointService?.customDomains.find((one) => one.domainName === domainName.toLowerCase());
  if (!declared) throw new Error('not declared');
  return declared;
};
const verify = async (serviceId: string, domainName: string) => {
  const { endpointService } = await provider.verifyCustomDomain(naming(serviceId, domainName), {});
  const { status, failure } = endpointService?.customDomains.find((one) => one.domainName === domainName) ?? {};
  return [status, failure];
};
const VERIFIED = [CustomDomainStatus.VERIFIED, CustomDomainFailure.UNSPECIFIED];

describe('a custom domain', () => {
  it('is proven by its TXT record, whatever else is there, and may fail and be proven again', async () => {
    const serviceId = await activeService(services);
    const name = '*.db.example.com';
    const { token, txtRecordName, status: first } = await declare(serviceId, '*.DB.example.com');
    expect([txtRecordName, first]).toEqual(['_privatelink.db.example.com', CustomDomainStatus.PENDING]);
    expect(await verify(serviceId, name)).toEqual([CustomDomainStatus.FAILED, CustomDomainFailure.NO_RECORD]);
    services.txt.set(txtRecordName, [['v=spf1 -all'], [`x${token}`]]);
    expect(await verify(serviceId, name)).toEqual([CustomDomainStatus.FAILED, CustomDomainFailure.OTHER_RECORD]);
    services.txt.set(txtRecordName, [['v=spf1 -all'], [token.slice(0, 9), token.slice(9)]]);
    expect(await verify(serviceId, name)).toEqual(VERIFIED);
    services.txt.set(txtRecordName, 'NODATA');
    expect(await verify(serviceId, name)).toEqual([CustomDomainStatus.FAILED, CustomDomainFailure.NO_RECORD]);
    services.txt.set(txtRecordName, [[token]]);
    expect(await verify(serviceId, name)).toEqual(VERIFIED);
  });

  it('stays as it is while DNS says nothing, and the caller is told to ask again', async () => {
    const serviceId = await activeService(services);
    const { token, txtRecordName } = await declare(serviceId, 'away.example.com');
    services.txt.set(txtRecordName, [[token]]);
    expect(await verify(serviceId, 'away.example.com')).toEqual(VERIFIED);
    for (const reply of ['SERVFAIL', 'REFUSED'] as const) {
      services.txt.set(txtRecordName, reply);
      const call = () => refusalOf(provider.verifyCustomDomain(naming(serviceId, 'away.example.com'), {}));
      const refusal = await changesNothing(services.provider.store, call);
      expect(refusal).toMatchObject({ code: status.UNAVAILABLE, reason: 'CUSTOM_DOMAIN_UNCHECKED' });
    }
    expect((await domainsFor(provider, serviceId))[0]?.status).toBe(CustomDomainStatus.VERIFIED);
  });

  it('has one token for ever, which is of this service alone', async () => {
    const [one, other] = [await activeService(services), await activeService(services)];
    const { token, txtRecordName } = await declare(one, 'db.example.net');
    await provider.removeCustomDomain(naming(one, 'db.example.net'), {});
    expect(await domainsFor(provider, one)).toEqual([]);
    expect((await declare(one, 'db.example.net')).token).toBe(token);
    expect((await declare(other, 'db.example.net')).token).not.toBe(token);
    services.txt.set(txtRecordName, [[token]]);
    expect(await verify(other, 'db.example.net')).toEqual([
      CustomDomainStatus.FAILED,
      CustomDomainFailure.OTHER_RECORD,
    ]);
    expect(await verify(one, 'db.example.net')).toEqual(VERIFIED);
  });

  it('is shown to consumers once it is proven, without the proof', async () => {
    const serviceId = await activeService(services);
    await declare(serviceId, 'waiting.example.org');
    const { token, txtRecordName } = await declare(serviceId, 'shown.example.org');
    services.txt.set(txtRecordName, [[token]]);
    expect(await domainsFor(consumer, serviceId)).toEqual([]);
    await verify(serviceId, 'shown.example.org');
    expect(await domainsFor(consumer, serviceId)).toMatchObject([
      { domainName: 'shown.example.org', status: CustomDomainStatus.VERIFIED, token: '', txtRecordName: '' },
    ]);
    expect((await domainsFor(provider, serviceId)).map(({ domainName }) => domainName)).toEqual([
      'shown.example.org',
      'waiting.example.org',
    ]);
  });

  it('is looked for on nobody’s behalf but its owner’s', async () => {
    const serviceId = await activeService(services);
    const { txtRecordName } = await declare(serviceId, 'mine.example.org');
    const { provider: stranger } = await services.clientsOf('3000000000000003', 'provider');
    const refusal = await refusalOf(stranger.verifyCustomDomain(naming(serviceId, 'mine.example.org'), {}));
    expect(refusal).toMatchObject({ code: status.NOT_FOUND, reason: 'ENDPOINT_SERVICE_NOT_FOUND' });
    expect(services.txt.asked).not.toContain(txtRecordName);
  });

  it('of a service that cannot be changed is not looked for, so that a silent DNS hides no refusal', async () => {
    const serviceId = await activeService(services);
    const name = 'silent.example.org';
    const { token, txtRecordName } = await declare(serviceId, name);
    services.txt.set(txtRecordName, [[token]]);
    const request = naming(serviceId, name);
    const first = await provider.verifyCustomDomain(request, {});
    services.txt.set(txtRecordName, 'silent');
    let asked = services.txt.asked.length;
    const refused = async (change: object = {}) => {
      const call = () => refusalOf(provider.verifyCustomDomain({ ...naming(serviceId, name), ...change }, {}));
      return changesNothing(services.provider.store, call);
    };
    expect(await refused({ expectedRevision: 1n })).toMatchObject({ code: status.ABORTED });
    expect(await refused({ domainName: 'none.example.org' })).toMatchObject({ reason: 'CUSTOM_DOMAIN_NOT_FOUND' });
    const { provider: operator } = await services.clientsOf('', 'operator');
    await operator.lockEndpointService({ requestId: newId('r'), serviceId, message: 'leaks' }, {});
    expect(await refused()).toMatchObject({ reason: 'SERVICE_LOCKED' });
    expect(services.txt.asked.length).toBe(asked);
    await operator.unlockEndpointService({ requestId: newId('r'), serviceId }, {});
    await services.provider.lifecycle.settle(serviceId);
    const unlocked = await refused();
    expect(unlocked).toMatchObject({ code: status.UNAVAILABLE, reason: 'CUSTOM_DOMAIN_UNCHECKED' });
    asked = services.txt.asked.length;
    await provider.deleteEndpointService({ requestId: newId('r'), serviceId, force: true }, {});
    expect(await refused()).toMatchObject({ reason: 'SERVICE_NOT_ACTIVE' });
    expect(services.txt.asked.length).toBe(asked);
    expect((await provider.verifyCustomDomain(request, {})).revision).toBe(first.revision);
  });

  it('answers a repeated request as at first, without asking DNS again', async () => {
    const serviceId = await activeService(services);
    const { token, txtRecordName } = await declare(serviceId, 'again.example.org');
    services.txt.set(txtRecordName, [[token]]);
    const request = naming(serviceId, 'again.example.org');
    const first = await provider.verifyCustomDomain(request, {});
    services.txt.set(txtRecordName, 'NXDOMAIN');
    const asked = services.txt.asked.length;
    const again = await changesNothing(services.provider.store, () => provider.verifyCustomDomain(request, {}));
    expect(again).toEqual(first);
    expect(services.txt.asked.length).toBe(asked);
  });
});
