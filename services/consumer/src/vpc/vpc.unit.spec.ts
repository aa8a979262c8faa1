import { describe, it } from 'vitest';
import {
  at,
  deregistered,
  given,
  group,
  held,
  inventory,
  later,
  many,
  registered,
  release,
  released,
  reserve,
  reserved,
  vswitch,
} from './testing/history.ts';
import type { VpcCommand } from './vpc.ts';

const tags = [{ key: 'team', value: 'payments' }];
const registerVpc = (ipv4Cidr: string, ipv6Cidr = ''): VpcCommand => ({
  type: 'RegisterVpc',
  data: { vpcId: 'vpc-1', accountId: '1'.repeat(16), regionId: 'cn-hangzhou', ipv4Cidr, ipv6Cidr, tags },
});
const registerVSwitch = (ipv4Cidr: string, ipv6Cidr = '', zoneRegion = 'cn-hangzhou'): VpcCommand => ({
  type: 'RegisterVSwitch',
  data: { vswitchId: 'vsw-new', zoneId: 'zone-a', zoneRegion, ipv4Cidr, ipv6Cidr, tags: [] },
});

describe('RegisterVpc', () => {
  it('keeps its labels, and its ranges in canonical form', () => {
    given()
      .when(registerVpc('10.0.0.0/8', '2001:DB8:0::/48'))
      .thenEvents({
        type: 'VpcRegistered',
        data: {
          vpcId: 'vpc-1',
          accountId: '1'.repeat(16),
          regionId: 'cn-hangzhou',
          ipv4Cidr: '10.0.0.0/8',
          ipv6Cidr: '2001:db8::/48',
          tags,
          at,
        },
      });
  });

  it.each([
    ['10.0.0.0/28', ''],
    ['10.0.0.0/8', '2001:db8::/64'],
  ])('takes %s %s', (ipv4, ipv6) => {
    given().when(registerVpc(ipv4, ipv6)).thenTypes('VpcRegistered');
  });

  it.each([
    ['10.0.0.0', '', 'ipv4_cidr', 'MALFORMED'],
    ['', '', 'ipv4_cidr', 'MALFORMED'],
    ['10.0.0.1/8', '', 'ipv4_cidr', 'HOST_BITS_SET'],
    ['10.0.0.0/7', '', 'ipv4_cidr', 'PREFIX_LENGTH'],
    ['10.0.0.0/29', '', 'ipv4_cidr', 'PREFIX_LENGTH'],
    ['10.0.0.0/8', '10.0.0.0/8', 'ipv6_cidr', 'MALFORMED'],
    ['10.0.0.0/8', '2001:db8::1/64', 'ipv6_cidr', 'HOST_BITS_SET'],
    ['10.0.0.0/8', '2001:db8::/47', 'ipv6_cidr', 'PREFIX_LENGTH'],
    ['10.0.0.0/8', '2001:db8::/65', 'ipv6_cidr', 'PREFIX_LENGTH'],
  ])('refuses %j %j: %s %s', (ipv4, ipv6, field, why) => {
    // 10.0.0.0/7 has no host bit set: only its length is wrong.
    given().when(registerVpc(ipv4, ipv6)).thenRejected('CIDR_INVALID', { field, why });
  });

  it('is done once, also after the VPC was deregistered', () => {
    given(registered()).when(registerVpc('10.0.0.0/16')).thenNothing();
    given(registered(), deregistered).when(registerVpc('10.0.0.0/16')).thenNothing();
  });
});

describe('RegisterVSwitch', () => {
  it('is in a zone of the region of its VPC', () => {
    given(...inventory)
      .when(registerVSwitch('10.0.3.0/24', '', 'cn-shanghai'))
      .thenRejected('ZONE_REGION_MISMATCH', { zone_region: 'cn-shanghai', required: 'cn-hangzhou', field: 'zone_id' });
  });

  it('keeps it', () => {
    given(...inventory)
      .when(registerVSwitch('10.0.3.0/24', '2001:DB8:0:7::/64'))
      .thenEvents(vswitch('vsw-new', 'zone-a', '10.0.3.0/24', '2001:db8:0:7::/64', at));
  });

  it.each([
    ['10.0.0.0/30', '', 'ipv4_cidr', 'PREFIX_LENGTH'],
    ['10.0.0.0/15', '', 'ipv4_cidr', 'PREFIX_LENGTH'],
    ['10.0.2.1/24', '', 'ipv4_cidr', 'HOST_BITS_SET'],
    ['10.0.2/24', '', 'ipv4_cidr', 'MALFORMED'],
    ['10.0.3.0/24', '2001:db8::/63', 'ipv6_cidr', 'PREFIX_LENGTH'],
    ['10.0.3.0/24', '2001:db8::/65', 'ipv6_cidr', 'PREFIX_LENGTH'],
    ['10.0.3.0/24', 'x', 'ipv6_cidr', 'MALFORMED'],
  ])('refuses %j %j: %s %s', (ipv4, ipv6, field, why) => {
    given(...inventory)
      .when(registerVSwitch(ipv4, ipv6))
      .thenRejected('CIDR_INVALID', { field, why });
  });

  it('may be as large as its VPC', () => {
    given(registered()).when(registerVSwitch('10.0.0.0/16')).thenTypes('VSwitchRegistered');
  });

  it('is inside its VPC', () => {
    given(registered())
      .when(registerVSwitch('10.1.0.0/24'))
      .thenRejected('CIDR_OUTSIDE_VPC', { field: 'ipv4_cidr', cidr: '10.1.0.0/24', vpc_cidr: '10.0.0.0/16' });
    given(registered())
      .when(registerVSwitch('10.0.0.0/24', '2001:db9::/64'))
      .thenRejected('CIDR_OUTSIDE_VPC', { field: 'ipv6_cidr', vpc_cidr: '2001:db8::/56' });
  });

  it('has IPv6 only where its VPC has', () => {
    given(registered(''))
      .when(registerVSwitch('10.0.0.0/24', '2001:db8::/64'))
      .thenRejected('CIDR_OUTSIDE_VPC', { field: 'ipv6_cidr', vpc_cidr: 'none' });
  });

  it('overlaps no other one', () => {
    given(...inventory)
      .when(registerVSwitch('10.0.0.0/23'))
      .thenRejected('CIDR_OVERLAPS', { field: 'ipv4_cidr', vswitch_id: 'vsw-a', vswitch_cidr: '10.0.0.0/29' });
    given(registered(), vswitch('vsw-a', 'zone-a', '10.0.0.0/28', '2001:db8::/64'))
      .when(registerVSwitch('10.0.3.0/24', '2001:db8::/64'))
      .thenRejected('CIDR_OVERLAPS', { field: 'ipv6_cidr', vswitch_id: 'vsw-a' });
  });

  it('frees its range when it is deregistered', () => {
    given(...inventory, { type: 'VSwitchDeregistered', data: { vswitchId: 'vsw-a', at } })
      .when(registerVSwitch('10.0.0.0/28'))
      .thenTypes('VSwitchRegistered');
  });

  it('has a quota', () => {
    const full = many(200, (i) => vswitch(`vsw-${i}`, 'zone-a', `10.0.${i}.0/24`));
    given(registered(), ...full.slice(1))
      .when(registerVSwitch('10.0.240.0/24'))
      .thenTypes('VSwitchRegistered');
    given(registered(), ...full)
      .when(registerVSwitch('10.0.240.0/24'))
      .thenRejected('QUOTA_EXCEEDED', { quota: 'vSwitches per VPC', limit: '200', current: '200' });
  });
});

describe('RegisterSecurityGroup', () => {
  const rule = {
    policy: 'ALLOW',
    protocol: 'tcp',
    fromPort: 443,
    toPort: 443,
    sourceCidr: '10.0.0.0/8',
    priority: 1,
  } as const;
  const register = (...rules: Extract<VpcCommand, { type: 'RegisterSecurityGroup' }>['data']['rules']): VpcCommand => ({
    type: 'RegisterSecurityGroup',
    data: { securityGroupId: 'sg-new', rules, tags },
  });

  it('keeps its rules in order of priority, the given order among equals', () => {
    const [low, first, second] = [
      { ...rule, priority: 9 },
      { ...rule, fromPort: 1 },
      { ...rule, sourceCidr: '2001:db8::/32' },
    ];
    given(registered())
      .when(register(low, first, second))
      .thenEvents({
        type: 'SecurityGroupRegistered',
        data: { securityGroupId: 'sg-new', rules: [first, second, low], tags, at },
      });
  });

  it.each(['10.0.0.0', '10.0.0.1/8', '10.0.0.0/33', 'everywhere', '2001:db8::1/64'])('refuses source %j', (source) => {
    given(registered())
      .when(register(rule, { ...rule, sourceCidr: source }))
      .thenRejected('CIDR_INVALID', { field: 'rules[1].source_cidr', cidr: source });
  });

  it('takes everything as a source', () => {
    given(registered())
      .when(register({ ...rule, sourceCidr: '0.0.0.0/0' }, { ...rule, sourceCidr: '::/0' }))
      .thenTypes('SecurityGroupRegistered');
  });

  it('refuses ports in the wrong order', () => {
    given(registered())
      .when(register({ ...rule, fromPort: 2, toPort: 1 }))
      .thenRejected('PORT_RANGE_INVALID', { field: 'rules[0].to_port', from_port: '2', to_port: '1' });
  });

  it('has quotas', () => {
    given(registered())
      .when(register(...many(201, () => rule)))
      .thenRejected('QUOTA_EXCEEDED', { limit: '200', current: '201', field: 'rules' });
    given(registered())
      .when(register(...many(200, () => rule)))
      .thenTypes('SecurityGroupRegistered');
    given(registered(), ...many(100, (i) => group(`sg-${i}`)))
      .when(register())
      .thenRejected('QUOTA_EXCEEDED', { quota: 'security groups per VPC', limit: '100', current: '100' });
  });
});

describe('deregistration', () => {
  const deregisterVSwitch: VpcCommand = { type: 'DeregisterVSwitch', data: { vswitchId: 'vsw-a' } };
  const deregisterGroup: VpcCommand = { type: 'DeregisterSecurityGroup', data: { securityGroupId: 'sg-1' } };
  const deregisterVpc: VpcCommand = { type: 'DeregisterVpc', data: {} };

  it('takes what nobody uses out', () => {
    given(...inventory)
      .when(deregisterVSwitch)
      .thenEvents({ type: 'VSwitchDeregistered', data: { vswitchId: 'vsw-a', at } });
    given(registered(), group('sg-1'))
      .when(deregisterGroup)
      .thenEvents({ type: 'SecurityGroupDeregistered', data: { securityGroupId: 'sg-1', at } });
    given(registered()).when(deregisterVpc).thenEvents({ type: 'VpcDeregistered', data: { at } });
  });

  it('of what is not there is success', () => {
    given(registered()).when(deregisterVSwitch).thenNothing();
    given(registered()).when(deregisterGroup).thenNothing();
    given(registered(), deregistered).when(deregisterVpc).thenNothing();
  });

  it('is refused while endpoints use it, naming at most ten', () => {
    const users = many(12, (i) => reserved(`ep-${String(i).padStart(2, '0')}`, held(`10.0.0.${4 + i}`)));
    const used = {
      used_by: 'ep-00,ep-01,ep-02,ep-03,ep-04,ep-05,ep-06,ep-07,ep-08,ep-09',
      used_by_count: '12',
    };
    const history = [...inventory, ...users.toReversed()];
    given(...history)
      .when(deregisterVSwitch)
      .thenRejected('VSWITCH_IN_USE', { vswitch_id: 'vsw-a', ...used });
    given(...history)
      .when(deregisterGroup)
      .thenRejected('SECURITY_GROUP_IN_USE', { security_group_id: 'sg-1', ...used });
    given(...history)
      .when({ type: 'DeregisterVSwitch', data: { vswitchId: 'vsw-b' } })
      .thenTypes('VSwitchDeregistered');
  });

  it('of a VPC is refused while anything is in it', () => {
    given(...inventory, reserved('ep-1', held('10.0.0.4')))
      .when(deregisterVpc)
      .thenRejected('VPC_IN_USE', {
        vpc_id: 'vpc-1',
        used_by: 'ep-1,vsw-a,vsw-b,vsw-b2,sg-1,sg-2',
        used_by_count: '6',
      });
  });

  it('is possible again once the endpoint is released', () => {
    given(...inventory, reserved('ep-1', held('10.0.0.4')), released('ep-1', later(-1)))
      .when(deregisterVSwitch)
      .thenTypes('VSwitchDeregistered');
  });
});

describe('an absent VPC', () => {
  const commands: VpcCommand[] = [
    registerVSwitch('10.0.3.0/24'),
    { type: 'RegisterSecurityGroup', data: { securityGroupId: 'sg-1', rules: [], tags } },
    { type: 'DeregisterVSwitch', data: { vswitchId: 'vsw-a' } },
    { type: 'DeregisterSecurityGroup', data: { securityGroupId: 'sg-1' } },
    reserve(),
  ];
  it.each(commands)('is not found by $type, nor is one that was deregistered', (command) => {
    given().when(command).thenRejected('VPC_NOT_FOUND', { field: 'vpc_id' });
    given(registered(), deregistered).when(command).thenRejected('VPC_NOT_FOUND', { field: 'vpc_id' });
  });

  it('cannot be deregistered, but a reservation in it counts as released', () => {
    given().when({ type: 'DeregisterVpc', data: {} }).thenRejected('VPC_NOT_FOUND');
    given().when(release('ep-1')).thenNothing();
  });

  it('is told apart by its own entries only', () => {
    for (const id of ['constructor', '__proto__', 'toString']) {
      given(registered())
        .when({ type: 'DeregisterVSwitch', data: { vswitchId: id } })
        .thenNothing();
      given(registered())
        .when({ type: 'DeregisterSecurityGroup', data: { securityGroupId: id } })
        .thenNothing();
    }
  });
});
