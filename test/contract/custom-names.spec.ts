import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { endpointsOf } from '../../services/provider/src/service-admissions/service-admissions.ts';
import { type ConsumerStage, consumerStage } from './support/consumer-stage.ts';
import { activeService, CONSUMER, calling, changesNothing, newId, PROVIDER, refusalOf } from './support/given.ts';

let stage: ConsumerStage;
beforeAll(async () => {
  stage = await consumerStage();
});
afterAll(() => stage?.close());

const naming = (serviceId: string, domainName: string) => ({ requestId: newId('r'), serviceId, domainName });

/** A service of which these are verified. */
const serviceWith = async (...domainNames: readonly string[]): Promise<string> => {
  const serviceId = await activeService(stage.services);
  for (const domainName of domainNames) await offer(serviceId, domainName);
  return serviceId;
};

const offer = async (serviceId: string, domainName: string): Promise<void> => {
  const { endpointService } = await stage.provider.declareCustomDomain(naming(serviceId, domainName), {});
  const declared = endpointService?.customDomains.find((one) => one.domainName === domainName);
  stage.services.txt.set(declared?.txtRecordName ?? '', [[declared?.token ?? '']]);
  await stage.provider.verifyCustomDomain(naming(serviceId, domainName), {});
};

/** Lets everything go on until the endpoint and its connection rest. */
const settle = async (endpointId: string): Promise<void> => {
  await stage.settle(endpointId);
  await stage.connect(endpointId);
  await stage.settle(endpointId);
};

const connected = async (service: string, customDomainEnabled = true): Promise<string> => {
  const endpointId = await stage.activeEndpoint({ service, customDomainEnabled });
  await settle(endpointId);
  return endpointId;
};

const toggle = async (endpointId: string, customDomainEnabled: boolean) => {
  const request = { ...stage.naming(endpointId), tags: undefined, customDomainEnabled };
  return (await stage.consumer.updateEndpoint(request, {})).endpoint;
};

const addressOf = async (endpointId: string) => (await stage.get(endpointId))?.zones[0]?.ipv4Address;

const answer = (name: string, vpcId: string | null = stage.vpcId) => {
  const { rcode, records } = stage.services.dns.askIn(vpcId)(name, 'A');
  return records.length > 0 ? records.join() : rcode;
};

describe('custom domains of an endpoint', () => {
  it('answer inside the VPC alone, by what was verified at creation; its own names go on', async () => {
    const serviceId = await serviceWith('a1.example.com', '*.a1.example.net');
    const endpointId = await connected(serviceId);
    const shown = await stage.get(endpointId);
    const names = ['*.a1.example.net', 'a1.example.com'];
    expect(shown).toMatchObject({ customDomainEnabled: true, customDomainNames: names, usable: true });
    const address = await addressOf(endpointId);
    expect([answer('a1.example.com'), answer('x.a1.example.net')]).toEqual([address, address]);
    expect([answer('a1.example.com', null), answer('a1.example.com', newId('vpc'))]).toEqual(['REFUSED', 'REFUSED']);
    expect([answer(shown?.domainName ?? '', null), answer(shown?.domainName ?? '')]).toEqual([address, address]);
    const { connection } = await stage.services.clients.broker.getConnection({ connectionId: endpointId }, calling());
    expect(connection?.customDomainNames).toEqual(names);
  });

  it('are switched on and off later; each is a change that ends', async () => {
    const serviceId = await serviceWith('a2.example.com');
    const endpointId = await connected(serviceId, false);
    expect(answer('a2.example.com')).toBe('REFUSED');
    expect((await toggle(endpointId, true))?.status).toBe('ENDPOINT_STATUS_CHANGING');
    await settle(endpointId);
    expect(await stage.get(endpointId)).toMatchObject({ status: 'ENDPOINT_STATUS_ACTIVE', usable: true });
    expect(answer('a2.example.com')).toBe(await addressOf(endpointId));
    await changesNothing(stage.services.consumer.store, () => toggle(endpointId, true));

    expect((await toggle(endpointId, false))?.customDomainNames).toEqual([]);
    await settle(endpointId);
    expect(answer('a2.example.com')).toBe('REFUSED');
    expect((await stage.ledger()).reservations[endpointId]?.customDomains).toEqual({});
    expect(await stage.get(endpointId)).toMatchObject({ status: 'ENDPOINT_STATUS_ACTIVE', usable: true });
  });

  it('that another endpoint of the VPC has are refused, and nothing is left of the attempt', async () => {
    const [one, other] = [await serviceWith('a3.example.com'), await serviceWith('own3.example.com', 'a3.example.com')];
    const holder = await connected(one);
    const before = Object.keys((await stage.ledger()).reservations);
    const creating = stage.creation({ service: other, customDomainEnabled: true });
    const refusal = await refusalOf(stage.consumer.createEndpoint(creating, {}));
    expect(refusal).toMatchObject({ code: status.ALREADY_EXISTS, reason: 'CUSTOM_DOMAIN_IN_USE' });
    expect(refusal.facts).toMatchObject({ domain_name: 'a3.example.com', endpoint_id: holder });
    expect(refusal.violations.map(({ field }) => field)).toEqual(['custom_domain_enabled']);
    expect(Object.keys((await stage.ledger()).reservations)).toEqual(before);
    const { state } = await stage.services.provider.admissions.fold(other);
    expect(endpointsOf(state, '*')).toEqual([]);

    const plain = await connected(other, false);
    const late = await refusalOf(toggle(plain, true));
    expect(late).toMatchObject({ code: status.ALREADY_EXISTS, reason: 'CUSTOM_DOMAIN_IN_USE' });
    expect(answer('own3.example.com')).toBe('REFUSED');
  });

  it('that are deleted with their endpoint touch no other, and are free for the next', async () => {
    const [one, other] = [await serviceWith('a4.example.com'), await serviceWith('*.example.com', 'b4.example.org')];
    const [first, second] = [await connected(one), await connected(other)];
    const [specific, wildcard] = [await addressOf(first), await addressOf(second)];
    expect([answer('a4.example.com'), answer('z4.example.com')]).toEqual([specific, wildcard]);
    await stage.consumer.deleteEndpoint({ ...stage.naming(first), force: false }, {});
    await settle(first);
    expect([answer('a4.example.com'), answer('b4.example.org')]).toEqual([wildcard, wildcard]);
    const third = await connected(one);
    expect(answer('a4.example.com')).toBe(await addressOf(third));
  });

  it('stay where they are when the provider takes them back, and nobody gets them anew', async () => {
    const serviceId = await serviceWith('a5.example.com');
    const endpointId = await connected(serviceId);
    const address = await addressOf(endpointId);
    stage.services.txt.set('_privatelink.a5.example.com', 'NXDOMAIN');
    await stage.provider.verifyCustomDomain(naming(serviceId, 'a5.example.com'), {});
    const creating = () =>
      stage.consumer.createEndpoint(stage.creation({ service: serviceId, customDomainEnabled: true }), {});
    const refusal = { code: status.FAILED_PRECONDITION, reason: 'CUSTOM_DOMAIN_NOT_VERIFIED' };
    expect(await refusalOf(creating())).toMatchObject(refusal);
    await stage.provider.removeCustomDomain(naming(serviceId, 'a5.example.com'), {});
    expect(await refusalOf(creating())).toMatchObject(refusal);
    const plain = await connected(serviceId, false);
    expect(await refusalOf(toggle(plain, true))).toMatchObject(refusal);
    expect([answer('a5.example.com'), (await stage.get(endpointId))?.customDomainEnabled]).toEqual([address, true]);
  });

  it('asked for again with the same request id are what they were at first', async () => {
    const serviceId = await serviceWith('a6.example.com');
    const request = stage.creation({ service: serviceId, customDomainEnabled: true });
    const first = await stage.consumer.createEndpoint(request, {});
    await offer(serviceId, 'late6.example.com');
    const again = await stage.consumer.createEndpoint(request, {});
    expect(again.endpoint).toEqual(first.endpoint);
    expect(again.endpoint?.customDomainNames).toEqual(['a6.example.com']);
    const endpointId = first.endpoint?.endpointId ?? '';
    await settle(endpointId);
    const off = { ...stage.naming(endpointId), tags: undefined, customDomainEnabled: false };
    await stage.consumer.updateEndpoint(off, {});
    await settle(endpointId);
    await toggle(endpointId, true);
    await settle(endpointId);
    await changesNothing(stage.services.consumer.store, () => stage.consumer.updateEndpoint(off, {}));
    expect((await stage.get(endpointId))?.customDomainNames).toEqual(['a6.example.com', 'late6.example.com']);
  });
});

describe('LookupDomain in a VPC', () => {
  it('shows its own names to its owner and to operators, and to nobody else whether there are any', async () => {
    const endpointId = await connected(await serviceWith('a7.example.com'));
    const { vpcId, services } = stage;
    const owner = await services.clientsOf(CONSUMER, 'consumer');
    const provider = await services.clientsOf(PROVIDER, 'provider');
    const operator = await services.clientsOf('', 'operator');
    const look = async ({ dns }: typeof owner, inVpc: string) =>
      dns.lookupDomain({ domainName: 'a7.example.com', recordType: 'A', vpcId: inVpc, zoneId: '' }, {});
    const found = { responseCode: 'RESPONSE_CODE_NOERROR', records: [await addressOf(endpointId)] };
    expect(await look(owner, vpcId)).toMatchObject(found);
    expect(await look(operator, vpcId)).toMatchObject(found);
    const nothing = { responseCode: 'RESPONSE_CODE_REFUSED', records: [], ttlSeconds: 0 };
    expect(await look(provider, vpcId)).toEqual(nothing);
    for (const api of [owner, provider, operator]) {
      expect(await look(api, '')).toEqual(nothing);
      expect(await look(api, newId('vpc'))).toEqual(nothing);
    }
    const stranger = await services.clientsOf('3000000000000003', 'consumer');
    expect((await refusalOf(stranger.dns.listVpcResolvers({ vpcId }, {}))).reason).toBe('VPC_NOT_FOUND');
    expect(await owner.dns.listVpcResolvers({ vpcId }, {})).toEqual({ resolvers: [] });
  });
});
