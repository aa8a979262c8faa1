import { ReplacementMode } from '@privatelink/proto/broker/v1/broker_service';
import { expect, it } from 'vitest';
import { createEndpoint, endpointRequest, publishService, refusalOf, registerNetwork } from '../../support/scenario.ts';
import { CALL, requestId } from '../../support/world.ts';
import type { Race } from '../races.e2e.spec.ts';

const zoneId = 'cn-hangzhou-h';

export const placing = (race: () => Race): void => {
  const connected = async () => {
    const { cast, log, follow } = race();
    const { provider, consumer } = await cast();
    const options = { autoAccept: true, zones: [zoneId], resourcesPerZone: 3, users: [consumer.account] };
    const service = await publishService(provider, log, options);
    const network = await registerNetwork(consumer, { zones: [zoneId] });
    const { endpointId: connectionId } = await createEndpoint(consumer, endpointRequest(service, network));
    const connection = follow(provider, connectionId);
    await connection.reaches('CONNECTED');
    const replace = (resourceId: string) =>
      provider.broker.replaceZoneResource(
        {
          ...{ requestId: requestId(), connectionId, zoneId, resourceId, mode: ReplacementMode.FORCE },
          ...{ expectedRevision: undefined, automatic: false },
        },
        CALL,
      );
    const allocated = (type: string) => log.records('allocation', `${service.serviceId}+${zoneId}`, type);
    const resource = async () =>
      (await provider.broker.getConnection({ connectionId }, CALL)).connection?.zones[0]?.resourceId;
    return { connection, replace, allocated, resource };
  };

  it('by hand, and whoever asked comes too late: the place was given back', async () => {
    const { hold } = race();
    const { allocated, replace, resource } = await connected();
    const claimed = hold('placing:after-claim');
    const replaced = refusalOf(replace('nlb-2'));
    await claimed.reached();
    await allocated('PlacementReleased');
    claimed.release();
    expect(await replaced).toMatchObject({ code: 10, reason: 'ZONE_PLACEMENT_ABANDONED' });
    expect(await resource()).toBe('nlb-1');
    expect((await replace('nlb-2')).connection?.zones[0]?.resourceId).toBe('nlb-2');
  });

  it('with the acceptance, and the connection changes meanwhile: nothing of it is done', async () => {
    const { cast, hold, log, follow } = race();
    const { provider, consumer } = await cast();
    const service = await publishService(provider, log, {
      zones: [zoneId],
      resourcesPerZone: 2,
      users: [consumer.account],
    });
    const network = await registerNetwork(consumer, { zones: [zoneId] });
    const { endpointId: connectionId } = await createEndpoint(consumer, endpointRequest(service, network));
    await follow(provider, connectionId).reaches('DISCONNECTED');
    await log.records('connection', connectionId, 'NamesWithdrawn');
    await log.records('connection', connectionId, 'ZoneResourceAssigned');
    const read = async () => (await provider.broker.getConnection({ connectionId }, CALL)).connection;
    const accept = async () =>
      provider.broker.acceptConnection(
        {
          ...{ requestId: requestId(), connectionId, message: '', expireTime: undefined, zoneIds: [] },
          ...{ zoneResources: [{ zoneId, resourceId: 'nlb-2' }], expectedRevision: (await read())?.revision },
        },
        CALL,
      );
    const claimed = hold('placing:after-claim');
    const accepted = refusalOf(accept());
    await claimed.reached();
    await consumer.broker.pauseConnection({ requestId: requestId(), connectionId, message: '' }, CALL);
    claimed.release();
    expect(await accepted).toMatchObject({ code: 10 });
    await log.records('allocation', `${service.serviceId}+${zoneId}`, 'PlacementReleased');
    const untouched = await read();
    expect([untouched?.decision, untouched?.zones[0]?.resourceId]).toEqual(['DECISION_AWAITING', 'nlb-1']);
    const done = await accept();
    expect([done.connection?.decision, done.connection?.zones[0]?.resourceId]).toEqual(['DECISION_ACCEPTED', 'nlb-2']);
  });

  it('by hand, and again before the connection has arrived: refused, until it has', async () => {
    const { hold } = race();
    const { connection, replace } = await connected();
    const forwarding = hold('connecting:before-report');
    await replace('nlb-2');
    await forwarding.reached();
    expect(await refusalOf(replace('nlb-3'))).toMatchObject({ code: 9, reason: 'ZONE_MIGRATING' });
    forwarding.release();
    await connection.reaches('CONNECTED');
    const again = await replace('nlb-3');
    expect(again.connection?.zones[0]?.resourceId).toBe('nlb-3');
    await connection.reaches('CONNECTED');
  });
};
