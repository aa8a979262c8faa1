import { describe, expect, it } from 'vitest';
import { accounts, resource } from '../../access/scene.ts';
import { expectRefused, type GetStage, invalid, type Refusal, refused } from './stage.ts';

const OTHER_ZONE = 'cn-hangzhou-i';

/** What a service cannot be made of, or become. */
export const services = (stage: GetStage): void => {
  describe('a service', () => {
    const cannotPublish = (resources: readonly object[], refusal: Refusal) =>
      expectRefused(stage(), 'provider.createEndpointService', { resources }, refusal);
    const at = (field: string) => `resources[0].${field}`;

    it.each([
      [{ resourceId: '' }, 'resource_id'],
      [{ resourceId: 'a b' }, 'resource_id'],
      [{ resourceId: '\0' }, 'resource_id'],
      [{ resourceId: 'x'.repeat(65) }, 'resource_id'],
      [{ zoneId: 'moon-1' }, 'zone_id'],
      [{ resourceType: 'UNRECOGNIZED' }, 'resource_type'],
      [{ resourceType: 'RESOURCE_TYPE_UNSPECIFIED' }, 'resource_type'],
      [{ targets: [] }, 'targets'],
      [{ targets: Array(101).fill({ ip: '10.0.0.1', port: 1 }) }, 'targets'],
      [{ targets: [{ ip: 'localhost', port: 1 }] }, 'targets[0].ip'],
      [{ targets: [{ ip: '10.0.0.1', port: 0 }] }, 'targets[0].port'],
      [{ targets: [{ ip: '10.0.0.1', port: 65_536 }] }, 'targets[0].port'],
    ])('has no resource with %j', async (change, field) => {
      await cannotPublish([{ ...resource('nlb-1'), ...change }], invalid(at(field)));
    });

    it('has at most 10 resources at creation, each once, all of one kind that its type takes', async () => {
      const eleven = Array.from({ length: 11 }, (_, index) => resource(`nlb-${index}`));
      const tooMany = refused('RESOURCE_EXHAUSTED', 'QUOTA_EXCEEDED', 'resources');
      const { facts } = await cannotPublish(eleven, tooMany);
      expect(facts).toMatchObject({ quota: 'resources at creation', limit: '10', current: '11' });
      const twice = refused('ALREADY_EXISTS', 'RESOURCE_ALREADY_ATTACHED', 'resources[1].resource_id');
      await cannotPublish([resource('nlb-1'), resource('nlb-1')], twice);
      const mixed = refused('INVALID_ARGUMENT', 'RESOURCE_TYPE_MISMATCH', 'resources[1].resource_type');
      await cannotPublish([resource('nlb-1'), { ...resource('alb-1'), resourceType: 'RESOURCE_TYPE_ALB' }], mixed);
      const wrong = refused('INVALID_ARGUMENT', 'RESOURCE_TYPE_MISMATCH', 'resources[0].resource_type');
      await cannotPublish([{ ...resource('gwlb-1'), resourceType: 'RESOURCE_TYPE_GWLB' }], wrong);
    });

    it('is given a resource that says what it is', async () => {
      const { serviceId } = stage().scene;
      await expectRefused(stage(), 'provider.attachResource', { serviceId }, invalid('resource'));
      const other = { ...resource('alb-1'), resourceType: 'RESOURCE_TYPE_ALB' };
      const refusal = refused('INVALID_ARGUMENT', 'RESOURCE_TYPE_MISMATCH', 'resource.resource_type');
      await expectRefused(stage(), 'provider.attachResource', { serviceId, resource: other }, refusal);
      const changed = { ...resource('nlb-1'), targets: [{ ip: '10.9.9.9', port: 9 }] };
      const attached = refused('ALREADY_EXISTS', 'RESOURCE_ALREADY_ATTACHED', 'resource.resource_id');
      await expectRefused(stage(), 'provider.attachResource', { serviceId, resource: changed }, attached);
    });

    const domainRpcs = ['declareCustomDomain', 'verifyCustomDomain', 'removeCustomDomain'] as const;
    it.each(domainRpcs)('has no custom domain that is no name: %s', async (rpc) => {
      const { serviceId } = stage().scene;
      const long = `${'a.'.repeat(120)}com`;
      for (const domainName of ['', 'com', '*', 'a b.c', 'a\0.com', '10.0.0.1', `x.${stage().run.dns.suffix}`, long]) {
        await expectRefused(stage(), `provider.${rpc}`, { serviceId, domainName }, invalid('domain_name'));
      }
    });

    it('supports other regions of this installation, and neither its own nor any that there is not', async () => {
      const { serviceId } = stage().scene;
      for (const regionId of ['cn-hangzhou', 'moon', '']) {
        for (const rpc of ['provider.addSupportedRegion', 'provider.removeSupportedRegion']) {
          await expectRefused(stage(), rpc, { serviceId, regionId }, invalid('region_id'));
        }
      }
    });

    it('has no domain checked that it did not declare', async () => {
      const { serviceId } = stage().scene;
      const refusal = refused('NOT_FOUND', 'CUSTOM_DOMAIN_NOT_FOUND', 'domain_name');
      const say = { serviceId, domainName: 'never.example.com' };
      await expectRefused(stage(), 'provider.verifyCustomDomain', say, refusal);
    });

    it('keeps its owner on its whitelist, and says what an update changes', async () => {
      const { serviceId } = stage().scene;
      const owner = refused('FAILED_PRECONDITION', 'ENDPOINT_SERVICE_OWNER_REQUIRED', 'account_id');
      await expectRefused(stage(), 'provider.removeServiceUser', { serviceId, accountId: accounts.P }, owner);
      await expectRefused(stage(), 'provider.updateEndpointService', { serviceId }, invalid('description'));
    });

    it.each([
      [Array.from({ length: 21 }, (_, index) => ({ key: `k${index}`, value: '' })), ['']],
      [[{ key: '', value: '' }], ['[0].key']],
      [[{ key: 'a'.repeat(65), value: 'b'.repeat(129) }], ['[0].key', '[0].value']],
      [[{ key: '\0', value: '\0' }], ['[0].key', '[0].value']],
      [['a', 'b', 'a'].map((key) => ({ key, value: '' })), ['[2].key']],
    ])('has no tags like these: %j', async (tags, paths) => {
      const { serviceId } = stage().scene;
      const at = (list: string) => invalid(...paths.map((path) => list + path));
      await expectRefused(stage(), 'provider.createEndpointService', { tags }, at('tags'));
      await expectRefused(stage(), 'provider.updateEndpointService', { serviceId, tags: { tags } }, at('tags.tags'));
    });

    it.each([
      { seconds: 0n, nanos: 0 },
      { seconds: 0n, nanos: 999_000_000 },
      { seconds: -1n, nanos: 0 },
      { seconds: 1n, nanos: 1 },
      { seconds: 1n, nanos: -1_000_000 },
      { seconds: 1n, nanos: 1_000_000_000 },
      { seconds: 3_650n * 86_400n, nanos: 0 },
      { seconds: 2n ** 63n - 1n, nanos: 0 },
    ])('accepts nobody for $seconds s and $nanos ns', async (approvalTtl) => {
      const said = { serviceId: stage().scene.serviceId, accountId: accounts.C, approvalTtl };
      await expectRefused(stage(), 'provider.addServiceUser', said, invalid('approval_ttl'));
    });

    it('has no resource but its own to change', async () => {
      const { serviceId } = stage().scene;
      const said = { serviceId, resourceId: 'nlb-1', zoneId: 'moon-1' };
      await expectRefused(stage(), 'provider.updateResource', said, invalid('zone_id'));
      const none = refused('NOT_FOUND', 'RESOURCE_NOT_FOUND', 'resource_id');
      await expectRefused(stage(), 'provider.updateResource', { ...said, zoneId: OTHER_ZONE }, none);
    });
  });
};
