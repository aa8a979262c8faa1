import { AddressType, EndpointType, Payer } from '@privatelink/proto/common/v1/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ConsumerStage, consumerStage } from './support/consumer-stage.ts';
import { newId } from './support/given.ts';

let stage: ConsumerStage;
beforeAll(async () => {
  stage = await consumerStage();
});
afterAll(() => stage?.close());

const dryRun = true;

/** `plctl apply` finds by this what it made a moment ago, before any list has it. */
describe('a dry run of a creation', () => {
  it('says the id before; and afterwards the same one, and that nothing would be done', async () => {
    const { consumer, provider, vpcId } = stage;
    const asked = () => ({ requestId: newId('r'), vpcId });
    const vpc = { requestId: newId('r'), ipv4Cidr: '10.7.0.0/16', ipv6Cidr: '' };
    const vswitch = { ...asked(), zoneId: 'cn-hangzhou-h', ipv4Cidr: '10.0.77.0/24', ipv6Cidr: '' };
    const group = { ...asked(), rules: [] };
    const table = asked();
    const service = {
      ...{ requestId: newId('r'), description: '', autoAccept: false, payer: Payer.ENDPOINT, resources: [], tags: [] },
      ...{ serviceType: EndpointType.INTERFACE, addressType: AddressType.IPV4 },
    } as const;
    const endpoint = stage.creation();
    type Said = Readonly<{ preview?: { events: readonly unknown[] } | undefined }>;
    const creations: readonly (readonly [
      string,
      (more: { dryRun?: true }) => Promise<readonly [string | undefined, Said]>,
    ])[] = [
      ['VPC', (more) => consumer.registerVpc({ ...vpc, ...more }, {}).then((said) => [said.vpc?.vpcId, said])],
      [
        'vSwitch',
        (more) => consumer.registerVSwitch({ ...vswitch, ...more }, {}).then((said) => [said.vswitch?.vswitchId, said]),
      ],
      [
        'security group',
        (more) =>
          consumer
            .registerSecurityGroup({ ...group, ...more }, {})
            .then((said) => [said.securityGroup?.securityGroupId, said]),
      ],
      [
        'route table',
        (more) =>
          consumer.registerRouteTable({ ...table, ...more }, {}).then((said) => [said.routeTable?.routeTableId, said]),
      ],
      [
        'service',
        (more) =>
          provider
            .createEndpointService({ ...service, ...more }, {})
            .then((said) => [said.endpointService?.serviceId, said]),
      ],
      [
        'endpoint',
        (more) =>
          consumer.createEndpoint({ ...endpoint, ...more }, {}).then((said) => [said.endpoint?.endpointId, said]),
      ],
    ];
    for (const [name, create] of creations) {
      const [foreseen, before] = await create({ dryRun });
      const [made] = await create({});
      const [known, after] = await create({ dryRun });
      expect([name, made, known]).toEqual([name, foreseen, foreseen]);
      expect([name, before.preview?.events.length]).not.toEqual([name, 0]);
      expect([name, after.preview?.events]).toEqual([name, []]);
    }
  });
});
