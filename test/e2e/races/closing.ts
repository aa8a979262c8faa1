import { expect, it } from 'vitest';
import {
  acceptRequest,
  createEndpoint,
  endpointRequest,
  publishService,
  refusalOf,
  registerNetwork,
} from '../../support/scenario.ts';
import { CALL, requestId } from '../../support/world.ts';
import type { Race } from '../races.e2e.spec.ts';

const ZONE = 'cn-hangzhou-h';

export const closing = (race: () => Race): void => {
  const waiting = async () => {
    const { cast, log, tables, follow } = race();
    const { provider, consumer } = await cast();
    const service = await publishService(provider, log, { users: [consumer.account] });
    const { serviceId } = service;
    const { endpointId } = await createEndpoint(consumer, endpointRequest(service, await registerNetwork(consumer)));
    const connection = follow(consumer, endpointId);
    await connection.reaches('DISCONNECTED');
    const last = await log.records('connection', endpointId, 'NamesWithdrawn');
    // The broker has nothing to do any more that could be held in place of what the test holds.
    await tables.reaches('broker', 'reactor.connecting', last.position);
    const accept = acceptRequest(endpointId);
    const destroy = { requestId: requestId(), serviceId, force: false };
    return {
      ...{ serviceId, endpointId, connection },
      accept: () => provider.broker.acceptConnection(accept, CALL),
      destroy: () => provider.provider.deleteEndpointService(destroy, CALL),
      status: async () => (await provider.provider.getEndpointService({ serviceId }, CALL)).endpointService?.status,
    };
  };

  it('accepted first: the deletion is refused, naming the connection, and the service stays', async () => {
    const { hold } = race();
    const { accept, destroy, connection, endpointId, status } = await waiting();
    const accepting = hold('connection:after-append');
    const accepted = accept();
    await accepting.reached();
    const refusal = await refusalOf(destroy());
    expect(refusal).toMatchObject({ code: 9, reason: 'ENDPOINT_SERVICE_IN_USE', facts: { connection_count: '1' } });
    expect(refusal.facts['connections']).toContain(endpointId);
    accepting.release();
    await accepted;
    await connection.reaches('CONNECTED');
    expect(await status()).toBe('ENDPOINT_SERVICE_STATUS_ACTIVE');
  });

  it('deletion begun, then accepted before it is decided: refused, and connected', async () => {
    const { hold } = race();
    const { accept, destroy, connection, status } = await waiting();
    const deciding = hold('facts:after-append');
    const refusal = refusalOf(destroy());
    await deciding.reached();
    await accept();
    await connection.reaches('CONNECTED');
    deciding.release();
    expect((await refusal).reason).toBe('ENDPOINT_SERVICE_IN_USE');
    expect(await status()).toBe('ENDPOINT_SERVICE_STATUS_ACTIVE');
  });

  it('deletion decided, then accepted before anybody is told: the acceptance connects nothing', async () => {
    const { hold, log } = race();
    const { accept, destroy, connection, endpointId, serviceId } = await waiting();
    const telling = hold('fanOut:after-append');
    await destroy();
    await telling.reached();
    expect((await accept()).connection?.decision).toBe('DECISION_ACCEPTED');
    await connection.reaches('SERVICE_DELETED');
    telling.release();
    await log.records('endpointService', serviceId, 'EndpointServiceDeleted');
    expect(log.of('connection', endpointId).some(({ move }) => move?.to === 'CONNECTED')).toBe(false);
  });

  const creatingOnTwo = async () => {
    const { cast, log, follow } = race();
    const { provider, consumer } = await cast();
    const zones = [ZONE];
    const options = { autoAccept: true, zones, resourcesPerZone: 2, users: [consumer.account] };
    const service = await publishService(provider, log, options);
    const { serviceId } = service;
    const network = await registerNetwork(consumer, { zones });
    const detachment = { requestId: requestId(), serviceId, resourceId: 'nlb-1', zoneId: ZONE };
    return {
      ...{ serviceId, vpcId: network.vpcId },
      create: () => createEndpoint(consumer, endpointRequest(service, network)),
      detach: () => provider.provider.detachResource(detachment, CALL),
      resourceOf: async (endpointId: string) =>
        (await follow(provider, endpointId).reaches('CONNECTED'))?.zones.map(({ resourceId }) => resourceId),
    };
  };

  it('detached while an endpoint is created that may use it: the endpoint is on the other resource', async () => {
    const { hold, log } = race();
    const { create, detach, resourceOf, serviceId } = await creatingOnTwo();
    const creating = hold('createEndpoint:after-reservation');
    const created = create();
    await creating.reached();
    await detach();
    await log.records('endpointService', serviceId, 'ResourceDetached');
    creating.release();
    const { endpointId } = await created;
    expect(await resourceOf(endpointId)).toEqual(['nlb-2']);
  });

  it('assigned to an endpoint that is about to connect: detached, and the endpoint is on the other one', async () => {
    const { hold, log } = race();
    const { create, detach, resourceOf, serviceId } = await creatingOnTwo();
    const reporting = hold('connecting:before-report');
    const { endpointId } = await create();
    await reporting.reached();
    const detaching = detach();
    await log.records('allocation', `${serviceId}+${ZONE}`, 'EndpointsMoved');
    reporting.release();
    await detaching;
    await log.records('endpointService', serviceId, 'ResourceDetached');
    expect(await resourceOf(endpointId)).toEqual(['nlb-2']);
  });
};
