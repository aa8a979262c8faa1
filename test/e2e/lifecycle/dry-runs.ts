import { ConnectionStatus } from '@privatelink/proto/broker/v1/connection';
import type { Preview } from '@privatelink/proto/common/v1/common';
import { Reconcile } from '@privatelink/proto/provider/v1/provider_service';
import { expect, it } from 'vitest';
import {
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

const eventsOf = (preview: Preview | undefined, resourceType: string): readonly string[] =>
  (preview?.events ?? []).filter((event) => event.resourceType === resourceType).map(({ type }) => type);

const movesOf = (preview: Preview | undefined, resourceId: string): readonly string[] =>
  (preview?.events ?? []).flatMap(({ transition, resourceId: id, resourceType }) =>
    transition && id === resourceId && resourceType === 'connection' ? [`${transition.from}>${transition.to}`] : [],
  );

export const dryRuns = (stage: () => Stage): void => {
  const connected = async () => {
    const { cast, log, follow } = stage();
    const { provider, consumer, ...others } = await cast();
    const service = await publishService(provider, log, { autoAccept: true, users: [consumer.account] });
    const network = await registerNetwork(consumer);
    const endpoint = await createEndpoint(consumer, endpointRequest(service, network));
    await follow(provider, endpoint.endpointId).reaches('CONNECTED');
    const connection = async () =>
      (await provider.broker.getConnection({ connectionId: endpoint.endpointId }, CALL)).connection;
    return { ...others, provider, consumer, ...service, ...endpoint, network, connection };
  };

  it('of a creation says what would come to be; nothing does, and the same request then brings just that', async () => {
    const { consumer, serviceId, serviceName, network } = await connected();
    const request = endpointRequest({ serviceName }, network);
    const { endpoint, preview } = await consumer.consumer.createEndpoint({ ...request, dryRun: true }, CALL);
    const endpointId = endpoint?.endpointId ?? '';
    expect(eventsOf(preview, 'vpc')).toEqual(['EndpointReserved']);
    expect(eventsOf(preview, 'serviceAdmissions')).toEqual(['EndpointAdmitted']);
    expect(eventsOf(preview, 'endpoint')).toEqual(['EndpointCreated', 'EndpointActivated']);
    expect(eventsOf(preview, 'connection')[0]).toBe('ConnectionRequested');
    expect(preview).toMatchObject({ connectionIds: [endpointId], truncated: false });
    expect(preview?.eniIds).toEqual(endpoint?.zones.map(({ eniId }) => eniId));
    expect(preview?.domainNames).toContain(endpoint?.domainName);
    expect(preview?.domainNames[0]).toMatch(new RegExp(`^${endpointId}\\.${serviceId}\\.`));

    expect(await refusalOf(consumer.consumer.getEndpoint({ endpointId }, CALL))).toMatchObject({ code: 5 });
    const { vpc } = await consumer.consumer.getVpc({ vpcId: network.vpcId }, CALL);
    const made = await createEndpoint(consumer, request);
    expect(made.endpointId).toBe(endpointId);
    expect(addressesOf(made)).toEqual(endpoint && addressesOf(endpoint));
    const after = (await consumer.consumer.getVpc({ vpcId: network.vpcId }, CALL)).vpc;
    expect(after?.revision).toBe((vpc?.revision ?? 0n) + 1n);
  });

  it('of a removal from the whitelist names the connections that would go, and none goes', async () => {
    const { provider, consumer, serviceId, endpointId, connection } = await connected();
    const before = await connection();
    const request = { requestId: requestId(), serviceId, accountId: consumer.account, reconcile: Reconcile.DISCONNECT };
    const { preview, endpointIds } = await provider.provider.removeServiceUser({ ...request, dryRun: true }, CALL);
    expect(endpointIds).toEqual([endpointId]);
    expect(eventsOf(preview, 'endpointService')[0]).toBe('ServiceUserRemoved');
    expect(movesOf(preview, endpointId)).toEqual(['CONNECTED>DISCONNECTING']);
    expect(preview?.connectionIds).toEqual([endpointId]);
    expect(await connection()).toEqual(before);
    const { serviceUsers } = await provider.provider.listServiceUsers({ serviceId, pageSize: 0, pageToken: '' }, CALL);
    expect(serviceUsers.map(({ accountId }) => accountId)).toContain(consumer.account);
  });

  it('of a deletion is refused like it, and with force says what becomes of the connections', async () => {
    const { provider, serviceId, endpointId, connection } = await connected();
    const request = { requestId: requestId(), serviceId, dryRun: true };
    const refusal = refusalOf(provider.provider.deleteEndpointService({ ...request, force: false }, CALL));
    expect(await refusal).toMatchObject({ reason: 'ENDPOINT_SERVICE_IN_USE', facts: { connection_count: '1' } });
    const { preview } = await provider.provider.deleteEndpointService({ ...request, force: true }, CALL);
    expect(movesOf(preview, endpointId)).toEqual(['CONNECTED>SERVICE_DELETED']);
    expect((await connection())?.status).toBe(ConnectionStatus.CONNECTED);
    await provider.provider.getEndpointService({ serviceId }, CALL);
  });

  it('of a bill says whom it would cut off; of a lock, too', async () => {
    const { billing, operator, consumer, serviceId, endpointId, connection } = await connected();
    const scope = { scope: { $case: 'accountId', value: consumer.account } } as const;
    const bill = { requestId: requestId(), source: 'billing', scope, sequence: 1n, message: '', dryRun: true };
    const overdue = await billing.broker.reportPaymentOverdue(bill, CALL);
    expect(movesOf(overdue.preview, endpointId)).toEqual(['CONNECTED>DISCONNECTING']);
    const lock = { requestId: requestId(), serviceId, message: 'abuse', dryRun: true };
    const locked = await operator.provider.lockEndpointService(lock, CALL);
    expect(movesOf(locked.preview, endpointId)).toEqual(['CONNECTED>DISCONNECTING']);
    expect((await connection())?.status).toBe(ConnectionStatus.CONNECTED);
  });

  it('of what was done before says what was answered then, and that nothing would be done', async () => {
    const { provider, endpointId } = await connected();
    const pause = { requestId: requestId(), connectionId: endpointId, message: '' };
    const done = await provider.broker.pauseConnection(pause, CALL);
    const again = await provider.broker.pauseConnection({ ...pause, dryRun: true }, CALL);
    expect(again.revision).toBe(done.revision);
    expect(again.preview).toMatchObject({ events: [], connectionIds: [] });
    const resumed = await provider.broker.resumeConnection({ ...pause, dryRun: true }, CALL);
    expect(movesOf(resumed.preview, endpointId).length).toBeGreaterThan(0);
  });

  it('is refused to whom the request itself would be', async () => {
    const { endpointId, serviceId } = await connected();
    const stranger = await openActor(stage().run, 'provider');
    const pause = { requestId: requestId(), connectionId: endpointId, message: '', dryRun: true };
    expect(await refusalOf(stranger.broker.pauseConnection(pause, CALL))).toMatchObject({ code: 5 });
    const end = { requestId: requestId(), serviceId, force: true, dryRun: true };
    expect(await refusalOf(stranger.provider.deleteEndpointService(end, CALL))).toMatchObject({ code: 5 });
    stranger.close();
  });
};
