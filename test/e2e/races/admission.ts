import { Reconcile } from '@privatelink/proto/provider/v1/provider_service';
import { expect, it } from 'vitest';
import { holdsOf } from '../../support/follow-connection.ts';
import { endpointRequest, publishService, refusalOf, registerNetwork } from '../../support/scenario.ts';
import { CALL, requestId } from '../../support/world.ts';
import type { Race } from '../races.e2e.spec.ts';

export const admission = (race: () => Race): void => {
  const prepare = async () => {
    const { cast, log, tables } = race();
    const { provider, consumer } = await cast();
    const service = await publishService(provider, log, { autoAccept: true, users: [consumer.account] });
    const { serviceId } = service;
    // The provider service has nothing to do any more that could be held in place of what the test holds.
    const last = await log.records('endpointService', serviceId, 'ConnectionsInformed');
    await tables.reaches('provider', 'reactor.endpointServiceLifecycle', last.position);
    const request = endpointRequest(service, await registerNetwork(consumer));
    const user = { serviceId, accountId: consumer.account, reconcile: Reconcile.DISCONNECT };
    return {
      ...{ consumer, serviceId },
      create: () => consumer.consumer.createEndpoint(request, CALL),
      remove: () => provider.provider.removeServiceUser({ requestId: requestId(), ...user }, CALL),
      destroy: () => provider.provider.deleteEndpointService({ requestId: requestId(), serviceId, force: true }, CALL),
      admitted: async () =>
        String((await log.records('serviceAdmissions', serviceId, 'EndpointAdmitted')).data['endpointId']),
    };
  };

  it('admission recorded, then the account removed: the removal names it, the admission sees the removal', async () => {
    const { hold, log } = race();
    const { create, remove, admitted, serviceId } = await prepare();
    const admitting = hold('provider:after-admission');
    const refusal = refusalOf(create());
    await admitting.reached();
    const endpointId = await admitted();
    expect((await remove()).endpointIds).toEqual([endpointId]);
    admitting.release();
    expect(await refusal).toMatchObject({ code: 5, reason: 'ENDPOINT_SERVICE_NOT_FOUND' });
    await log.records('serviceAdmissions', serviceId, 'AdmissionReleased');
    expect(log.of('endpoint', endpointId)).toEqual([]);
  });

  it('removal recorded, then the account asks: it is refused, the removal names nobody', async () => {
    const { hold, log } = race();
    const { create, remove, serviceId } = await prepare();
    const removing = hold('endpointService:after-append');
    const removed = remove();
    await removing.reached();
    expect(await refusalOf(create())).toMatchObject({ code: 5, reason: 'ENDPOINT_SERVICE_NOT_FOUND' });
    removing.release();
    expect((await removed).endpointIds).toEqual([]);
    expect(log.of('serviceAdmissions', serviceId)).toEqual([]);
  });

  it('admission given, then the account removed: the endpoint comes to be, and is never connected', async () => {
    const { hold, log, follow } = race();
    const { consumer, create, remove, admitted } = await prepare();
    const creating = hold('createEndpoint:after-admission');
    const created = create();
    await creating.reached();
    const endpointId = await admitted();
    const connection = follow(consumer, endpointId);
    expect((await remove()).endpointIds).toEqual([endpointId]);
    creating.release();
    await created;
    expect(holdsOf(await connection.reaches('DISCONNECTED'))).toEqual(['NOT_WHITELISTED']);
    expect(log.of('connection', endpointId).some(({ move }) => move?.to === 'CONNECTED')).toBe(false);
  });

  it('admission recorded, then the service deleted: the endpoint is refused, the service goes', async () => {
    const { hold, log } = race();
    const { create, destroy, serviceId } = await prepare();
    const admitting = hold('provider:after-admission');
    const refusal = refusalOf(create());
    await admitting.reached();
    await destroy();
    admitting.release();
    expect(['SERVICE_NOT_ACTIVE', 'ENDPOINT_SERVICE_NOT_FOUND']).toContain((await refusal).reason);
    await log.records('serviceAdmissions', serviceId, 'AdmissionReleased');
    await log.records('endpointService', serviceId, 'EndpointServiceDeleted');
  });

  it('deletion recorded, then an endpoint asked for: it is refused', async () => {
    const { hold, log } = race();
    const { create, destroy, serviceId } = await prepare();
    const deleting = hold('endpointService:after-append');
    const deleted = destroy();
    await deleting.reached();
    expect(await refusalOf(create())).toMatchObject({ code: 9, reason: 'SERVICE_NOT_ACTIVE' });
    deleting.release();
    await deleted;
    await log.records('endpointService', serviceId, 'EndpointServiceDeleted');
    expect(log.of('serviceAdmissions', serviceId)).toEqual([]);
  });

  it('admission given, then the service deleted: the endpoint comes to be, of a service that is gone', async () => {
    const { hold, log, follow } = race();
    const { consumer, create, destroy, admitted, serviceId } = await prepare();
    const creating = hold('createEndpoint:after-admission');
    const created = create();
    await creating.reached();
    const connection = follow(consumer, await admitted());
    await destroy();
    await log.records('endpointService', serviceId, 'EndpointServiceDeleted');
    creating.release();
    const { endpoint } = await created;
    await connection.reaches('SERVICE_DELETED');
    await log.records('connection', endpoint?.endpointId ?? '', 'TeardownConfirmed');
    expect(log.of('connection', endpoint?.endpointId ?? '').some(({ move }) => move?.to === 'CONNECTED')).toBe(false);
  });
};
