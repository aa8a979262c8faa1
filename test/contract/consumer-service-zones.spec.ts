import { status } from '@grpc/grpc-js';
import { ConnectionStatus, ZoneStatus } from '@privatelink/proto/broker/v1/connection';
import { EndpointStatus } from '@privatelink/proto/consumer/v1/endpoint';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reservationOf } from '../../services/consumer/src/vpc/vpc.ts';
import { endpointsOf } from '../../services/provider/src/service-admissions/service-admissions.ts';
import { type ConsumerStage, consumerStage } from './support/consumer-stage.ts';
import { changesNothing, commanding, newId, OTHER_ZONE, refusalOf, ZONE } from './support/given.ts';

let stage: ConsumerStage;
beforeAll(async () => {
  stage = await consumerStage();
});
afterAll(() => stage?.close());

const connected = async (): Promise<string> => {
  const endpointId = await stage.activeEndpoint();
  await stage.connect(endpointId);
  expect(await stage.get(endpointId)).toMatchObject({ usable: true });
  return endpointId;
};
const adding = (endpointId: string, ipv4Address = '') => ({
  ...stage.naming(endpointId),
  zone: { zoneId: '', vswitchId: stage.otherVSwitchId, ipv4Address, ipv6Address: '' },
});
const removing = (endpointId: string, zoneId = OTHER_ZONE, vswitchId = '') => ({
  ...{ ...stage.naming(endpointId), zoneId, vswitchId },
});
const reservation = async (endpointId: string) => reservationOf(await stage.ledger(), endpointId);
const addressesOf = async (endpointId: string) => (await reservation(endpointId))?.zones.map(({ ipv4 }) => ipv4);
const shown = async (endpointId: string) => {
  const endpoint = await stage.get(endpointId);
  return [endpoint?.status, ...(endpoint?.zones ?? []).map(({ zoneId, zoneStatus }) => [zoneId, zoneStatus])];
};

describe('a zone of a live connection', () => {
  it('is added: the endpoint is CHANGING until the connection serves it', async () => {
    const endpointId = await connected();
    const { endpoint } = await stage.consumer.addEndpointZone(adding(endpointId, '10.0.2.77'), {});
    expect(endpoint).toMatchObject({ status: EndpointStatus.CHANGING });
    const added = { zoneId: OTHER_ZONE, vswitchId: stage.otherVSwitchId, ipv4Address: '10.0.2.77', ipv6Address: '' };
    expect(endpoint?.zones[1]).toMatchObject(added);
    await stage.settle(endpointId);
    const connection = (await stage.services.broker.connections.fold(endpointId)).state;
    expect(connection).toMatchObject({ status: 'CHANGING', zones: { [OTHER_ZONE]: { ipv4: '10.0.2.77' } } });
    expect(connection.resources.map(({ resourceId }) => resourceId)).toContain('nlb-i');
    expect((await stage.get(endpointId))?.status).toBe(EndpointStatus.CHANGING);

    await stage.connect(endpointId);
    expect(await stage.get(endpointId)).toMatchObject({
      ...{ status: EndpointStatus.ACTIVE, connectionStatus: ConnectionStatus.CONNECTED, usable: true },
      zones: [{ zoneId: ZONE }, { ...added, zoneStatus: ZoneStatus.CONNECTED }],
    });
  });

  it('is removed: its interface is DELETING until the connection has let it go, and its address rests then', async () => {
    const endpointId = await connected();
    await stage.consumer.addEndpointZone(adding(endpointId, '10.0.2.88'), {});
    await stage.settle(endpointId);
    await stage.connect(endpointId);
    await stage.consumer.removeEndpointZone(removing(endpointId), {});
    await stage.settle(endpointId);
    expect(await shown(endpointId)).toEqual([
      EndpointStatus.CHANGING,
      [ZONE, ZoneStatus.CONNECTED],
      [OTHER_ZONE, ZoneStatus.DELETING],
    ]);
    expect(await addressesOf(endpointId)).toContain('10.0.2.88');

    await stage.connect(endpointId);
    await stage.settle(endpointId);
    expect(await shown(endpointId)).toEqual([EndpointStatus.ACTIVE, [ZONE, ZoneStatus.CONNECTED]]);
    expect(await addressesOf(endpointId)).toHaveLength(1);
    const again = await refusalOf(stage.consumer.addEndpointZone(adding(endpointId, '10.0.2.88'), {}));
    const facts = { why: 'RESTING', field: 'zone.ipv4_address' };
    expect(again).toMatchObject({ reason: 'REQUESTED_ADDRESS_UNAVAILABLE', facts });
  });

  it('that is removed and added before the broker is told ends as it was asked for last', async () => {
    const endpointId = await connected();
    await stage.consumer.addEndpointZone(adding(endpointId), {});
    await stage.consumer.removeEndpointZone(removing(endpointId), {});
    const early = await refusalOf(stage.consumer.addEndpointZone(adding(endpointId), {}));
    expect(early).toMatchObject({ code: status.FAILED_PRECONDITION, reason: 'ZONE_BEING_REMOVED' });
    await stage.settle(endpointId);
    await stage.connect(endpointId);
    await stage.settle(endpointId);
    expect(await shown(endpointId)).toEqual([EndpointStatus.ACTIVE, [ZONE, ZoneStatus.CONNECTED]]);
    await stage.consumer.addEndpointZone(adding(endpointId), {});
    expect((await stage.get(endpointId))?.zones).toHaveLength(2);
  });
});

describe('adding a zone', () => {
  it('that is there is success; otherwise than it is there it is refused', async () => {
    const { consumer, services } = stage;
    const endpointId = await connected();
    await consumer.addEndpointZone(adding(endpointId, '10.0.2.99'), {});
    for (const address of ['', '10.0.2.99']) {
      await changesNothing(services.consumer.store, () => consumer.addEndpointZone(adding(endpointId, address), {}));
    }
    const other = () => refusalOf(consumer.addEndpointZone(adding(endpointId, '10.0.2.98'), {}));
    const facts = { zone_id: OTHER_ZONE, vswitch_id: stage.otherVSwitchId, ipv4_address: '10.0.2.99' };
    expect(await changesNothing(services.consumer.store, other)).toMatchObject({
      ...{ code: status.ALREADY_EXISTS, reason: 'ZONE_ALREADY_ADDED', facts },
    });
  });

  it('is one request with its id: once, however often and at once it is sent', async () => {
    const endpointId = await connected();
    const request = adding(endpointId);
    const replies = await Promise.all([1, 2, 3].map(() => stage.consumer.addEndpointZone(request, {})));
    expect(new Set(replies.map(({ revision }) => revision)).size).toBe(1);
    expect(await addressesOf(endpointId)).toHaveLength(2);
    await stage.settle(endpointId);
    const { revision } = await stage.consumer.addEndpointZone(request, {});
    expect(revision).toBe(replies[0]?.revision);
  });

  it('that the service does not offer is refused, and nothing is reserved', async () => {
    const { provider, services } = stage;
    const other = {
      requestId: newId('r'),
      serviceType: 'ENDPOINT_TYPE_INTERFACE',
      addressType: 'ADDRESS_TYPE_IPV4',
      description: '',
    } as const;
    const made = await provider.createEndpointService(
      {
        ...{ ...other, autoAccept: true, payer: 'PAYER_ENDPOINT', tags: [] },
        resources: [
          {
            ...{
              resourceId: 'nlb-1',
              resourceType: 'RESOURCE_TYPE_NLB',
              zoneId: ZONE,
              vpcId: '',
              proxyProtocol: false,
            },
            targets: [{ ip: '10.0.1.10', port: 443 }],
          },
        ],
      },
      {},
    );
    const service = made.endpointService?.serviceId ?? '';
    await services.provider.lifecycle.settle(service);
    await provider.addServiceUser({ ...other, serviceId: service, accountId: '*', approvalTtl: undefined }, {});
    const endpointId = await stage.activeEndpoint({ service });
    const call = () => refusalOf(stage.consumer.addEndpointZone(adding(endpointId), {}));
    const refusal = await changesNothing(services.consumer.store, call);
    expect(refusal).toMatchObject({ reason: 'ZONE_NOT_OFFERED', facts: { zones: OTHER_ZONE, offered: ZONE } });
    const slots = (await services.provider.admissions.fold(service)).state;
    expect(endpointsOf(slots, '*')).toEqual([endpointId]);
  });

  it('of which only the reservation came about is undone; its request comes too late then', async () => {
    const { services, vpcId, otherVSwitchId: vswitchId } = stage;
    const endpointId = await connected();
    const eniId = newId('eni');
    const zone = { zoneId: '', vswitchId, eniId, requestedIpv4: '', requestedIpv6: '' };
    const reserve = { type: 'ReserveZone', data: { endpointId, zone, dualStack: false } } as const;
    const { latest } = await services.consumer.vpcs.execute(vpcId, reserve, commanding());
    const reserved = reservationOf(latest.state, endpointId)?.zones.find((each) => each.eniId === eniId);
    if (!reserved) throw new Error('not reserved');
    await stage.cleanUp(endpointId, eniId);
    expect(await addressesOf(endpointId)).toHaveLength(1);
    const add = {
      type: 'AddZone',
      data: { zone: reserved, requestedIpv4: '', requestedIpv6: '', resources: [], actor: 'user:carl' },
    } as const;
    await expect(services.consumer.endpoints.execute(endpointId, add, commanding())).rejects.toMatchObject({
      reason: 'ENDPOINT_CHANGE_ABANDONED',
    });
    await stage.consumer.addEndpointZone(adding(endpointId), {});
    expect(await addressesOf(endpointId)).toHaveLength(2);
  });

  it('that came about is left alone by the reconciler', async () => {
    const endpointId = await connected();
    const { endpoint } = await stage.consumer.addEndpointZone(adding(endpointId), {});
    const eniId = endpoint?.zones[1]?.eniId;
    expect(eniId).toBeDefined();
    await changesNothing(stage.services.consumer.store, () => stage.cleanUp(endpointId, eniId));
    await changesNothing(stage.services.consumer.store, () => stage.cleanUp(endpointId));
  });
});

describe('removing a zone', () => {
  it('that is not there is success, and the last one stays', async () => {
    const { consumer, services } = stage;
    const endpointId = await connected();
    for (const [zoneId, vswitchId] of [
      [OTHER_ZONE, ''],
      ['', stage.otherVSwitchId],
      [ZONE, stage.otherVSwitchId],
    ] as const) {
      const call = () => consumer.removeEndpointZone(removing(endpointId, zoneId, vswitchId), {});
      expect((await changesNothing(services.consumer.store, call)).endpoint?.zones).toHaveLength(1);
    }
    const last = () => refusalOf(consumer.removeEndpointZone(removing(endpointId, '', stage.vswitchId), {}));
    const facts = { zone_id: ZONE };
    expect(await changesNothing(services.consumer.store, last)).toMatchObject({ reason: 'LAST_ZONE', facts });
  });
});

describe('security groups', () => {
  const naming = (endpointId: string, securityGroupId: string) => ({ ...stage.naming(endpointId), securityGroupId });
  const deregister = (securityGroupId: string) =>
    stage.consumer.deregisterSecurityGroup({ requestId: '', vpcId: stage.vpcId, securityGroupId }, {});

  it('are attached and detached, and are in use in between', async () => {
    const { consumer, group, settle, get } = stage;
    const endpointId = await connected();
    const [one, two] = [await group(), await group()];
    const { endpoint } = await consumer.attachSecurityGroup(naming(endpointId, one), {});
    expect(endpoint).toMatchObject({ status: EndpointStatus.CHANGING, securityGroupIds: [stage.securityGroupId, one] });
    expect(await refusalOf(deregister(one))).toMatchObject({ reason: 'SECURITY_GROUP_IN_USE' });
    await consumer.attachSecurityGroup(naming(endpointId, two), {});
    await settle(endpointId);
    await consumer.detachSecurityGroup(naming(endpointId, one), {});
    await settle(endpointId);
    expect(await get(endpointId)).toMatchObject({
      ...{ status: EndpointStatus.ACTIVE, securityGroupIds: [stage.securityGroupId, two] },
    });
    await deregister(one);
    const gone = await refusalOf(consumer.attachSecurityGroup(naming(endpointId, one), {}));
    const facts = { security_group_id: one, field: 'security_group_id' };
    expect(gone).toMatchObject({ code: status.NOT_FOUND, reason: 'SECURITY_GROUP_NOT_FOUND', facts });
  });

  it('that are attached again before they are released stay in use', async () => {
    const { consumer, group, settle } = stage;
    const endpointId = await connected();
    const one = await group();
    await consumer.attachSecurityGroup(naming(endpointId, one), {});
    await consumer.detachSecurityGroup(naming(endpointId, one), {});
    await consumer.attachSecurityGroup(naming(endpointId, one), {});
    await settle(endpointId);
    expect(await refusalOf(deregister(one))).toMatchObject({ reason: 'SECURITY_GROUP_IN_USE' });
    await consumer.detachSecurityGroup(naming(endpointId, one), {});
    await settle(endpointId);
    await deregister(one);
  });

  it('stay one at least; what is so already is success', async () => {
    const { consumer, services, securityGroupId } = stage;
    const endpointId = await connected();
    const last = () => refusalOf(consumer.detachSecurityGroup(naming(endpointId, securityGroupId), {}));
    const facts = { security_group_id: securityGroupId };
    expect(await changesNothing(services.consumer.store, last)).toMatchObject({ reason: 'LAST_SECURITY_GROUP', facts });
    const { store } = services.consumer;
    await changesNothing(store, () => consumer.attachSecurityGroup(naming(endpointId, securityGroupId), {}));
    const absent = newId('sg');
    await changesNothing(store, () => consumer.detachSecurityGroup(naming(endpointId, absent), {}));
  });

  it('of which only the reservation came about are undone', async () => {
    const { services, vpcId, group } = stage;
    const endpointId = await connected();
    const securityGroupId = await group();
    const data = { endpointId, securityGroupId, attachmentId: newId('sga') };
    await services.consumer.vpcs.execute(vpcId, { type: 'ReserveSecurityGroup', data }, commanding());
    expect(await refusalOf(deregister(securityGroupId))).toMatchObject({ reason: 'SECURITY_GROUP_IN_USE' });
    await stage.cleanUp(endpointId, data.attachmentId);
    await deregister(securityGroupId);
  });
});

describe('changes of one endpoint that are asked for at once', () => {
  it('all come about, and nobody is told to try again', async () => {
    const { consumer, group, naming } = stage;
    const endpointId = await connected();
    const groups = [await group(), await group(), await group()];
    await Promise.all([
      consumer.addEndpointZone(adding(endpointId), {}),
      ...groups.map((securityGroupId) => consumer.attachSecurityGroup({ ...naming(endpointId), securityGroupId }, {})),
      consumer.updateEndpoint({ ...naming(endpointId), description: 'new', tags: undefined, protected: undefined }, {}),
    ]);
    await stage.settle(endpointId);
    await stage.connect(endpointId);
    const endpoint = await stage.get(endpointId);
    expect(endpoint).toMatchObject({ status: EndpointStatus.ACTIVE, description: 'new', usable: true });
    expect(endpoint?.zones.map(({ zoneId }) => zoneId)).toEqual([ZONE, OTHER_ZONE]);
    expect([...(endpoint?.securityGroupIds ?? [])].sort()).toEqual([stage.securityGroupId, ...groups].sort());
  });
});

describe('its deletion', () => {
  it('in the middle of a change releases everything', async () => {
    const endpointId = await connected();
    await stage.consumer.addEndpointZone(adding(endpointId), {});
    await stage.settle(endpointId);
    await stage.consumer.removeEndpointZone(removing(endpointId), {});
    await stage.consumer.deleteEndpoint({ ...stage.naming(endpointId), force: false }, {});
    await stage.settle(endpointId);
    await stage.connect(endpointId);
    await stage.settle(endpointId);
    expect(await reservation(endpointId)).toBeNull();
    expect(await refusalOf(stage.consumer.getEndpoint({ endpointId }, {}))).toMatchObject({
      reason: 'ENDPOINT_NOT_FOUND',
    });
    const slots = (await stage.services.provider.admissions.fold(stage.serviceId)).state;
    expect(endpointsOf(slots, '*')).not.toContain(endpointId);
  });
});
