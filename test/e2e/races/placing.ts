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
    return { connection, replace };
  };

  it('by hand, and whoever asked gets no further: the connection is told all the same', async () => {
    const { hold } = race();
    const { connection, replace } = await connected();
    const placed = hold('allocation:after-append');
    const replaced = replace('nlb-2');
    await placed.reached();
    const moved = await connection.reaches('CONNECTED');
    expect(moved?.zones[0]?.resourceId).toBe('nlb-2');
    placed.release();
    expect((await replaced).connection?.zones[0]?.resourceId).toBe('nlb-2');
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
