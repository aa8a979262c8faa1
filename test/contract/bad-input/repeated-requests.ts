import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { absent } from '../../access/row.ts';
import { rpcOf } from '../../access/rpcs.ts';
import { type Scene, ZONE } from '../../access/scene.ts';
import { callAsAllowed, expectRefused, type GetStage } from './stage.ts';

type Pair = Readonly<{ title: string; first: (scene: Scene) => object; change: object }>;

const vpc = ({ networks }: Scene) => ({ vpcId: networks.C.vpcId });
const service = ({ closedServiceId: serviceId }: Scene) => ({ serviceId });
const report = (scope: string) => ({ scope: { scope: { $case: 'resourceId', value: scope } }, source: 'repeated' });

const pairs: readonly Pair[] = [
  { title: 'consumer.registerVpc', first: () => ({ ipv4Cidr: '10.3.0.0/16' }), change: { ipv4Cidr: '10.4.0.0/16' } },
  {
    title: 'consumer.registerVSwitch',
    first: (scene) => ({ ...vpc(scene), zoneId: ZONE, ipv4Cidr: '10.0.8.0/24' }),
    change: { ipv4Cidr: '10.0.9.0/24' },
  },
  {
    title: 'consumer.registerSecurityGroup',
    first: vpc,
    change: {
      rules: [
        {
          ...{ policy: 'SECURITY_GROUP_POLICY_ALLOW', protocol: 'tcp', fromPort: 1, toPort: 1 },
          ...{ sourceCidr: '10.0.0.0/8', priority: 1 },
        },
      ],
    },
  },
  {
    title: 'consumer.createEndpoint',
    first: ({ serviceId, networks: { C } }) => ({
      ...{ service: serviceId, endpointType: 'ENDPOINT_TYPE_INTERFACE', vpcId: C.vpcId },
      ...{
        zones: [{ zoneId: '', vswitchId: C.vswitchId, ipv4Address: '', ipv6Address: '' }],
        securityGroupIds: [C.securityGroupId],
      },
    }),
    change: { description: 'another' },
  },
  {
    title: 'consumer.updateEndpoint',
    first: ({ endpointId }) => ({ endpointId, description: 'a' }),
    change: { description: 'b' },
  },
  {
    title: 'consumer.setEndpointPolicy',
    first: ({ endpointId }) => ({
      ...{ endpointId, policy: '{"Version":"1","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}' },
    }),
    change: { policy: '' },
  },
  {
    title: 'consumer.lockEndpoint',
    first: ({ idleEndpointId: endpointId }) => ({ endpointId, message: 'abuse' }),
    change: { message: 'more abuse' },
  },
  {
    title: 'provider.createEndpointService',
    first: () => ({ description: 'one', resources: [] }),
    change: { description: 'another' },
  },
  {
    title: 'provider.updateEndpointService',
    first: (s) => ({ ...service(s), description: 'a' }),
    change: { description: 'b' },
  },
  {
    title: 'provider.addServiceUser',
    first: (scene) => ({ ...service(scene), accountId: '4000000000000004' }),
    change: { accountId: absent.account },
  },
  {
    title: 'provider.removeServiceUser',
    first: (scene) => ({ ...service(scene), accountId: '4000000000000004' }),
    change: { accountId: absent.account },
  },
  {
    title: 'provider.addServiceUser',
    first: (scene) => ({ ...service(scene), accountId: '6000000000000006', maxConnections: 0 }),
    change: { maxConnections: undefined },
  },
  {
    title: 'provider.updateEndpointService',
    first: (s) => ({ ...service(s), tags: { tags: [{ key: 'a', value: '' }] } }),
    change: { tags: { tags: [] } },
  },
  {
    title: 'provider.updateResource',
    first: (s) => ({ ...service(s), resourceId: 'nlb-1', zoneId: ZONE, autoAllocated: false }),
    change: { autoAllocated: true },
  },
  {
    title: 'provider.setAutoAccept',
    first: (s) => ({ ...service(s), autoAccept: true }),
    change: { acceptWaiting: true },
  },
  {
    title: 'broker.rejectConnection',
    first: ({ endpointId }) => ({ connectionId: endpointId, message: 'no' }),
    change: { message: 'never' },
  },
  {
    title: 'broker.acceptConnection',
    first: ({ endpointId }) => ({ connectionId: endpointId, message: 'yes' }),
    change: { message: 'always' },
  },
  // The last one on this service: it refuses all others.
  { title: 'provider.lockEndpointService', first: (s) => ({ ...service(s), message: 'a' }), change: { message: 'b' } },
  ...['broker.reportPaymentOverdue', 'broker.reportPaymentSettled'].map((title, index) => ({
    ...{ title, first: () => ({ ...report(absent.endpoint), sequence: BigInt(index + 1) }), change: { sequence: 9n } },
  })),
];

/** One request id for two different requests, and one request sent twice. */
export const repeatedRequests = (stage: GetStage): void => {
  describe('a request id', () => {
    it.each(pairs.map((pair) => [pair.title, pair] as const))('says one thing only: %s', async (title, pair) => {
      const said = { ...pair.first(stage().scene), requestId: randomUUID() };
      const first = await callAsAllowed(stage(), rpcOf(title), said);
      expect(first.code, first.message).toBe('OK');
      await stage().quiet();

      const reused = { code: 'INVALID_ARGUMENT', reason: 'REQUEST_ID_REUSED', fields: ['request_id'] };
      await expectRefused(stage(), title, { ...said, ...pair.change }, reused);

      const before = await stage().store.tail();
      const again = await callAsAllowed(stage(), rpcOf(title), said);
      expect(revisionOf(again.responses[0])).toBe(revisionOf(first.responses[0]));
      expect(await stage().store.tail(), 'a repeat is recorded').toBe(before);
    });
  });
};

const revisionOf = (response: object | undefined): bigint => (response as { revision: bigint }).revision;
