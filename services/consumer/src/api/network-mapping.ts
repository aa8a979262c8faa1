import {
  type RouteTable,
  type SecurityGroupRule as RuleMessage,
  type SecurityGroup,
  SecurityGroupPolicy,
  type Vpc as VpcMessage,
  type VSwitch,
} from '@privatelink/proto/consumer/v1/network';
import { timestamp } from '@privatelink/shared/grpc/timestamp';
import type { VpcRow } from '../read-models/vpcs.ts';
import { availableIpCount, entryOf, type SecurityGroupRule, type Vpc } from '../vpc/vpc.ts';

export const toVpc = (vpc: Vpc, revision: bigint, now: Date): VpcMessage => ({
  ...toVpcRow(vpc, revision),
  vswitches: Object.keys(vpc.vswitches)
    .sort()
    .flatMap((vswitchId) => toVSwitch(vpc, vswitchId, now) ?? []),
  securityGroups: Object.keys(vpc.securityGroups)
    .sort()
    .flatMap((id) => toSecurityGroup(vpc, id) ?? []),
  routeTables: Object.keys(vpc.routeTables)
    .sort()
    .flatMap((id) => toRouteTable(vpc, id) ?? []),
});

export const toVpcRow = (row: VpcRow, revision: bigint): VpcMessage => ({
  vpcId: row.vpcId,
  accountId: row.accountId,
  regionId: row.regionId,
  ipv4Cidr: row.ipv4Cidr,
  ipv6Cidr: row.ipv6Cidr,
  vswitches: [],
  securityGroups: [],
  routeTables: [],
  createTime: timestamp(row.createdAt),
  revision,
  tags: [...row.tags],
});

export const toVSwitch = (vpc: Vpc, vswitchId: string, now: Date): VSwitch | undefined => {
  const vswitch = vpc.vswitches[vswitchId];
  if (!vswitch) return undefined;
  const { zoneId, ipv4Cidr, ipv6Cidr, tags } = vswitch;
  const available = availableIpCount(vpc, vswitchId, now.toISOString());
  return { vswitchId, zoneId, ipv4Cidr, ipv6Cidr, availableIpCount: BigInt(available), tags: [...tags] };
};

export const toSecurityGroup = (vpc: Vpc, securityGroupId: string): SecurityGroup | undefined => {
  const group = vpc.securityGroups[securityGroupId];
  return group && { securityGroupId, rules: group.rules.map(toRule), tags: [...group.tags] };
};

export const toRouteTable = (vpc: Vpc, routeTableId: string): RouteTable | undefined => {
  const table = entryOf(vpc.routeTables, routeTableId);
  if (!table) return undefined;
  const routes = Object.entries(table.routes).map(([destinationCidr, nextHop]) => ({ destinationCidr, nextHop }));
  const sorted = routes.sort((a, b) => (a.destinationCidr < b.destinationCidr ? -1 : 1));
  return { routeTableId, routes: sorted, tags: [...table.tags] };
};

const toRule = ({ policy, ...rule }: SecurityGroupRule): RuleMessage => ({
  ...rule,
  policy: SecurityGroupPolicy[policy],
});
