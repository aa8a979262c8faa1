import { ReplacementMode } from '@privatelink/proto/broker/v1/broker_service';
import type { Connection } from '@privatelink/proto/broker/v1/connection';
import { expect, it } from 'vitest';
import { typeOf } from '../../support/event-log.ts';
import { createEndpoint, endpointRequest, publishService, refusalOf, registerNetwork } from '../../support/scenario.ts';
import type { Stage } from '../../support/stage.ts';
import { CALL, requestId } from '../../support/world.ts';

const [zoneId] = ['cn-hangzhou-h'];
const { GRACEFUL, FORCE } = ReplacementMode;

/** The status of the only zone, and its resource. */
const zoneOf = (connection: Connection | undefined) => {
  const [zone] = connection?.zones ?? [];
  return [String(zone?.status).replace('ZONE_STATUS_', ''), zone?.resourceId];
};

export const resources = (stage: () => Stage): void => {
  const connected = async ({ autoAccept }: Readonly<{ autoAccept: boolean }>) => {
    const { cast, log, follow } = stage();
    const { provider, consumer } = await cast();
    const options = { autoAccept, zones: [zoneId], resourcesPerZone: 3, users: [consumer.account] };
    const service = await publishService(provider, log, options);
    const network = await registerNetwork(consumer, { zones: [zoneId] });
    const { endpointId: connectionId } = await createEndpoint(consumer, endpointRequest(service, network));
    const connection = follow(provider, connectionId);
    await connection.reaches(autoAccept ? 'CONNECTED' : 'DISCONNECTED');
    await log.records('connection', connectionId, 'ZoneResourceAssigned');
    const replaceBy = (id: string) => (resourceId: string, mode: ReplacementMode) =>
      provider.broker.replaceZoneResource(
        {
          requestId: id,
          connectionId,
          zoneId,
          resourceId,
          mode,
          expectedRevision: undefined,
          automatic: resourceId === '',
        },
        CALL,
      );
    const replace = (resourceId: string, mode: ReplacementMode) => replaceBy(requestId())(resourceId, mode);
    const seenBy = async (side: typeof provider) =>
      (await side.broker.getConnection({ connectionId }, CALL)).connection;
    const ledger = () => log.of('allocation', `${service.serviceId}+${zoneId}`).map(typeOf);
    return { provider, consumer, service, connectionId, connection, replace, replaceBy, seenBy, ledger, log };
  };

  it('are replaced while connected, of which the consumer sees a change and nothing else', async () => {
    const { provider, consumer, connectionId, connection, replaceBy, replace, seenBy, ledger, log } = await connected({
      autoAccept: true,
    });
    const id = requestId();
    const first = await replaceBy(id)('nlb-2', GRACEFUL);
    expect(first.connection?.status).toBe('CONNECTION_STATUS_CHANGING');
    expect(zoneOf(first.connection)).toEqual(['MIGRATING', 'nlb-2']);
    await connection.reaches('CHANGING');
    await connection.reaches('CONNECTED');
    expect(zoneOf(await seenBy(provider))).toEqual(['MIGRATED', 'nlb-2']);
    expect(zoneOf(await seenBy(consumer))).toEqual(['CONNECTED', '']);
    expect(await replaceBy(id)('nlb-2', GRACEFUL)).toMatchObject({ revision: first.revision });

    const { events } = await consumer.broker.listConnectionEvents({ connectionId, pageSize: 100, pageToken: '' }, CALL);
    expect(events.map(({ type }) => type)).toEqual(expect.arrayContaining(['ChangeStarted', 'ChangeCompleted']));
    expect(JSON.stringify(events.map(({ type, details }) => [type, details]))).not.toMatch(/Migration|nlb-|placement/);

    const ended = await replace('nlb-2', FORCE);
    expect(zoneOf(ended.connection)).toEqual(['MIGRATING', 'nlb-2']);
    await connection.reaches('CONNECTED');
    expect(zoneOf(await seenBy(provider))).toEqual(['CONNECTED', 'nlb-2']);
    await replace('', GRACEFUL);
    expect(zoneOf(await seenBy(provider))).toEqual(['CONNECTED', 'nlb-2']);
    const refusal = await refusalOf(replace('nlb-9', GRACEFUL));
    expect(refusal).toMatchObject({ code: 5, reason: 'RESOURCE_NOT_FOUND', facts: { resource_id: 'nlb-9' } });

    // A late retry of the first request does not move it back.
    await replace('nlb-3', FORCE);
    await connection.reaches('CONNECTED');
    await replaceBy(id)('nlb-2', GRACEFUL);
    expect(zoneOf(await seenBy(provider))).toEqual(['CONNECTED', 'nlb-3']);
    await log.next(() => ledger().filter((type) => type === 'MovesCompleted').length === 2, 'the second arrival');
    expect(ledger()).toEqual([
      ...['ResourceAssigned', 'EndpointPlaced', 'MovesCompleted', 'EndpointPlaced', 'MovesCompleted'],
    ]);
  });

  it('are chosen by hand while it waits, or with the acceptance, and stay so over reconnects', async () => {
    const { provider, consumer, connectionId, connection, replace, seenBy } = await connected({ autoAccept: false });
    const waiting = await replace('nlb-3', GRACEFUL);
    expect(waiting.connection?.status).toBe('CONNECTION_STATUS_DISCONNECTED');
    expect(zoneOf(waiting.connection)).toEqual(['WAIT', 'nlb-3']);
    const accept = (resourceId: string) =>
      provider.broker.acceptConnection(
        {
          ...{ requestId: requestId(), connectionId, message: '', expireTime: undefined, zoneIds: [] },
          zoneResources: [{ zoneId, resourceId }],
        },
        CALL,
      );
    expect((await refusalOf(accept('nlb-9'))).reason).toBe('RESOURCE_NOT_FOUND');
    expect(zoneOf(await seenBy(provider))).toEqual(['WAIT', 'nlb-3']);
    await accept('nlb-2');
    await connection.reaches('CONNECTED');
    expect(zoneOf(await seenBy(provider))).toEqual(['CONNECTED', 'nlb-2']);
    await consumer.broker.pauseConnection({ requestId: requestId(), connectionId, message: '' }, CALL);
    await connection.reaches('DISCONNECTED');
    await consumer.broker.resumeConnection({ requestId: requestId(), connectionId }, CALL);
    await connection.reaches('CONNECTED');
    expect(zoneOf(await seenBy(provider))).toEqual(['CONNECTED', 'nlb-2']);
  });
};
