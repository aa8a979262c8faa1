import { status } from '@grpc/grpc-js';
import { AddressType } from '@privatelink/proto/common/v1/common';
import { EndpointStatus } from '@privatelink/proto/consumer/v1/endpoint';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ConsumerStage, consumerStage } from './support/consumer-stage.ts';
import { changesNothing, commanding, newId, OTHER_ZONE, refusalOf, ZONE } from './support/given.ts';

let stage: ConsumerStage;
/** A VPC with IPv6, in which one vSwitch has none. */
let vpcId: string;
let vswitches: Readonly<Record<string, string>>;
let bare: string;
let securityGroupId: string;

beforeAll(async () => {
  stage = await consumerStage();
  const { consumer } = stage;
  const { vpc } = await consumer.registerVpc(
    { requestId: newId('r'), ipv4Cidr: '10.0.0.0/16', ipv6Cidr: 'fd00:1::/56' },
    {},
  );
  vpcId = vpc?.vpcId ?? '';
  const subnet = async (zoneId: string, net: number, ipv6Cidr: string): Promise<string> => {
    const said = { requestId: newId('r'), vpcId, zoneId, ipv4Cidr: `10.0.${net}.0/24`, ipv6Cidr };
    return (await consumer.registerVSwitch(said, {})).vswitch?.vswitchId ?? '';
  };
  vswitches = {
    [ZONE]: await subnet(ZONE, 1, 'fd00:1:0:1::/64'),
    [OTHER_ZONE]: await subnet(OTHER_ZONE, 2, 'fd00:1:0:2::/64'),
  };
  bare = await subnet(OTHER_ZONE, 3, '');
  const group = await consumer.registerSecurityGroup({ requestId: newId('r'), vpcId, rules: [] }, {});
  securityGroupId = group.securityGroup?.securityGroupId ?? '';
});
afterAll(() => stage?.close());

const zoneIn = (vswitchId = '', ipv6Address = '') => ({ zoneId: '', vswitchId, ipv4Address: '', ipv6Address });
const dual = (ipv6Address = '') => ({
  ...{ addressType: AddressType.DUAL_STACK, vpcId, securityGroupIds: [securityGroupId] },
  zones: [zoneIn(vswitches[ZONE], ipv6Address)],
});
const enable = (addressType: 'ADDRESS_TYPE_IPV4' | 'ADDRESS_TYPE_DUAL_STACK') =>
  stage.provider.updateEndpointService(
    { requestId: newId('r'), serviceId: stage.serviceId, tags: undefined, addressType },
    {},
  );
const refused = (request: object) =>
  changesNothing(stage.services.provider.store, () =>
    refusalOf(stage.consumer.createEndpoint(stage.creation(request), {})),
  );

describe('a dual-stack endpoint', () => {
  it('is refused by a service, a VPC and a vSwitch without IPv6, and is told which', async () => {
    const unavailable = { code: status.FAILED_PRECONDITION, reason: 'DUAL_STACK_UNAVAILABLE' };
    expect(await refused(dual())).toMatchObject({
      ...{ ...unavailable, facts: { missing: 'SERVICE', service_id: stage.serviceId, field: 'address_type' } },
    });
    await enable('ADDRESS_TYPE_DUAL_STACK');
    await stage.services.provider.lifecycle.settle(stage.serviceId);
    expect(await refused({ addressType: AddressType.DUAL_STACK })).toMatchObject({
      ...{ ...unavailable, facts: { missing: 'VPC', vpc_id: stage.vpcId, field: 'vpc_id' } },
    });
    expect(await refused({ ...dual(), zones: [zoneIn(vswitches[ZONE]), zoneIn(bare)] })).toMatchObject({
      ...{ ...unavailable, facts: { missing: 'VSWITCH', vswitch_id: bare, field: 'zones[1].vswitch_id' } },
    });
  });

  it('of a service that is so has an address of each family in each zone, and its names answer both', async () => {
    const endpointId = await stage.activeEndpoint(dual('FD00:1:0:1:0::5'));
    await stage.connect(endpointId);
    await stage.consumer.addEndpointZone(
      { ...stage.naming(endpointId), zone: zoneIn(vswitches[OTHER_ZONE], 'fd00:1:0:2::9') },
      {},
    );
    await stage.settle(endpointId);
    await stage.connect(endpointId);
    const endpoint = await stage.get(endpointId);
    expect(endpoint).toMatchObject({
      ...{ addressType: AddressType.DUAL_STACK, usable: true },
      zones: [{ ipv6Address: 'fd00:1:0:1::5' }, { ipv6Address: 'fd00:1:0:2::9' }],
    });
    const { ask } = stage.services.dns;
    const v4 = endpoint?.zones.map(({ ipv4Address }) => ipv4Address);
    expect([...ask(endpoint?.domainName ?? '', 'A').records].sort()).toEqual(v4);
    expect([...ask(endpoint?.domainName ?? '', 'AAAA').records].sort()).toEqual(['fd00:1:0:1::5', 'fd00:1:0:2::9']);
    expect(ask(endpoint?.zones[1]?.domainName ?? '', 'AAAA').records).toEqual(['fd00:1:0:2::9']);
    const connection = (await stage.services.broker.connections.fold(endpointId)).state;
    expect(connection.zones[OTHER_ZONE]).toMatchObject({ ipv6: 'fd00:1:0:2::9' });
  });

  it('has an address of its own, which rests like any other', async () => {
    const endpointId = await stage.activeEndpoint(dual('fd00:1:0:1::7'));
    const wanted = () => refused(dual('fd00:1:0:1:0:0:0:7'));
    const facts = { vswitch_id: vswitches[ZONE], ipv6_address: 'fd00:1:0:1::7', field: 'zones[0].ipv6_address' };
    const unavailable = { code: status.FAILED_PRECONDITION, reason: 'REQUESTED_ADDRESS_UNAVAILABLE' };
    expect(await wanted()).toMatchObject({ ...unavailable, facts: { ...facts, why: 'IN_USE' } });
    await stage.consumer.deleteEndpoint({ ...stage.naming(endpointId), force: false }, {});
    await stage.settle(endpointId);
    await stage.connect(endpointId);
    await stage.settle(endpointId);
    expect(await wanted()).toMatchObject({ ...unavailable, facts: { ...facts, why: 'RESTING' } });
  });

  it('is what an IPv6 address is asked for with', async () => {
    const v4 = { ...dual('fd00:1:0:1::8'), addressType: AddressType.IPV4 };
    expect(await refused(v4)).toMatchObject({
      ...{ reason: 'REQUESTED_ADDRESS_UNAVAILABLE', facts: { why: 'NOT_DUAL_STACK' } },
    });
  });
});

describe('an endpoint that becomes dual stack', () => {
  const become = (endpointId: string, addressType: AddressType = AddressType.DUAL_STACK) =>
    stage.consumer.updateEndpoint({ ...stage.naming(endpointId), tags: undefined, addressType }, {});
  const there = (change: object = {}) => stage.activeEndpoint({ ...dual(), addressType: AddressType.IPV4, ...change });

  it('has IPv6 addresses in the ledger, forwarding for them, and names that answer both, and stays so', async () => {
    await enable('ADDRESS_TYPE_DUAL_STACK');
    const endpointId = await there();
    await stage.connect(endpointId);
    const before = (await stage.services.broker.connections.fold(endpointId)).state;
    expect([before.status, before.zones[ZONE]?.ipv6]).toEqual(['CONNECTED', '']);

    const { endpoint } = await become(endpointId);
    const ipv6 = endpoint?.zones[0]?.ipv6Address ?? '';
    expect(ipv6).toMatch(/^fd00:1:0:1::/);
    expect(endpoint).toMatchObject({ status: EndpointStatus.CHANGING, addressType: AddressType.DUAL_STACK });
    await stage.settle(endpointId);
    const changing = (await stage.services.broker.connections.fold(endpointId)).state;
    expect([changing.status, changing.generation]).toEqual(['CHANGING', before.generation + 1]);
    expect(changing.zones[ZONE]?.ipv6).toBe(ipv6);
    await stage.connect(endpointId);
    await stage.settle(endpointId);
    expect(await stage.get(endpointId)).toMatchObject({ status: EndpointStatus.ACTIVE, usable: true });
    expect(stage.services.dns.ask(endpoint?.domainName ?? '', 'AAAA').records).toEqual([ipv6]);

    const unchanged = await become(endpointId);
    expect(unchanged.endpoint?.zones[0]?.ipv6Address).toBe(ipv6);
    expect(await refusalOf(become(endpointId, AddressType.IPV4))).toMatchObject({
      ...{ code: status.FAILED_PRECONDITION, reason: 'ADDRESS_TYPE_IRREVERSIBLE', facts: { field: 'address_type' } },
    });
    expect(await refused(dual(ipv6))).toMatchObject({ reason: 'REQUESTED_ADDRESS_UNAVAILABLE' });
    await stage.consumer.addEndpointZone({ ...stage.naming(endpointId), zone: zoneIn(vswitches[OTHER_ZONE]) }, {});
    const zones = (await stage.get(endpointId))?.zones;
    expect(zones?.[1]?.ipv6Address).toMatch(/^fd00:1:0:2::/);
  });

  it('is refused where a vSwitch has no IPv6, and a dry run of it changes nothing', async () => {
    const endpointId = await there({ zones: [zoneIn(bare)] });
    const { store } = stage.services.consumer;
    expect(await changesNothing(store, () => refusalOf(become(endpointId)))).toMatchObject({
      ...{ code: status.FAILED_PRECONDITION, reason: 'DUAL_STACK_UNAVAILABLE' },
      facts: { missing: 'VSWITCH', vswitch_id: bare, field: 'address_type' },
    });
    const other = await there();
    const dry = await changesNothing(store, () =>
      stage.consumer.updateEndpoint(
        { ...stage.naming(other), tags: undefined, addressType: AddressType.DUAL_STACK, dryRun: true },
        {},
      ),
    );
    expect(dry.endpoint?.addressType).toBe(AddressType.DUAL_STACK);
    expect(dry.preview?.events.map(({ type }) => type)).toContain('DualStackEnabled');
  });

  it('is what its one request says, however often that is sent; a try that stopped half-way is released', async () => {
    const endpointId = await there();
    const request = { ...stage.naming(endpointId), tags: undefined, addressType: AddressType.DUAL_STACK };
    const first = await stage.consumer.updateEndpoint(request, {});
    const again = await stage.consumer.updateEndpoint(request, {});
    expect(again.endpoint?.zones).toEqual(first.endpoint?.zones);

    const other = await there();
    const command = { type: 'ReserveIpv6', data: { endpointId: other, reservationId: 'ip6-lost' } } as const;
    const { vpcs } = stage.services.consumer;
    await vpcs.execute(vpcId, command, commanding());
    await stage.cleanUp(other, 'ip6-lost', vpcId);
    expect((await vpcs.fold(vpcId)).state.reservations[other]?.ipv6).toEqual({});
    const { endpoint } = await become(other);
    expect(endpoint?.zones[0]?.ipv6Address).toMatch(/^fd00:1:0:1::/);
  });
});

describe('a dual-stack service', () => {
  it('stays so, and takes endpoints without IPv6', async () => {
    await enable('ADDRESS_TYPE_DUAL_STACK');
    const { endpointService } = await stage.provider.getEndpointService({ serviceId: stage.serviceId }, {});
    expect(endpointService?.addressType).toBe(AddressType.DUAL_STACK);
    expect(await refusalOf(enable('ADDRESS_TYPE_IPV4'))).toMatchObject({
      ...{ code: status.FAILED_PRECONDITION, reason: 'ADDRESS_TYPE_IRREVERSIBLE', facts: { field: 'address_type' } },
    });
    const endpointId = await stage.activeEndpoint();
    expect(await stage.get(endpointId)).toMatchObject({
      ...{ addressType: AddressType.IPV4, zones: [{ ipv6Address: '' }] },
    });
  });
});
