import { expect, it } from 'vitest';
import { typeOf } from '../../support/event-log.ts';
import {
  acceptRequest,
  createEndpoint,
  endpointRequest,
  publishService,
  refusalOf,
  registerNetwork,
  resourceAt,
} from '../../support/scenario.ts';
import type { Stage } from '../../support/stage.ts';
import { CALL, requestId } from '../../support/world.ts';

export const services = (stage: () => Stage): void => {
  it('lose an unused resource, keep the last one that endpoints are on, and let them move to another', async () => {
    const { cast, log, follow } = stage();
    const { provider, consumer } = await cast();
    const [zoneId] = ['cn-hangzhou-h'];
    const zones = [zoneId];
    const users = [consumer.account];
    const service = await publishService(provider, log, { autoAccept: true, zones, resourcesPerZone: 2, users });
    const { serviceId } = service;
    const network = await registerNetwork(consumer, { zones });
    const { endpointId } = await createEndpoint(consumer, endpointRequest(service, network));
    const connection = follow(provider, endpointId);
    const inUse = (await connection.reaches('CONNECTED'))?.zones[0]?.resourceId ?? '';
    expect(inUse).toBe('nlb-1');

    const detach = (resourceId: string) =>
      provider.provider.detachResource({ requestId: requestId(), serviceId, resourceId, zoneId }, CALL);
    await detach('nlb-2');
    await log.records('endpointService', serviceId, 'ResourceDetached');
    const refusal = await refusalOf(detach(inUse));
    expect(refusal).toMatchObject({
      code: 9,
      reason: 'RESOURCE_IN_USE',
      facts: { resource_id: inUse, endpoint_count: '1', endpoints: endpointId },
    });
    const { endpointService } = await provider.provider.getEndpointService({ serviceId }, CALL);
    expect(endpointService?.resources.map(({ resourceId }) => resourceId)).toEqual(['nlb-1']);

    const resource = resourceAt({ zone: zoneId, ip: '192.168.0.11', port: 8080 }, 'nlb-3');
    await provider.provider.attachResource({ requestId: requestId(), serviceId, resource }, CALL);
    await detach(inUse);
    await log.records('connection', endpointId, 'ChangeCompleted');
    const { connection: moved } = await provider.broker.getConnection({ connectionId: endpointId }, CALL);
    expect([moved?.status, moved?.zones[0]?.resourceId]).toEqual(['CONNECTION_STATUS_CONNECTED', 'nlb-3']);
    expect(log.of('connection', endpointId).map(typeOf)).not.toContain('DisconnectingStarted');

    await consumer.consumer.deleteEndpoint({ requestId: requestId(), endpointId, force: false }, CALL);
    await connection.reaches('GONE');
    await log.records('allocation', `${serviceId}+${zoneId}`, 'ResourceUnassigned');
    await detach('nlb-3');
    const without = await provider.provider.getEndpointService({ serviceId }, CALL);
    expect(without.endpointService?.resources).toEqual([]);
    const again = endpointRequest(service, await registerNetwork(consumer, { zones }));
    expect((await refusalOf(consumer.consumer.createEndpoint(again, CALL))).reason).toBe('NO_AVAILABLE_RESOURCE');
  });

  it('lose a resource that only a zone was on which the endpoint has no more', async () => {
    const { cast, log, follow } = stage();
    const { provider, consumer } = await cast();
    const zones = ['cn-hangzhou-h', 'cn-hangzhou-i'];
    const [zoneId = ''] = zones;
    const service = await publishService(provider, log, { autoAccept: true, zones, users: [consumer.account] });
    const { serviceId } = service;
    const network = await registerNetwork(consumer, { zones });
    const { endpointId } = await createEndpoint(consumer, endpointRequest(service, network));
    const connection = follow(provider, endpointId);
    const zone = (await connection.reaches('CONNECTED'))?.zones.find((one) => one.zoneId === zoneId);
    const removal = { requestId: requestId(), endpointId, zoneId, vswitchId: '' };
    await consumer.consumer.removeEndpointZone(removal, CALL);
    await log.records('allocation', `${serviceId}+${zoneId}`, 'ResourceUnassigned');
    const resourceId = zone?.resourceId ?? '';
    await provider.provider.detachResource({ requestId: requestId(), serviceId, resourceId, zoneId }, CALL);
    await log.records('endpointService', serviceId, 'ResourceDetached');
  });

  it('go without force while only waiting endpoints are there, and those outlive them', async () => {
    const { cast, log, lookup, follow } = stage();
    const { provider, consumer } = await cast();
    const service = await publishService(provider, log, { users: [consumer.account] });
    const { serviceId } = service;
    const endpoint = await createEndpoint(consumer, endpointRequest(service, await registerNetwork(consumer)));
    const { endpointId, domainName } = endpoint;
    const connection = follow(consumer, endpointId);
    await connection.reaches('DISCONNECTED');
    await provider.provider.deleteEndpointService({ requestId: requestId(), serviceId, force: false }, CALL);
    await connection.reaches('SERVICE_DELETED');
    await log.records('endpointService', serviceId, 'EndpointServiceDeleted');
    const accept = acceptRequest(endpointId);
    expect((await refusalOf(provider.broker.acceptConnection(accept, CALL))).reason).toBe('CONNECTION_STATUS_CONFLICT');
    expect(await lookup(domainName)).toBe('NODATA');
    await consumer.consumer.deleteEndpoint({ requestId: requestId(), endpointId, force: false }, CALL);
    await connection.reaches('GONE');
  });

  it('lose an endpoint that is deleted while it waits, with its names, addresses and slot', async () => {
    const { cast, log, lookup, follow } = stage();
    const { provider, consumer } = await cast();
    const service = await publishService(provider, log, { users: [consumer.account] });
    const network = await registerNetwork(consumer);
    const { endpointId, domainName } = await createEndpoint(consumer, endpointRequest(service, network));
    const connection = follow(consumer, endpointId);
    await connection.reaches('DISCONNECTED');
    await log.records('connection', endpointId, 'NamesWithdrawn');
    expect(await lookup(domainName)).toBe('NODATA');

    await consumer.consumer.deleteEndpoint({ requestId: requestId(), endpointId, force: false }, CALL);
    await connection.reaches('GONE');
    expect(await lookup(domainName)).toBe('NXDOMAIN');
    await log.records('vpc', network.vpcId, 'ReservationReleased');
    await log.records('serviceAdmissions', service.serviceId, 'AdmissionReleased');
    expect((await refusalOf(consumer.consumer.getEndpoint({ endpointId }, CALL))).code).toBe(5);
    const moves = log.of('connection', endpointId).flatMap(({ move }) => (move ? [move.to] : []));
    expect(moves).toEqual(['DISCONNECTED', 'DELETING', 'GONE']);
    const twice = await consumer.consumer.deleteEndpoint({ requestId: requestId(), endpointId, force: false }, CALL);
    expect(twice.endpoint?.endpointId).toBe(endpointId);
    expect(log.of('endpoint', endpointId).map(typeOf).at(-1)).toBe('EndpointDeleted');
  });
};
