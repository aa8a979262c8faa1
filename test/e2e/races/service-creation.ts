import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { refusalOf } from '../../support/scenario.ts';
import { CALL } from '../../support/world.ts';
import type { Race } from '../races.e2e.spec.ts';

export const serviceCreation = (race: () => Race): void => {
  const prepare = async () => {
    const { cast, hold, log } = race();
    const { provider } = await cast();
    const rest = {
      serviceType: 'ENDPOINT_TYPE_INTERFACE',
      addressType: 'ADDRESS_TYPE_IPV4',
      payer: 'PAYER_ENDPOINT',
      autoAccept: false,
    } as const;
    const request = { requestId: randomUUID(), ...rest, description: 'race', resources: [], tags: [] };
    const creating = hold('createEndpointService:after-claim');
    const create = () => provider.provider.createEndpointService(request, CALL);
    const claimed = async () =>
      String((await log.records('accountServices', provider.account, 'ServiceClaimed')).data['serviceId']);
    return { ...{ log, hold, provider, creating, create, claimed } };
  };

  it('the reconciler first: the creation is refused, and counts no longer', async () => {
    const { log, provider, creating, create, claimed } = await prepare();
    const refusal = refusalOf(create());
    await creating.reached();
    const serviceId = await claimed();
    await log.records('endpointService', serviceId, 'EndpointServiceCreationAbandoned');
    creating.release();
    expect(await refusal).toMatchObject({ code: 10, reason: 'ENDPOINT_SERVICE_CREATION_ABANDONED' });
    await log.records('accountServices', provider.account, 'ServiceReleased');
    expect((await refusalOf(provider.provider.getEndpointService({ serviceId }, CALL))).code).toBe(5);
    // Asked again, it is the same request, which was given up for ever.
    expect((await refusalOf(create())).reason).toBe('ENDPOINT_SERVICE_CREATION_ABANDONED');
  });

  it('the creation first: the reconciler finds it and takes nothing away', async () => {
    const { log, hold, provider, creating, create, claimed } = await prepare();
    const fencing = hold('serviceClaimCleanup:before-fence');
    const created = create();
    await creating.reached();
    const serviceId = await claimed();
    await fencing.reached();
    creating.release();
    expect((await created).endpointService?.serviceId).toBe(serviceId);
    fencing.release();
    await log.records('endpointService', serviceId, 'EndpointServiceActivated');
    const { endpointService } = await provider.provider.getEndpointService({ serviceId }, CALL);
    expect(endpointService?.status).toBe('ENDPOINT_SERVICE_STATUS_ACTIVE');
    const types = log.of('accountServices', provider.account).map(({ type }) => type);
    expect(types).toEqual(['ServiceClaimed.v1']);
  });
};
