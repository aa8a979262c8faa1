import { ConnectionStatus } from '@privatelink/proto/broker/v1/connection';
import { AddressType, EndpointType } from '@privatelink/proto/common/v1/common';
import { expect, it } from 'vitest';
import { typeOf } from '../../support/event-log.ts';
import { createEndpoint, endpointRequest, publishService, refusalOf, registerNetwork } from '../../support/scenario.ts';
import { CALL, requestId } from '../../support/world.ts';
import type { Race } from '../races.e2e.spec.ts';

const NEVER_SEEN = ['ep-aaaaaaaaaaaaaaaaaaa1', 'ep-aaaaaaaaaaaaaaaaaaa2'] as const;

export const firstContact = (race: () => Race): void => {
  /** The broker's own calls, as the consumer service makes them. */
  const calls = async (endpointId: string) => {
    const { cast, log } = race();
    const { provider, consumer, service: consumerService } = await cast();
    const { serviceId } = await publishService(provider, log, { autoAccept: true, users: [consumer.account] });
    const endpoint = { endpointId, accountId: consumer.account };
    const applicant = {
      ...endpoint,
      service: serviceId,
      endpointType: EndpointType.INTERFACE,
      addressType: AddressType.IPV4,
    };
    const { admission } = await consumerService.provider.admitEndpoint(
      { ...applicant, zoneIds: ['cn-hangzhou-h'] },
      CALL,
    );
    await consumerService.provider.releaseAdmission({ serviceId, endpointId }, CALL);
    const zones = [
      { zoneId: 'cn-hangzhou-h', eniId: 'eni-aaaaaaaaaaaaaaaaaaaa', ipv4Address: '10.0.1.4', ipv6Address: '' },
    ];
    const request = {
      ...endpoint,
      vpcId: 'vpc-aaaaaaaaaaaaaaaaaaaa',
      zones,
      admission,
      actor: 'user:carl',
      customDomainNames: [],
      zoneAffinity: false,
      targets: [],
    };
    return {
      consumer,
      ask: () => consumerService.broker.requestConnection(request, CALL),
      end: () => consumerService.broker.deleteConnection({ endpointId, actor: 'user:carl' }, CALL),
    };
  };

  it('the end before the request: the late request is absorbed', async () => {
    const { log } = race();
    const [endpointId] = NEVER_SEEN;
    const { consumer, ask, end } = await calls(endpointId);
    expect(await end()).toEqual({ deleted: true });
    expect((await ask()).status).toBe(ConnectionStatus.DELETING);
    await log.records('connection', endpointId, 'ConnectionDeleted');
    expect((await refusalOf(consumer.broker.getConnection({ connectionId: endpointId }, CALL))).code).toBe(5);
    expect(log.of('connection', endpointId).map(typeOf)).toEqual(['ConnectionDeleted']);
    expect(log.of('nameSet', endpointId)).toEqual([]);
  });

  it('the request before the end, each twice: connected once, and gone', async () => {
    const { log } = race();
    const endpointId = NEVER_SEEN[1];
    const { ask, end } = await calls(endpointId);
    await Promise.all([ask(), ask()]);
    await log.records('connection', endpointId, 'ConnectionEstablished');
    await Promise.all([end(), end()]);
    await log.records('connection', endpointId, 'ConnectionDeleted');
    const moves = log.of('connection', endpointId).flatMap(({ move }) => (move ? [move.to] : []));
    expect(moves).toEqual(['CONNECTING', 'CONNECTED', 'DELETING', 'GONE']);
    expect((await ask()).status).toBe(ConnectionStatus.DELETING);
  });

  it('created and deleted while the broker is away: it ends when the broker is back', async () => {
    const { cast, system, log } = race();
    const { provider, consumer } = await cast();
    const service = await publishService(provider, log, { autoAccept: true, users: [consumer.account] });
    const network = await registerNetwork(consumer);
    await system.stopProcess('broker-1');
    const { endpointId } = await createEndpoint(consumer, endpointRequest(service, network));
    await consumer.consumer.deleteEndpoint({ requestId: requestId(), endpointId, force: false }, CALL);
    expect(log.of('connection', endpointId)).toEqual([]);
    await system.startProcess('broker-1');
    await log.records('endpoint', endpointId, 'EndpointDeleted');
    await log.records('vpc', network.vpcId, 'ReservationReleased');
    expect(log.of('connection', endpointId).findLast(({ move }) => move)?.move?.to).toBe('GONE');
  });
};
