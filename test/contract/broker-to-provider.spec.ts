import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ProviderPort, providerPort } from '../../services/connection-broker/src/dispatch/provider.ts';
import { activeService, calling, changesNothing, commanding, lastEvent, newId, refusalOf } from './support/given.ts';
import { type Services, startServices } from './support/services.ts';

let services: Services;
let port: ProviderPort;
beforeAll(async () => {
  services = await startServices();
  port = providerPort(services.clients.provider);
});
afterAll(() => services?.close());

const fold = async (serviceId: string) => (await services.provider.services.fold(serviceId)).state;

const deleting = async (): Promise<{ serviceId: string; version: number }> => {
  const serviceId = await activeService(services);
  const command = { type: 'StartDeletion', data: { force: true, actor: 'user:paula' } } as const;
  await services.provider.services.execute(serviceId, command, commanding());
  return { serviceId, version: (await fold(serviceId)).deletion?.version ?? 0 };
};

describe('the word that all connections of a service are torn down', () => {
  it('ends the service, says of how many, and goes on with the chain of the deletion', async () => {
    const { serviceId, version } = await deleting();
    const context = calling();
    await port.confirmServiceTeardown(serviceId, version, 7, context);
    expect((await fold(serviceId)).status).toBe('GONE');
    const [last] = await services.provider.services.history(serviceId, BigInt(version), 1);
    expect(last).toMatchObject({ type: 'EndpointServiceDeleted', data: { connectionCount: 7 } });
    const { actor, correlationId } = context;
    const recorded = { type: 'EndpointServiceDeleted.v1', actor, correlationId };
    expect(await lastEvent(services.provider.store, `endpointService-${serviceId}`)).toEqual(recorded);
  });

  it('that comes again, or with another count, changes nothing', async () => {
    const { serviceId, version } = await deleting();
    await port.confirmServiceTeardown(serviceId, version, 1, calling());
    for (const count of [1, 2]) {
      const again = () => port.confirmServiceTeardown(serviceId, version, count, calling());
      await changesNothing(services.provider.store, again);
    }
  });

  it('that is of another deletion changes nothing, as where there is none', async () => {
    const { serviceId, version } = await deleting();
    for (const other of [0, version - 1, version + 1]) {
      const call = () => port.confirmServiceTeardown(serviceId, other, 1, calling());
      await changesNothing(services.provider.store, call);
    }
    expect((await fold(serviceId)).status).toBe('DELETING');
    const active = await activeService(services);
    const call = () => port.confirmServiceTeardown(active, 1, 1, calling());
    await changesNothing(services.provider.store, call);
  });

  it('is refused of a service that nobody knows', async () => {
    const call = () => refusalOf(port.confirmServiceTeardown(newId('epsrv'), 1, 1, calling()));
    const refusal = await changesNothing(services.provider.store, call);
    expect(refusal).toMatchObject({ code: status.NOT_FOUND, reason: 'ENDPOINT_SERVICE_NOT_FOUND' });
  });
});
