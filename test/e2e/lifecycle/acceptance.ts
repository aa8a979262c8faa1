import { Reconcile } from '@privatelink/proto/provider/v1/provider_service';
import { expect, it } from 'vitest';
import { typeOf } from '../../support/event-log.ts';
import { holdsOf } from '../../support/follow-connection.ts';
import {
  acceptRequest,
  addressesOf,
  createEndpoint,
  endpointRequest,
  openActor,
  publishService,
  refusalOf,
  registerNetwork,
} from '../../support/scenario.ts';
import type { Stage } from '../../support/stage.ts';
import { CALL, requestId } from '../../support/world.ts';

export const acceptance = (stage: () => Stage): void => {
  it('is given at once where the service accepts automatically, in the append of the request', async () => {
    const { cast, log } = stage();
    const { provider, consumer } = await cast();
    const service = await publishService(provider, log, { autoAccept: true, users: [consumer.account] });
    const { endpointId } = await createEndpoint(consumer, endpointRequest(service, await registerNetwork(consumer)));
    await log.records('connection', endpointId, 'ConnectionEstablished');
    const events = log.of('connection', endpointId);
    const first = events.slice(0, 3);
    expect(first.map(typeOf)).toEqual(['ConnectionRequested', 'IngressChanged', 'ConnectionAccepted']);
    expect(new Set(first.map(({ metadata }) => metadata['requestId'])).size).toBe(1);
    expect(events.flatMap(({ move }) => (move ? [move.to] : []))).toEqual(['CONNECTING', 'CONNECTED']);
  });

  it('survives a removal from the whitelist: listed again, the connection is back', async () => {
    const { cast, log, lookup, follow } = stage();
    const { provider, consumer } = await cast();
    const service = await publishService(provider, log, { users: [consumer.account] });
    const endpoint = await createEndpoint(consumer, endpointRequest(service, await registerNetwork(consumer)));
    const { endpointId, domainName } = endpoint;
    const connection = follow(consumer, endpointId);
    await connection.reaches('DISCONNECTED');
    await provider.broker.acceptConnection(acceptRequest(endpointId), CALL);
    await connection.reaches('CONNECTED');

    const user = { serviceId: service.serviceId, accountId: consumer.account, approvalTtl: undefined };
    const kept = await provider.provider.removeServiceUser(
      { requestId: requestId(), ...user, reconcile: Reconcile.KEEP },
      CALL,
    );
    expect(kept.endpointIds).toEqual([endpointId]);
    const again = endpointRequest(service, await registerNetwork(consumer));
    expect(await refusalOf(consumer.consumer.createEndpoint(again, CALL))).toMatchObject({
      code: 5,
      reason: 'ENDPOINT_SERVICE_NOT_FOUND',
    });
    const undisturbed = await consumer.broker.getConnection({ connectionId: endpointId }, CALL);
    expect([undisturbed.connection?.status, holdsOf(undisturbed.connection)]).toEqual([
      'CONNECTION_STATUS_CONNECTED',
      [],
    ]);

    const removed = await provider.provider.removeServiceUser(
      { requestId: requestId(), ...user, reconcile: Reconcile.DISCONNECT },
      CALL,
    );
    expect(removed.endpointIds).toEqual([endpointId]);
    expect(holdsOf(await connection.reaches('DISCONNECTED'))).toEqual(['NOT_WHITELISTED']);
    expect(await lookup(domainName)).toBe('NODATA');

    await provider.provider.addServiceUser({ requestId: requestId(), ...user }, CALL);
    const back = await connection.reaches('CONNECTED');
    expect(back?.decision).toBe('DECISION_ACCEPTED');
    expect(await lookup(domainName)).toEqual(addressesOf(endpoint));
    expect(
      log
        .of('connection', endpointId)
        .map(typeOf)
        .filter((type) => type === 'ConnectionAccepted'),
    ).toHaveLength(1);
  });

  it('for one zone leaves that one to the endpoint, and no more is taken away than the other', async () => {
    const { cast, log, follow } = stage();
    const { provider, consumer } = await cast();
    const [on, off] = ['cn-hangzhou-h', 'cn-hangzhou-i'] as const;
    const service = await publishService(provider, log, { zones: [on, off], users: [consumer.account] });
    const network = await registerNetwork(consumer, { zones: [on, off] });
    const { endpointId } = await createEndpoint(consumer, endpointRequest(service, network));
    const connection = follow(consumer, endpointId);
    await connection.reaches('DISCONNECTED');
    await provider.broker.acceptConnection({ ...acceptRequest(endpointId), zoneIds: [on] }, CALL);
    await connection.reaches('CONNECTED');
    const remove = (zoneId: string) =>
      consumer.consumer.removeEndpointZone({ requestId: requestId(), endpointId, zoneId, vswitchId: '' }, CALL);
    expect(await refusalOf(remove(on))).toMatchObject({ code: 9, reason: 'LAST_ENABLED_ZONE', facts: { zone_id: on } });
    await remove(off);
    await log.records('connection', endpointId, 'ChangeCompleted');
    const { connection: left } = await consumer.broker.getConnection({ connectionId: endpointId }, CALL);
    expect(left?.zones.map(({ zoneId, enabled }) => [zoneId, enabled])).toEqual([[on, true]]);
  });

  it('of everybody ends with everybody, except for who is listed', async () => {
    const { cast, run, log, follow } = stage();
    const { provider, consumer } = await cast();
    const anybody = await openActor(run, 'consumer');
    const service = await publishService(provider, log, { autoAccept: true, users: ['*', consumer.account] });
    const { serviceId, serviceName } = service;
    expect(
      (await anybody.provider.getEndpointService({ serviceId: serviceName }, CALL)).endpointService?.serviceId,
    ).toBe(serviceId);
    const [listed, unlisted] = await Promise.all(
      [consumer, anybody].map(async (side) =>
        createEndpoint(side, endpointRequest(service, await registerNetwork(side))),
      ),
    );
    const [mine, theirs] = [follow(consumer, listed?.endpointId ?? ''), follow(anybody, unlisted?.endpointId ?? '')];
    await Promise.all([mine.reaches('CONNECTED'), theirs.reaches('CONNECTED')]);

    const everybody = { serviceId, accountId: '*', reconcile: Reconcile.DISCONNECT };
    const { endpointIds } = await provider.provider.removeServiceUser({ requestId: requestId(), ...everybody }, CALL);
    expect(endpointIds).toEqual([listed?.endpointId, unlisted?.endpointId].sort());
    expect(holdsOf(await theirs.reaches('DISCONNECTED'))).toEqual(['NOT_WHITELISTED']);
    await log.records('fanOut', serviceId, 'FanOutCompleted');
    const { connection } = await consumer.broker.getConnection({ connectionId: listed?.endpointId ?? '' }, CALL);
    expect(connection?.status).toBe('CONNECTION_STATUS_CONNECTED');

    const one = { serviceId, accountId: anybody.account, approvalTtl: undefined };
    await provider.provider.addServiceUser({ requestId: requestId(), ...one }, CALL);
    await theirs.reaches('CONNECTED');
    anybody.close();
  });

  it('reaches those that wait only when asked to', async () => {
    const { cast, log, follow } = stage();
    const { provider, consumer } = await cast();
    const service = await publishService(provider, log, { users: [consumer.account] });
    const network = await registerNetwork(consumer);
    const waiting = await Promise.all([1, 2].map(() => createEndpoint(consumer, endpointRequest(service, network))));
    const followed = waiting.map(({ endpointId }) => follow(provider, endpointId));
    for (const connection of followed) await connection.reaches('DISCONNECTED');

    const on = { serviceId: service.serviceId, autoAccept: true };
    await provider.provider.setAutoAccept({ requestId: requestId(), ...on, acceptWaiting: false }, CALL);
    const later = await createEndpoint(consumer, endpointRequest(service, network));
    await log.records('connection', later.endpointId, 'ConnectionEstablished');
    for (const { endpointId } of waiting) {
      const { connection } = await provider.broker.getConnection({ connectionId: endpointId }, CALL);
      expect(holdsOf(connection)).toEqual(['AWAITING_ACCEPTANCE']);
    }

    await provider.provider.setAutoAccept({ requestId: requestId(), ...on, acceptWaiting: true }, CALL);
    for (const connection of followed) await connection.reaches('CONNECTED');
  });

  it('given twice at once is one event', async () => {
    const { cast, log } = stage();
    const { provider, consumer } = await cast();
    const service = await publishService(provider, log, { users: [consumer.account] });
    const { endpointId } = await createEndpoint(consumer, endpointRequest(service, await registerNetwork(consumer)));
    await log.records('connection', endpointId, 'ConnectionRequested');
    const accepting = [1, 2, 3].map(() => provider.broker.acceptConnection(acceptRequest(endpointId, 'hello'), CALL));
    for (const { connection } of await Promise.all(accepting)) expect(connection?.decision).toBe('DECISION_ACCEPTED');
    await log.records('connection', endpointId, 'ConnectionEstablished');
    const accepted = log.of('connection', endpointId).filter((event) => typeOf(event) === 'ConnectionAccepted');
    expect(accepted).toHaveLength(1);
  });
};
