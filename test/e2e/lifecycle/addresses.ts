import { expect, it } from 'vitest';
import { typeOf } from '../../support/event-log.ts';
import {
  addressesOf,
  createEndpoint,
  endpointRequest,
  publishService,
  refusalOf,
  registerNetwork,
  reportPayment,
} from '../../support/scenario.ts';
import type { Stage } from '../../support/stage.ts';
import { CALL, requestId } from '../../support/world.ts';

export const addresses = (stage: () => Stage): void => {
  it("answer by the endpoint's name and each by its zone's, as long as it is connected", async () => {
    const { cast, log, lookup, follow } = stage();
    const { provider, consumer, billing } = await cast();
    const service = await publishService(provider, log, { autoAccept: true, users: [consumer.account] });
    const endpoint = await createEndpoint(consumer, endpointRequest(service, await registerNetwork(consumer)));
    const { endpointId, domainName, zones } = endpoint;
    const connection = follow(consumer, endpointId);
    const expectAnswers = async (answers: boolean) => {
      expect(await lookup(domainName)).toEqual(answers ? addressesOf(endpoint) : 'NODATA');
      for (const zone of zones) expect(await lookup(zone.domainName)).toEqual(answers ? [zone.ipv4Address] : 'NODATA');
    };
    await connection.reaches('CONNECTED');
    await expectAnswers(true);
    for (const name of [domainName, ...zones.map((zone) => zone.domainName)]) {
      expect(await lookup(name, 'AAAA')).toBe('NODATA');
      expect(await lookup(`x${name}`)).toBe('NXDOMAIN');
    }
    for (let round = 0; round < 2; round++) {
      await reportPayment(billing, 'overdue', endpointId);
      await connection.reaches('DISCONNECTED');
      await expectAnswers(false);
      await reportPayment(billing, 'settled', endpointId);
      await connection.reaches('CONNECTED');
      await expectAnswers(true);
    }
    const now = await consumer.consumer.getEndpoint({ endpointId }, CALL);
    expect(addressesOf(now.endpoint ?? { zones: [] })).toEqual(addressesOf(endpoint));
  });

  it('rest when released, and are not given to the next one', async () => {
    const { cast, log } = stage();
    const { provider, consumer } = await cast();
    const service = await publishService(provider, log, { users: [consumer.account] });
    const network = await registerNetwork(consumer);
    const first = await createEndpoint(consumer, endpointRequest(service, network));
    await consumer.consumer.deleteEndpoint(
      { requestId: requestId(), endpointId: first.endpointId, force: false },
      CALL,
    );
    await log.records('vpc', network.vpcId, 'ReservationReleased');
    const second = await createEndpoint(consumer, endpointRequest(service, network));
    expect(addressesOf(second).filter((address) => addressesOf(first).includes(address))).toEqual([]);

    const wanting = endpointRequest(service, network);
    const zones = wanting.zones.map((zone, index) => ({ ...zone, ipv4Address: first.zones[index]?.ipv4Address ?? '' }));
    const refusal = await refusalOf(consumer.consumer.createEndpoint({ ...wanting, zones }, CALL));
    expect(refusal).toMatchObject({ reason: 'REQUESTED_ADDRESS_UNAVAILABLE', facts: { why: 'RESTING' } });
  });

  it('are distinct for 100 endpoints created at once in one vSwitch', async () => {
    const { cast, log } = stage();
    const { provider, consumer } = await cast();
    const zones = ['cn-hangzhou-h'];
    const service = await publishService(provider, log, { autoAccept: true, zones, users: [consumer.account] });
    const network = await registerNetwork(consumer, { zones });
    const created = await Promise.all(
      Array.from({ length: 100 }, () => createEndpoint(consumer, endpointRequest(service, network))),
    );
    expect(new Set(created.flatMap(addressesOf)).size).toBe(100);
    const ids = new Set(created.map(({ endpointId }) => endpointId));
    const established = (event: Parameters<typeof typeOf>[0] & { owner: string }) =>
      ids.has(event.owner) && typeOf(event) === 'ConnectionEstablished';
    await log.until((history) => history.filter(established).length === 100, '100 connections');
  });

  it('of a full vSwitch: a clean refusal that leaves no address, name or slot', async () => {
    const { cast, log } = stage();
    const { provider, consumer } = await cast();
    const zones = ['cn-hangzhou-h'];
    const service = await publishService(provider, log, { autoAccept: true, zones, users: [consumer.account] });
    const network = await registerNetwork(consumer, { zones, prefix: 29 });
    const requests = Array.from({ length: 6 }, () => endpointRequest(service, network));
    const outcomes = await Promise.allSettled(
      requests.map((request) => consumer.consumer.createEndpoint(request, CALL)),
    );
    // Eight addresses, of which the first four and the last are never given out.
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
    const after = endpointRequest(service, network);
    expect(await refusalOf(consumer.consumer.createEndpoint(after, CALL))).toMatchObject({
      code: 8,
      reason: 'ADDRESS_EXHAUSTED',
      facts: { vswitch_id: network.vswitches['cn-hangzhou-h'] },
    });
    const reserved = log.of('vpc', network.vpcId).filter((event) => typeOf(event) === 'EndpointReserved');
    expect(reserved).toHaveLength(3);
    const holders = new Set(reserved.map(({ data }) => data['endpointId']));
    const slots = () =>
      log.of('serviceAdmissions', service.serviceId).reduce((held, event) => {
        const endpointId = String(event.data['endpointId']);
        if (typeOf(event) === 'EndpointAdmitted') held.add(endpointId);
        else held.delete(endpointId);
        return held;
      }, new Set<string>());
    await log.until(() => slots().size === 3, 'the slots of those refused are released');
    expect(slots()).toEqual(holders);
    const named = () =>
      log.all.filter(
        ({ category, data }) => category === 'nameSet' && JSON.stringify(data).includes(service.serviceId),
      );
    await log.until(() => new Set(named().map(({ owner }) => owner)).size >= 3, 'names of those created');
    expect(new Set(named().map(({ owner }) => owner))).toEqual(holders);
  });
};
