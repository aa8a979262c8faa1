import { expect, it } from 'vitest';
import { provider } from './steps/step.ts';
import { inWorld } from './world/world.ts';

const who = provider('1000000000000001');

it('a deletion that is asked for again when the service is gone is answered as at first; another one is not', () =>
  inWorld({ seed: 'requests' }, async ({ client, timeline, quiesce }) => {
    const answered = async <T>(answer: Promise<T>): Promise<T> => {
      let isThere = false;
      void answer.then(() => {
        isThere = true;
      });
      await timeline.runUntil(timeline.now() + 60_000, () => isThere);
      return answer;
    };
    const create = {
      requestId: 'r1',
      serviceType: 'ENDPOINT_TYPE_INTERFACE',
      addressType: 'ADDRESS_TYPE_IPV4',
      payer: 'PAYER_ENDPOINT',
    } as const;
    const particulars = { description: '', autoAccept: true, resources: [], tags: [] };
    const created = await answered(client.ask(who, 'provider', 'createEndpointService', { ...create, ...particulars }));
    const serviceId = created?.endpointService?.serviceId ?? '';
    const deletion = { requestId: 'r2', serviceId, force: false };
    const deleted = await answered(client.ask(who, 'provider', 'deleteEndpointService', deletion));
    expect(deleted?.endpointService?.serviceId).toBe(serviceId);
    expect(await quiesce(5_000)).toBe(true);

    const again = await answered(client.ask(who, 'provider', 'deleteEndpointService', deletion));
    expect(again?.revision).toBe(deleted?.revision);
    await answered(client.ask(who, 'provider', 'deleteEndpointService', { ...deletion, requestId: 'r3' }));
    expect(client.journal.at(-1)?.outcome).toEqual({ kind: 'refused', code: 5, reason: 'ENDPOINT_SERVICE_NOT_FOUND' });
  }));
