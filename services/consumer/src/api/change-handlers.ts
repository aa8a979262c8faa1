import type { ConsumerServiceServer } from '@privatelink/proto/consumer/v1/consumer_service';
import { allZones } from '@privatelink/shared/app/regions';
import type { RpcContext } from '@privatelink/shared/grpc/context';
import { checkTags, toTags } from '@privatelink/shared/grpc/tags';
import { unary } from '@privatelink/shared/grpc/unary';
import { checkEnum, checkId, checkText } from '@privatelink/shared/grpc/validate';
import type { ConsumerApiDeps } from './consumer-service.ts';
import { checkMutation, type EndpointChanges } from './endpoint-changes.ts';
import type { KnownConnection } from './endpoint-mapping.ts';
import { checkZone, checkZoneSpec, MAX_DESCRIPTION, toAddressType } from './requests.ts';
import { reservedChanges } from './reserved-changes.ts';

type ChangeRpcs = Pick<
  ConsumerServiceServer,
  | 'updateEndpoint'
  | 'addEndpointZone'
  | 'removeEndpointZone'
  | 'attachSecurityGroup'
  | 'detachSecurityGroup'
  | 'lockEndpoint'
  | 'unlockEndpoint'
>;

/** What its owner changes of an endpoint, and what an operator does. */
export const changeHandlers = (
  deps: ConsumerApiDeps,
  changes: EndpointChanges,
  connectionOf: (endpointId: string, rpc: RpcContext) => Promise<KnownConnection>,
): ChangeRpcs => {
  const zones = allZones(deps.regions);
  const { change, reply } = changes;
  const reserved = reservedChanges(deps, changes);

  return {
    updateEndpoint: unary(async (request, rpc) => {
      const { description = null, protected: wanted = null, customDomainEnabled = null, zoneAffinity = null } = request;
      const addressType = request.addressType === undefined ? null : toAddressType(request.addressType);
      const tags = request.tags?.tags ?? null;
      checkMutation(request, (v) => {
        const wishes = [description, tags, wanted, customDomainEnabled, zoneAffinity, addressType];
        const others = 'tags, protected, custom_domain_enabled, zone_affinity or address_type';
        v.check(
          'description',
          wishes.some((said) => said !== null),
          `must be given, or ${others}`,
        );
        if (request.addressType !== undefined) checkEnum(v, 'address_type', request.addressType);
        checkText(v, 'description', description ?? '', MAX_DESCRIPTION);
        checkTags(v, 'tags.tags', tags ?? []);
      });
      const said = { description, tags: tags && toTags(tags), protected: wanted, zoneAffinity, actor: rpc.actor };
      const switched = { customDomains: customDomainEnabled === false ? 'off' : null } as const;
      const data = { ...said, ...switched, addressType: addressType === 'IPV4' ? addressType : null };
      const wishes = { customDomains: customDomainEnabled === true, dualStack: addressType === 'DUAL_STACK' };
      if (wishes.customDomains || wishes.dualStack) return reply(await reserved.update(request, data, wishes, rpc));
      return reply(await change(request, { type: 'UpdateEndpoint', data }, rpc));
    }),

    addEndpointZone: unary(async (request, rpc) => {
      const { zone = { zoneId: '', vswitchId: '', ipv4Address: '', ipv6Address: '' } } = request;
      checkMutation(request, (v) => checkZoneSpec(v, 'zone', zone, zones));
      return reply(await reserved.addZone(request, zone, rpc));
    }),

    removeEndpointZone: unary(async (request, rpc) => {
      const { zoneId, vswitchId } = request;
      checkMutation(request, (v) => {
        v.check('vswitch_id', zoneId !== '' || vswitchId !== '', 'must be given, or zone_id');
        if (zoneId !== '') checkZone(v, 'zone_id', zoneId, zones);
        if (vswitchId !== '') checkId(v, 'vswitch_id', vswitchId, 'vsw');
      });
      const { connection } = await connectionOf(request.endpointId, rpc);
      const off = connection?.zones.filter(({ enabled }) => !enabled) ?? [];
      const disabledZoneIds = off.map((zone) => zone.zoneId);
      const data = { zoneId, vswitchId, disabledZoneIds, actor: rpc.actor };
      return reply(await change(request, { type: 'RemoveZone', data }, rpc));
    }),

    attachSecurityGroup: unary(async (request, rpc) => {
      checkMutation(request, (v) => checkId(v, 'security_group_id', request.securityGroupId, 'sg'));
      return reply(await reserved.attachSecurityGroup(request, request.securityGroupId, rpc));
    }),

    detachSecurityGroup: unary(async (request, rpc) => {
      checkMutation(request, (v) => checkId(v, 'security_group_id', request.securityGroupId, 'sg'));
      const data = { securityGroupId: request.securityGroupId, actor: rpc.actor };
      return reply(await change(request, { type: 'DetachSecurityGroup', data }, rpc));
    }),

    lockEndpoint: unary(async (request, rpc) => {
      checkMutation(request, (v) => checkText(v, 'message', request.message, MAX_DESCRIPTION));
      const data = { message: request.message, actor: rpc.actor };
      return reply(await change(request, { type: 'LockEndpoint', data }, rpc));
    }),

    unlockEndpoint: unary(async (request, rpc) => {
      checkMutation(request);
      return reply(await change(request, { type: 'UnlockEndpoint', data: { actor: rpc.actor } }, rpc));
    }),
  };
};
