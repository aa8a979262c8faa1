import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { rpcOf } from '../../access/rpcs.ts';
import { VSWITCH_CIDR, ZONE } from '../../access/scene.ts';
import { callAsAllowed, expectRefused, type GetStage, invalid, type Refusal } from './stage.ts';

const refused = (code: string, reason: string, field: string): Refusal => ({ code, reason, fields: [field] });
const cidr = (field: string): Refusal => refused('INVALID_ARGUMENT', 'CIDR_INVALID', field);

/** Ranges, addresses, zones and rules: what a network cannot have, and what it has no more of. */
export const networks = (stage: GetStage): void => {
  const own = () => stage().scene.networks.C;

  it('a VPC is in a region of this installation, and its vSwitches are in zones of that', async () => {
    for (const regionId of ['moon', '']) {
      await expectRefused(stage(), 'consumer.registerVpc', { ipv4Cidr: '10.0.0.0/16', regionId }, invalid('region_id'));
    }
    const said = { vpcId: own().vpcId, zoneId: 'cn-shanghai-a', ipv4Cidr: '10.0.9.0/24' };
    const elsewhere = refused('FAILED_PRECONDITION', 'ZONE_REGION_MISMATCH', 'zone_id');
    await expectRefused(stage(), 'consumer.registerVSwitch', said, elsewhere);
  });

  describe('a range', () => {
    it.each([
      ['', 'of nothing'],
      ['10.0.0.0', 'without a length'],
      ['10.0.0.0/33', 'longer than an address'],
      ['10.0.0.1/16', 'with host bits set'],
      ['10.0.0.0/7', 'too large'],
      ['10.0.0.0/29', 'too small'],
      ['fd00::/48', 'of the other family'],
      ['10.0.0.0/016', 'with a leading zero'],
      [`10.0.0.0/16${' '.repeat(100_000)}`, 'with a tail'],
      ['\0', 'that is no text'],
    ])('%j is none for a VPC: %s', async (ipv4Cidr) => {
      await expectRefused(stage(), 'consumer.registerVpc', { ipv4Cidr }, cidr('ipv4_cidr'));
    });

    it.each(['10.0.0.0/16', 'fd00::/47', 'fd00::1/64', 'fd00::%eth0/64'])('%j is none of IPv6', async (ipv6Cidr) => {
      const said = { ipv4Cidr: '10.0.0.0/16', ipv6Cidr };
      await expectRefused(stage(), 'consumer.registerVpc', said, cidr('ipv6_cidr'));
    });

    it.each([
      ['10.1.0.0/24', 'CIDR_OUTSIDE_VPC', 'INVALID_ARGUMENT'],
      ['10.0.0.0/15', 'CIDR_INVALID', 'INVALID_ARGUMENT'],
      [VSWITCH_CIDR, 'CIDR_OVERLAPS', 'FAILED_PRECONDITION'],
      ['10.0.1.128/25', 'CIDR_OVERLAPS', 'FAILED_PRECONDITION'],
      ['10.0.0.0/16', 'CIDR_OVERLAPS', 'FAILED_PRECONDITION'],
    ])('%s is none for another vSwitch of the VPC: %s', async (ipv4Cidr, reason, code) => {
      const said = { vpcId: own().vpcId, zoneId: ZONE, ipv4Cidr };
      await expectRefused(stage(), 'consumer.registerVSwitch', said, refused(code, reason, 'ipv4_cidr'));
    });

    it('of IPv6 is none in a VPC without', async () => {
      const said = { vpcId: own().vpcId, zoneId: ZONE, ipv4Cidr: '10.0.9.0/24', ipv6Cidr: 'fd00::/64' };
      const refusal = refused('INVALID_ARGUMENT', 'CIDR_OUTSIDE_VPC', 'ipv6_cidr');
      await expectRefused(stage(), 'consumer.registerVSwitch', said, refusal);
    });
  });

  it.each(['registerVpc', 'registerVSwitch', 'registerSecurityGroup', 'registerRouteTable'])(
    '%s takes at most 20 labels, each key once',
    async (rpc) => {
      const range = rpc === 'registerVpc' ? '10.0.0.0/16' : '10.0.9.0/24';
      const said = { vpcId: own().vpcId, zoneId: ZONE, ipv4Cidr: range };
      const many = Array.from({ length: 21 }, (_, index) => ({ key: `${index}`, value: '' }));
      const refused = (tags: object, field: string) =>
        expectRefused(stage(), `consumer.${rpc}`, { ...said, tags: { tags } }, invalid(field));
      await refused(many, 'tags.tags');
      await refused([many[0], many[0]], 'tags.tags[1].key');
    },
  );

  it.each(['', '0.0.0.0', '10.0.0.1/8', '10.0.0.0/33', 'fd00::1/64', 'fd00::%eth0/64', 'x'.repeat(50_000)])(
    '%j is none of a route',
    async (destinationCidr) => {
      const { vpcId, routeTableId } = own();
      const said = { vpcId, routeTableId, destinationCidr };
      await expectRefused(stage(), 'consumer.removeRoute', said, cidr('destination_cidr'));
      const { endpointId: nextHop } = stage().scene;
      await expectRefused(stage(), 'consumer.addRoute', { ...said, nextHop }, cidr('destination_cidr'));
    },
  );

  it('a route leads to an endpoint that takes what is routed to it', async () => {
    const { vpcId, routeTableId } = own();
    const said = { vpcId, routeTableId, destinationCidr: '0.0.0.0/0', nextHop: stage().scene.endpointId };
    const refusal = refused('FAILED_PRECONDITION', 'ENDPOINT_TYPE_MISMATCH', 'next_hop');
    const { facts } = await expectRefused(stage(), 'consumer.addRoute', said, refusal);
    expect(facts).toMatchObject({ required: 'GATEWAY_LOAD_BALANCER', given: 'INTERFACE' });
  });

  it('a gateway endpoint is of 1 to 10 route tables and of a service', async () => {
    const { vpcId, routeTableId } = own();
    const right = { vpcId, routeTableIds: [routeTableId], serviceName: 'com.example.oss', policy: '' };
    const refuse = (change: object, ...fields: string[]) =>
      expectRefused(stage(), 'consumer.createGatewayEndpoint', { ...right, ...change }, invalid(...fields));
    await refuse({ routeTableIds: [] }, 'route_table_ids');
    await refuse({ routeTableIds: Array(11).fill(routeTableId) }, 'route_table_ids');
    for (const serviceName of ['', 'A', '-a', 'a b', '\0', 'x'.repeat(254)])
      await refuse({ serviceName }, 'service_name');
    await refuse({ policy: '{}' }, 'policy.Version', 'policy.Statement');
    await refuse({ tags: [{ key: '', value: '' }] }, 'tags[0].key');
  });

  it.each(['', 'cn-hangzhou-x', 'us-east-1a', '\0', ZONE.toUpperCase()])('%j is no zone', async (zoneId) => {
    const said = { vpcId: own().vpcId, zoneId, ipv4Cidr: '10.0.9.0/24' };
    await expectRefused(stage(), 'consumer.registerVSwitch', said, invalid('zone_id'));
  });

  it.each([
    [{ policy: 'UNRECOGNIZED' }, 'policy'],
    [{ protocol: 'icmp' }, 'protocol'],
    [{ fromPort: 65_536, toPort: 65_536 }, 'from_port'],
    [{ fromPort: 443, toPort: 80 }, 'to_port'],
    [{ priority: 0 }, 'priority'],
    [{ sourceCidr: '10.0.0.1/8' }, 'source_cidr'],
  ] as const)('a rule with %j is none', async (change, field) => {
    const rule = {
      ...{ policy: 'SECURITY_GROUP_POLICY_ALLOW', protocol: 'tcp', fromPort: 1, toPort: 2 },
      ...{ sourceCidr: '10.0.0.0/8', priority: 1 },
    };
    const ended = await expectRefused(
      stage(),
      'consumer.registerSecurityGroup',
      { vpcId: own().vpcId, rules: [rule, { ...rule, ...change }] },
      { code: 'INVALID_ARGUMENT', reason: 'INVALID_ARGUMENT' },
    );
    expect(ended.fields).toContain(`rules[1].${field}`);
  });

  it('a security group has at most 200 rules', async () => {
    const rule = { policy: 'SECURITY_GROUP_POLICY_ALLOW', protocol: 'all', sourceCidr: '0.0.0.0/0', priority: 1 };
    const rules = Array(201).fill({ ...rule, fromPort: 0, toPort: 0 });
    await expectRefused(
      stage(),
      'consumer.registerSecurityGroup',
      { vpcId: own().vpcId, rules },
      { ...invalid('rules') },
    );
  });

  it.each([
    ['vpcId', 'deregisterVpc', 'VPC_IN_USE'],
    ['vswitchId', 'deregisterVSwitch', 'VSWITCH_IN_USE'],
    ['securityGroupId', 'deregisterSecurityGroup', 'SECURITY_GROUP_IN_USE'],
  ] as const)('what is in use stays: %s', async (field, name, reason) => {
    const { vpcId, [field]: id } = own();
    const ended = await expectRefused(
      stage(),
      `consumer.${name}`,
      { vpcId, [field]: id },
      { code: 'FAILED_PRECONDITION', reason },
    );
    expect(ended.facts['used_by']).not.toBe('');
  });

  it('a vSwitch that is full is named, and nothing is taken at the service or in the VPC', async () => {
    const { scene } = stage();
    const { vpcId, securityGroupId } = own();
    // 8 addresses, 5 of them reserved.
    const subnet = { vpcId, zoneId: ZONE, ipv4Cidr: '10.0.7.0/29' };
    const made = await callAsAllowed(stage(), rpcOf('consumer.registerVSwitch'), subnet);
    const { vswitchId } = (made.responses[0] as { vswitch: { vswitchId: string } }).vswitch;
    const said = () => ({
      ...{ requestId: randomUUID(), service: scene.serviceId, vpcId, securityGroupIds: [securityGroupId] },
      ...{
        endpointType: 'ENDPOINT_TYPE_INTERFACE',
        zones: [{ zoneId: '', vswitchId, ipv4Address: '', ipv6Address: '' }],
      },
    });
    const addresses: string[] = [];
    for (let count = 0; count < 3; count++) {
      const { code, responses } = await callAsAllowed(stage(), rpcOf('consumer.createEndpoint'), said());
      expect(code).toBe('OK');
      const { endpoint } = responses[0] as { endpoint: { zones: { ipv4Address: string }[] } };
      addresses.push(...endpoint.zones.map(({ ipv4Address }) => ipv4Address));
    }
    expect(addresses.sort()).toEqual(['10.0.7.4', '10.0.7.5', '10.0.7.6']);
    await stage().quiet();
    const refusal = refused('RESOURCE_EXHAUSTED', 'ADDRESS_EXHAUSTED', 'zones[0].vswitch_id');
    await expectRefused(stage(), 'consumer.createEndpoint', said(), refusal);
  });
};
