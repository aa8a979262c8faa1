import { expect, it } from 'vitest';
import { createEndpoint, endpointRequest, publishService, refusalOf, registerNetwork } from '../../support/scenario.ts';
import type { Stage } from '../../support/stage.ts';
import { CALL, requestId } from '../../support/world.ts';

const FIRST_PAGE = { pageSize: 100, pageToken: '' };

export const requests = (stage: () => Stage): void => {
  it('made again give the first reply, also when the endpoint is gone; with another body they are refused', async () => {
    const { cast, log } = stage();
    const { provider, consumer } = await cast();
    const service = await publishService(provider, log, { users: [consumer.account] });
    const request = endpointRequest(service, await registerNetwork(consumer));
    const first = await createEndpoint(consumer, request);
    const again = await createEndpoint(consumer, request);
    expect([again.endpointId, again.zones]).toEqual([first.endpointId, first.zones]);
    const other = { ...request, description: 'another one' };
    expect(await refusalOf(consumer.consumer.createEndpoint(other, CALL))).toMatchObject({
      code: 3,
      reason: 'REQUEST_ID_REUSED',
      violations: [{ field: 'request_id' }],
    });

    await consumer.consumer.deleteEndpoint(
      { requestId: requestId(), endpointId: first.endpointId, force: false },
      CALL,
    );
    await log.records('endpoint', first.endpointId, 'EndpointDeleted');
    const gone = await createEndpoint(consumer, request);
    // Nobody is shown more of an end than that.
    expect([gone.endpointId, gone.status]).toEqual([first.endpointId, 'ENDPOINT_STATUS_DELETING']);
    expect((await refusalOf(consumer.consumer.getEndpoint({ endpointId: first.endpointId }, CALL))).code).toBe(5);
    expect(log.of('endpoint', first.endpointId).filter(({ type }) => type.startsWith('EndpointCreated'))).toHaveLength(
      1,
    );
  });

  it('for a revision that is past are refused with the present one', async () => {
    const { cast, log, follow } = stage();
    const { provider, consumer } = await cast();
    const service = await publishService(provider, log, { users: [consumer.account] });
    const { endpointId } = await createEndpoint(consumer, endpointRequest(service, await registerNetwork(consumer)));
    const connection = follow(provider, endpointId);
    await connection.reaches('DISCONNECTED');
    await log.records('connection', endpointId, 'NamesWithdrawn');
    const reject = (expectedRevision: bigint) =>
      provider.broker.rejectConnection(
        { requestId: requestId(), connectionId: endpointId, message: '', expectedRevision },
        CALL,
      );
    const { revision } = await provider.broker.getConnection({ connectionId: endpointId }, CALL);
    expect(await refusalOf(reject(revision - 1n))).toMatchObject({
      code: 10,
      reason: 'REVISION_CONFLICT',
      facts: { current_revision: String(revision) },
    });
    expect((await reject(revision)).revision).toBe(revision + 1n);
  });

  it('for a list show what the token saw, also that of another service', async () => {
    const { cast, log } = stage();
    const { provider, consumer } = await cast();
    const service = await publishService(provider, log, { autoAccept: true, users: [consumer.account] });
    const { serviceId } = service;
    const renamed = await provider.provider.updateEndpointService(
      { requestId: requestId(), serviceId, description: 'seen', tags: undefined },
      CALL,
    );
    const services = await provider.provider.listEndpointServices(
      { ...FIRST_PAGE, consistencyToken: renamed.consistencyToken, statuses: [] },
      CALL,
    );
    expect(services.endpointServices.map(({ description }) => description)).toEqual(['seen']);

    const created = await consumer.consumer.createEndpoint(
      endpointRequest(service, await registerNetwork(consumer)),
      CALL,
    );
    const endpointId = created.endpoint?.endpointId ?? '';
    const listEndpoints = (consistencyToken: string) =>
      consumer.consumer.listEndpoints({ ...FIRST_PAGE, consistencyToken, serviceId: '', statuses: [] }, CALL);
    const { endpoints } = await listEndpoints(created.consistencyToken);
    expect(endpoints.map((endpoint) => endpoint.endpointId)).toEqual([endpointId]);
    await log.records('connection', endpointId, 'ConnectionEstablished');

    const rejected = await provider.broker.rejectConnection(
      { requestId: requestId(), connectionId: endpointId, message: 'no' },
      CALL,
    );
    const { consistencyToken } = rejected;
    const { connections } = await provider.broker.listConnections(
      { ...FIRST_PAGE, consistencyToken, serviceId, statuses: [], stuck: false },
      CALL,
    );
    expect(connections.map(({ decision }) => decision)).toEqual(['DECISION_REJECTED']);
    const [foreign] = (await listEndpoints(consistencyToken)).endpoints;
    expect(foreign?.holds.map(({ reason }) => reason)).toEqual(['HOLD_REASON_REJECTED']);
  });
};
