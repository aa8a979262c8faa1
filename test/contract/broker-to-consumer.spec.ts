import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ConsumerPort, consumerPort } from '../../services/connection-broker/src/dispatch/consumer.ts';
import type { EndpointCommand } from '../../services/consumer/src/endpoint/endpoint.ts';
import {
  calling,
  changesNothing,
  commanding,
  lastEvent,
  newId,
  OTHER_ZONE,
  refusalOf,
  someCreation,
} from './support/given.ts';
import { type Services, startServices } from './support/services.ts';

let services: Services;
let port: ConsumerPort;
beforeAll(async () => {
  services = await startServices();
  port = consumerPort(services.clients.consumer);
});
afterAll(() => services?.close());

const give = (endpointId: string, command: EndpointCommand) =>
  services.consumer.endpoints.execute(endpointId, command, commanding());

/** An endpoint that was created, and deleted so far as the consumer service can on its own. */
const endpointIn = async (wanted: 'CREATING' | 'ACTIVE' | 'DELETING'): Promise<string> => {
  const data = someCreation();
  const { endpointId } = data;
  await give(endpointId, { type: 'CreateEndpoint', data });
  if (wanted === 'CREATING') return endpointId;
  await give(endpointId, { type: 'ActivateEndpoint', data: {} });
  if (wanted === 'ACTIVE') return endpointId;
  await give(endpointId, { type: 'DeleteEndpoint', data: { actor: data.actor, closingId: '' } });
  return endpointId;
};

describe('the word that a connection has the endpoint’s zones', () => {
  const zone = { zoneId: OTHER_ZONE, vswitchId: 'vsw-1', eniId: 'eni-1', ipv4: '10.0.9.4', ipv6: '' };
  const changing = async (): Promise<Readonly<{ endpointId: string; version: number }>> => {
    const endpointId = await endpointIn('ACTIVE');
    const data = { zone, requestedIpv4: '', requestedIpv6: '', resources: [], actor: 'user:carl' };
    const { latest } = await give(endpointId, { type: 'AddZone', data });
    return { endpointId, version: latest.state.version };
  };

  it('ends the change, and goes on with the chain of the change', async () => {
    const { endpointId, version } = await changing();
    const context = calling();
    await port.confirmConnectionUpdated(endpointId, version, context);
    expect((await services.consumer.endpoints.fold(endpointId)).state.status).toBe('ACTIVE');
    const { actor, correlationId } = context;
    const recorded = { type: 'ChangeCompleted.v1', actor, correlationId };
    expect(await lastEvent(services.consumer.store, `endpoint-${endpointId}`)).toEqual(recorded);
    const again = () => port.confirmConnectionUpdated(endpointId, version, calling());
    await changesNothing(services.consumer.store, again);
  });

  it('that speaks of earlier zones, or of an endpoint that rests, is gone or is not known, changes nothing', async () => {
    const { endpointId, version } = await changing();
    const early = () => port.confirmConnectionUpdated(endpointId, version - 1, calling());
    await changesNothing(services.consumer.store, early);
    for (const wanted of ['CREATING', 'ACTIVE', 'DELETING'] as const) {
      const other = await endpointIn(wanted);
      await changesNothing(services.consumer.store, () => port.confirmConnectionUpdated(other, 2, calling()));
    }
    await changesNothing(services.consumer.store, () => port.confirmConnectionUpdated(newId('ep'), 1, calling()));
  });
});

describe('the word that a connection is gone', () => {
  it('ends the endpoint, and goes on with the chain of the deletion', async () => {
    const endpointId = await endpointIn('DELETING');
    const context = calling();
    await port.confirmConnectionDeleted(endpointId, context);
    expect((await services.consumer.endpoints.fold(endpointId)).state.status).toBe('GONE');
    const { actor, correlationId } = context;
    const recorded = { type: 'EndpointDeleted.v1', actor, correlationId };
    expect(await lastEvent(services.consumer.store, `endpoint-${endpointId}`)).toEqual(recorded);
  });

  it('that comes again changes nothing', async () => {
    const endpointId = await endpointIn('DELETING');
    await port.confirmConnectionDeleted(endpointId, calling());
    await changesNothing(services.consumer.store, () => port.confirmConnectionDeleted(endpointId, calling()));
  });

  it.each(['CREATING', 'ACTIVE'] as const)('is refused while nobody deletes the endpoint: %s', async (wanted) => {
    const endpointId = await endpointIn(wanted);
    const call = () => refusalOf(port.confirmConnectionDeleted(endpointId, calling()));
    const facts = { endpoint_id: endpointId, status: wanted };
    const refusal = await changesNothing(services.consumer.store, call);
    expect(refusal).toMatchObject({ code: status.FAILED_PRECONDITION, reason: 'ENDPOINT_NOT_DELETING', facts });
  });

  it('of an endpoint that nobody knows changes nothing: there is nothing that waits', () =>
    changesNothing(services.consumer.store, () => port.confirmConnectionDeleted(newId('ep'), calling())));
});
