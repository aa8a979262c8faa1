import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ConsumerPort, consumerPort } from '../../services/provider/src/dispatch/consumer.ts';
import { calling, changesNothing, commanding, newId, someCreation } from './support/given.ts';
import { type Services, startServices } from './support/services.ts';

let services: Services;
let port: ConsumerPort;
beforeAll(async () => {
  services = await startServices();
  port = consumerPort(services.clients.consumer);
});
afterAll(() => services?.close());

const create = (endpointId: string) => {
  const command = { type: 'CreateEndpoint', data: { ...someCreation(), endpointId } } as const;
  return services.consumer.endpoints.execute(endpointId, command, commanding());
};

describe('asking whether an endpoint was created', () => {
  it('is answered by yes where it was, and changes nothing', async () => {
    const endpointId = newId('ep');
    await create(endpointId);
    const ask = () => port.settleEndpointCreation(endpointId, calling());
    expect(await changesNothing(services.consumer.store, ask)).toBe(true);
  });

  it('is answered by no where it is gone, so that an admission that came late is given back', async () => {
    const endpointId = newId('ep');
    await create(endpointId);
    const { endpoints } = services.consumer;
    await endpoints.execute(
      endpointId,
      { type: 'DeleteEndpoint', data: { actor: 'user:carl', closingId: '' } },
      commanding(),
    );
    expect(await port.settleEndpointCreation(endpointId, calling())).toBe(true);
    await endpoints.execute(endpointId, { type: 'CompleteDeletion', data: {} }, commanding());
    const ask = () => port.settleEndpointCreation(endpointId, calling());
    expect(await changesNothing(services.consumer.store, ask)).toBe(false);
  });

  it('is answered by no for ever: whoever asks first fences the creation off', async () => {
    const endpointId = newId('ep');
    expect(await port.settleEndpointCreation(endpointId, calling())).toBe(false);
    await expect(create(endpointId)).rejects.toMatchObject({ reason: 'ENDPOINT_CREATION_ABANDONED' });
    const again = () => port.settleEndpointCreation(endpointId, calling());
    expect(await changesNothing(services.consumer.store, again)).toBe(false);
  });

  it('is answered alike to all who ask at once, whichever way the race with the creation goes', async () => {
    for (let round = 0; round < 20; round++) {
      const endpointId = newId('ep');
      const [created, ...answers] = await Promise.all([
        create(endpointId).then(
          () => true,
          () => false,
        ),
        port.settleEndpointCreation(endpointId, calling()),
        port.settleEndpointCreation(endpointId, calling()),
      ]);
      expect(answers).toEqual([created, created]);
    }
  });
});
