import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ConsumerStage, consumerStage } from './support/consumer-stage.ts';
import {
  activeService,
  CONSUMER,
  calling,
  changesNothing,
  newId,
  OTHER_ZONE,
  refusalOf,
  ZONE,
} from './support/given.ts';

let stage: ConsumerStage;
beforeAll(async () => {
  stage = await consumerStage();
});
afterAll(() => stage?.close());

/** Lets everything go on until the endpoint and its connection rest. */
const settle = async (endpointId: string): Promise<void> => {
  await stage.settle(endpointId);
  await stage.connect(endpointId);
  await stage.settle(endpointId);
};

const zones = () => [stage.vswitchId, stage.otherVSwitchId].map((vswitchId) => zoneIn(vswitchId));
const zoneIn = (vswitchId: string) => ({ zoneId: '', vswitchId, ipv4Address: '', ipv6Address: '' });

/** Connected in both zones; null: as the service has it. */
const connected = async (zoneAffinity: boolean | null): Promise<string> => {
  const said = zoneAffinity === null ? {} : { zoneAffinity };
  const endpointId = await stage.activeEndpoint({ zones: zones(), ...said });
  await settle(endpointId);
  return endpointId;
};

const toggle = async (endpointId: string, zoneAffinity: boolean) =>
  (await stage.consumer.updateEndpoint({ ...stage.naming(endpointId), tags: undefined, zoneAffinity }, {})).endpoint;

const ofService = (zoneAffinity: boolean) =>
  stage.provider.updateEndpointService(
    { requestId: newId('r'), serviceId: stage.serviceId, tags: undefined, zoneAffinity },
    {},
  );

/** Its addresses in both zones, and how clients in them, in any zone, and elsewhere are answered. */
const seen = async (endpointId: string) => {
  const endpoint = await stage.get(endpointId);
  const ask = (vpcId: string | null, zoneId: string) => {
    const { records } = stage.services.dns.askIn(vpcId, zoneId)(endpoint?.domainName ?? '', 'A');
    return [...records].sort();
  };
  return {
    all: endpoint?.zones.map(({ ipv4Address }) => ipv4Address) ?? [],
    near: [ask(stage.vpcId, ZONE), ask(stage.vpcId, OTHER_ZONE)],
    others: [ask(stage.vpcId, ''), ask(null, '')],
  };
};

const expectNear = async (endpointId: string, isNear: boolean): Promise<void> => {
  const { all, near, others } = await seen(endpointId);
  expect(all).toHaveLength(2);
  expect({ near, others }).toEqual({ near: isNear ? all.map((one) => [one]) : [all, all], others: [all, all] });
};

describe('zone affinity', () => {
  it('is off for a service and its endpoints unless somebody says otherwise', async () => {
    const { endpointService } = await stage.provider.getEndpointService({ serviceId: stage.serviceId }, {});
    expect(endpointService?.zoneAffinity).toBe(false);
    await expectNear(await connected(null), false);
    const near = await connected(true);
    await expectNear(near, true);
    expect(await stage.get(near)).toMatchObject({ zoneAffinity: true, usable: true });
    const { connection } = await stage.services.clients.broker.getConnection({ connectionId: near }, calling());
    expect(connection?.zoneAffinity).toBe(true);
  });

  it('of a service is that of endpoints created from then on, unless they say otherwise', async () => {
    const before = await connected(null);
    expect((await ofService(true)).endpointService?.zoneAffinity).toBe(true);
    await stage.services.provider.lifecycle.settle(stage.serviceId);
    await expectNear(before, false);
    await expectNear(await connected(null), true);
    await expectNear(await connected(false), false);
    await ofService(false);
    await stage.services.provider.lifecycle.settle(stage.serviceId);
  });

  it('is switched on and off later; each is a change that ends', async () => {
    const endpointId = await connected(null);
    expect((await toggle(endpointId, true))?.status).toBe('ENDPOINT_STATUS_CHANGING');
    await settle(endpointId);
    expect(await stage.get(endpointId)).toMatchObject({ status: 'ENDPOINT_STATUS_ACTIVE', usable: true });
    await expectNear(endpointId, true);
    await changesNothing(stage.services.consumer.store, () => toggle(endpointId, true));
    await toggle(endpointId, false);
    await settle(endpointId);
    await expectNear(endpointId, false);
  });

  it('asked for again late, with the same request id, changes nothing', async () => {
    const endpointId = await connected(null);
    const request = { ...stage.naming(endpointId), tags: undefined, zoneAffinity: true };
    await stage.consumer.updateEndpoint(request, {});
    await settle(endpointId);
    await toggle(endpointId, false);
    await settle(endpointId);
    await changesNothing(stage.services.consumer.store, () => stage.consumer.updateEndpoint(request, {}));
    await expectNear(endpointId, false);
  });

  it('leads to other zones where the near one is gone', async () => {
    const endpointId = await connected(true);
    const [, left] = (await seen(endpointId)).all;
    const removal = { ...stage.naming(endpointId), zoneId: ZONE, vswitchId: '' };
    await stage.consumer.removeEndpointZone(removal, {});
    await settle(endpointId);
    expect((await seen(endpointId)).near).toEqual([[left], [left]]);
  });

  it('is not for gateway endpoints', async () => {
    const serviceId = await activeService(stage.services, true, undefined, 'GATEWAY_LOAD_BALANCER');
    const creating = stage.creation({
      ...{ service: serviceId, endpointType: 'ENDPOINT_TYPE_GATEWAY_LOAD_BALANCER', securityGroupIds: [] },
      zoneAffinity: true,
    });
    expect(await refusalOf(stage.consumer.createEndpoint(creating, {}))).toMatchObject({
      ...{ code: status.FAILED_PRECONDITION, reason: 'ENDPOINT_TYPE_MISMATCH', facts: { field: 'zone_affinity' } },
    });
  });
});

describe('LookupDomain in a zone', () => {
  it('answers as the name server of that zone does, and only to whoever may see the VPC', async () => {
    const endpointId = await connected(true);
    const { domainName = '', zones: shown = [] } = (await stage.get(endpointId)) ?? {};
    const [here = '', there = ''] = shown.map(({ ipv4Address }) => ipv4Address);
    const { dns } = await stage.services.clientsOf(CONSUMER, 'consumer');
    const stranger = await stage.services.clientsOf('3000000000000003', 'consumer');
    const asked = (api: typeof dns, zoneId: string) =>
      api.lookupDomain({ domainName, recordType: 'A', vpcId: stage.vpcId, zoneId }, {});
    expect((await asked(dns, ZONE)).records).toEqual([here]);
    expect((await asked(dns, OTHER_ZONE)).records).toEqual([there]);
    for (const zoneId of ['', 'cn-elsewhere-a']) expect((await asked(dns, zoneId)).records).toEqual([here, there]);
    expect((await asked(stranger.dns, ZONE)).records).toEqual([here, there]);
    const nowhere = { domainName, recordType: 'A', vpcId: '', zoneId: ZONE };
    const refusal = await refusalOf(dns.lookupDomain(nowhere, {}));
    expect(refusal.violations.map(({ field }) => field)).toEqual(['vpc_id']);
  });
});
