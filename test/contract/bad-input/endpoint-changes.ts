import { describe, it } from 'vitest';
import { absent } from '../../access/row.ts';
import { ZONE } from '../../access/scene.ts';
import { expectRefused, type GetStage, invalid, type Refusal, refused } from './stage.ts';

const OTHER_ZONE = 'cn-hangzhou-i';

/** What cannot be changed of an endpoint. */
export const endpointChanges = (stage: GetStage): void => {
  const cannot = (rpc: string, said: object, refusal: Refusal) =>
    expectRefused(stage(), `consumer.${rpc}`, { endpointId: stage().scene.endpointId, ...said }, refusal);
  const zoneIn = (vswitchId: string, change: object = {}) => ({
    zone: { zoneId: '', vswitchId, ipv4Address: '', ipv6Address: '', ...change },
  });

  describe('a change of an endpoint', () => {
    it('says what it changes', async () => {
      await cannot('updateEndpoint', {}, invalid('description'));
      await cannot('updateEndpoint', { tags: { tags: [{ key: '', value: '' }] } }, invalid('tags.tags[0].key'));
      await cannot('addEndpointZone', {}, invalid('zone.vswitch_id'));
      await cannot('removeEndpointZone', {}, invalid('vswitch_id'));
      await cannot('removeEndpointZone', { zoneId: 'moon-1' }, invalid('zone_id'));
    });

    it('leaves it a zone and a security group', async () => {
      const lastZone = refused('FAILED_PRECONDITION', 'LAST_ZONE');
      await cannot('removeEndpointZone', { zoneId: ZONE }, lastZone);
      const { securityGroupId } = stage().scene.networks.C;
      const lastGroup = refused('FAILED_PRECONDITION', 'LAST_SECURITY_GROUP', 'security_group_id');
      await cannot('detachSecurityGroup', { securityGroupId }, lastGroup);
    });

    it('names what there is, and adds nothing twice', async () => {
      const { vswitchId } = stage().scene.networks.C;
      const noGroup = refused('NOT_FOUND', 'SECURITY_GROUP_NOT_FOUND', 'security_group_id');
      await cannot('attachSecurityGroup', { securityGroupId: absent.securityGroup }, noGroup);
      const noSubnet = refused('NOT_FOUND', 'VSWITCH_NOT_FOUND', 'zone.vswitch_id');
      await cannot('addEndpointZone', zoneIn(absent.vswitch), noSubnet);
      const elsewhere = refused('INVALID_ARGUMENT', 'ZONE_VSWITCH_MISMATCH', 'zone.zone_id');
      await cannot('addEndpointZone', zoneIn(vswitchId, { zoneId: OTHER_ZONE }), elsewhere);
      const there = refused('ALREADY_EXISTS', 'ZONE_ALREADY_ADDED', 'zone.zone_id');
      await cannot('addEndpointZone', zoneIn(vswitchId, { ipv4Address: '10.0.1.200' }), there);
    });
  });

  describe('what a policy is asked', () => {
    it.each<[object, ...string[]]>([
      [{}, 'action', 'resource'],
      [{ action: 'x'.repeat(257), resource: '\0' }, 'action', 'resource'],
      [{ action: 'a', resource: 'b', principal: 'x'.repeat(2_049) }, 'principal'],
      [{ action: 'a', resource: 'b', context: { k: 'x'.repeat(2_049) } }, 'context'],
      [
        { action: 'a', resource: 'b', context: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`${i}`, ''])) },
        'context',
      ],
    ])('is bounded: %j', async (said, ...fields) => {
      await cannot('evaluatePolicy', said, invalid(...fields));
    });
  });
};
