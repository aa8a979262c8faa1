import type { ConsumerServiceServer } from '@privatelink/proto/consumer/v1/consumer_service';
import { resourceId } from '@privatelink/shared/app/event-id';
import { allZones, regionOfZone } from '@privatelink/shared/app/regions';
import { listPage } from '@privatelink/shared/grpc/list-page';
import { unary } from '@privatelink/shared/grpc/unary';
import { checkId } from '@privatelink/shared/grpc/validate';
import { vpcFields, vpcs as vpcTable } from '../read-models/vpcs.ts';
import type { ConsumerApiDeps } from './consumer-service.ts';
import { toSecurityGroup, toVpc, toVpcRow, toVSwitch } from './network-mapping.ts';
import { check, checkLabels, checkRegion, checkRules, checkZone, labelsOf, toRule } from './requests.ts';
import { requireOwnVpc, wellFormed } from './visible.ts';
import { vpcChanges } from './vpc-changes.ts';

type NetworkRpcs = Pick<
  ConsumerServiceServer,
  | 'registerVpc'
  | 'getVpc'
  | 'listVpcs'
  | 'deregisterVpc'
  | 'registerVSwitch'
  | 'deregisterVSwitch'
  | 'registerSecurityGroup'
  | 'deregisterSecurityGroup'
>;

/** The network inventory: everything of one VPC is decided in its ledger. */
export const networkHandlers = (deps: ConsumerApiDeps): NetworkRpcs => {
  const { vpcs, lists, regions, clock } = deps;
  const zones = allZones(regions);
  const { change, written } = vpcChanges(deps);

  return {
    registerVpc: unary(async (request, rpc) => {
      const { ipv4Cidr, ipv6Cidr, regionId = regions[0]?.regionId ?? '' } = request;
      check(request.requestId, (v) => {
        checkRegion(v, 'region_id', regionId, regions);
        checkLabels(v, request.tags);
      });
      const vpcId = resourceId('vpc', rpc.command.requestId);
      const { accountId } = rpc.caller;
      const data = { vpcId, accountId, regionId, ipv4Cidr, ipv6Cidr, tags: labelsOf(request.tags) };
      const outcome = await vpcs.execute(vpcId, { type: 'RegisterVpc', data }, rpc.command);
      return { ...written(outcome), vpc: toVpc(outcome.state, outcome.revision ?? 0n, clock.now()) };
    }),

    getVpc: unary(async ({ vpcId }, rpc) => {
      const { state, revision } = await vpcs.fold(wellFormed(vpcId, 'vpc'));
      requireOwnVpc(state, rpc);
      return { vpc: toVpc(state, revision ?? 0n, clock.now()), revision: revision ?? 0n };
    }),

    listVpcs: unary(async (request, rpc) => {
      const where = rpc.allows() ? {} : { account_id: rpc.caller.accountId };
      const { rows, ...page } = await listPage(lists, vpcTable, request, rpc, where, { fields: vpcFields });
      return { ...page, vpcs: rows.map(({ state, revision }) => toVpcRow(state, revision)) };
    }),

    deregisterVpc: unary(async (request, rpc) => {
      check(request.requestId, (v) => checkId(v, 'vpc_id', request.vpcId, 'vpc'));
      return written(await change(request, { type: 'DeregisterVpc', data: {} }, rpc));
    }),

    registerVSwitch: unary(async (request, rpc) => {
      check(request.requestId, (v) => {
        checkId(v, 'vpc_id', request.vpcId, 'vpc');
        checkZone(v, 'zone_id', request.zoneId, zones);
        checkLabels(v, request.tags);
      });
      // Of the VPC too: the same request id for another VPC is another request, and makes another thing.
      const vswitchId = resourceId('vsw', rpc.command.requestId, request.vpcId);
      const { zoneId, ipv4Cidr, ipv6Cidr } = request;
      const zoneRegion = regionOfZone(regions, zoneId);
      const data = { vswitchId, zoneId, zoneRegion, ipv4Cidr, ipv6Cidr, tags: labelsOf(request.tags) };
      const outcome = await change(request, { type: 'RegisterVSwitch', data }, rpc);
      return { ...written(outcome), vswitch: toVSwitch(outcome.state, vswitchId, clock.now()) };
    }),

    deregisterVSwitch: unary(async (request, rpc) => {
      check(request.requestId, (v) => {
        checkId(v, 'vpc_id', request.vpcId, 'vpc');
        checkId(v, 'vswitch_id', request.vswitchId, 'vsw');
      });
      const data = { vswitchId: request.vswitchId };
      return written(await change(request, { type: 'DeregisterVSwitch', data }, rpc));
    }),

    registerSecurityGroup: unary(async (request, rpc) => {
      check(request.requestId, (v) => {
        checkId(v, 'vpc_id', request.vpcId, 'vpc');
        checkRules(v, request.rules);
        checkLabels(v, request.tags);
      });
      const securityGroupId = resourceId('sg', rpc.command.requestId, request.vpcId);
      const data = { securityGroupId, rules: request.rules.map(toRule), tags: labelsOf(request.tags) };
      const outcome = await change(request, { type: 'RegisterSecurityGroup', data }, rpc);
      return { ...written(outcome), securityGroup: toSecurityGroup(outcome.state, securityGroupId) };
    }),

    deregisterSecurityGroup: unary(async (request, rpc) => {
      check(request.requestId, (v) => {
        checkId(v, 'vpc_id', request.vpcId, 'vpc');
        checkId(v, 'security_group_id', request.securityGroupId, 'sg');
      });
      const data = { securityGroupId: request.securityGroupId };
      return written(await change(request, { type: 'DeregisterSecurityGroup', data }, rpc));
    }),
  };
};
