import { describe, it } from 'vitest';
import { absent } from '../../access/row.ts';
import { accounts, ZONE } from '../../access/scene.ts';
import { expectRefused, type GetStage, invalid, type Refusal, refused } from './stage.ts';

const ANY = 'ENDPOINT_TYPE_INTERFACE';
const OTHER_ZONE = 'cn-hangzhou-i';

/** What an endpoint cannot be made of, and what else cannot be said. */
export const endpoints = (stage: GetStage): void => {
  const endpoint = (change: object = {}) => {
    const { serviceId, networks } = stage().scene;
    const { vpcId, vswitchId, securityGroupId } = networks.C;
    const zones = [{ zoneId: ZONE, vswitchId, ipv4Address: '', ipv6Address: '' }];
    const right = { service: serviceId, vpcId, zones, securityGroupIds: [securityGroupId] };
    return { endpointType: 'ENDPOINT_TYPE_INTERFACE', ...right, ...change };
  };
  const zone = (change: object = {}) => {
    const { vswitchId } = stage().scene.networks.C;
    return { zoneId: ZONE, vswitchId, ipv4Address: '', ipv6Address: '', ...change };
  };
  const cannotCreate = (change: object, refusal: Refusal) =>
    expectRefused(stage(), 'consumer.createEndpoint', endpoint(change), refusal);

  describe('an endpoint', () => {
    it('has 1 to 10 zones, each once, and each where its vSwitch is', async () => {
      await cannotCreate({ zones: [] }, invalid('zones'));
      await cannotCreate({ zones: Array(11).fill(zone()) }, invalid('zones'));
      const twice = refused('INVALID_ARGUMENT', 'ZONE_DUPLICATE', 'zones[1].zone_id');
      await cannotCreate({ zones: [zone(), zone()] }, twice);
      const elsewhere = refused('INVALID_ARGUMENT', 'ZONE_VSWITCH_MISMATCH', 'zones[0].zone_id');
      await cannotCreate({ zones: [zone({ zoneId: OTHER_ZONE })] }, elsewhere);
      await cannotCreate({ zones: [zone({ zoneId: 'moon-1' })] }, invalid('zones[0].zone_id'));
    });

    it('has 1 to 10 security groups', async () => {
      const required = refused('INVALID_ARGUMENT', 'SECURITY_GROUP_REQUIRED', 'security_group_ids');
      await cannotCreate({ securityGroupIds: [] }, required);
      const eleven = Array.from({ length: 11 }, (_, index) => `sg-${String(index).padStart(20, '0')}`);
      await cannotCreate({ securityGroupIds: eleven }, invalid('security_group_ids'));
      const none = refused('NOT_FOUND', 'SECURITY_GROUP_NOT_FOUND', 'security_group_ids[0]');
      await cannotCreate({ securityGroupIds: [absent.securityGroup] }, none);
    });

    it.each([
      ['10.0.1.0', 'RESERVED'],
      ['10.0.1.3', 'RESERVED'],
      ['10.0.1.255', 'RESERVED'],
      ['10.0.1.4', 'IN_USE'],
      ['10.0.2.4', 'OUTSIDE_VSWITCH'],
      ['10.0.1', 'MALFORMED'],
      ['fd00::1', 'MALFORMED'],
      ['10.0.1.9\0', 'MALFORMED'],
      ['x'.repeat(50_000), 'MALFORMED'],
    ])('cannot have the address %j: %s', async (ipv4Address) => {
      const refusal = refused('FAILED_PRECONDITION', 'REQUESTED_ADDRESS_UNAVAILABLE', 'zones[0].ipv4_address');
      await cannotCreate({ zones: [zone({ ipv4Address })] }, refusal);
    });

    it.each([
      ['fd00::5', 'NOT_DUAL_STACK'],
      ['x'.repeat(50_000), 'NOT_DUAL_STACK'],
    ])('without IPv6 cannot have the address %j: %s', async (ipv6Address) => {
      const refusal = refused('FAILED_PRECONDITION', 'REQUESTED_ADDRESS_UNAVAILABLE', 'zones[0].ipv6_address');
      await cannotCreate({ zones: [zone({ ipv6Address })] }, refusal);
    });

    it.each(['', 'x'.repeat(254)])('is of a service: %j', async (service) => {
      await cannotCreate({ service }, invalid('service'));
    });

    it.each(['x', '\0', 'com.privatelink.cn-hangzhou', `com.${absent.service}`, `${absent.service}.com`])(
      'is of a service that there is: %j',
      async (service) => {
        await cannotCreate({ service }, { code: 'NOT_FOUND', reason: 'ENDPOINT_SERVICE_NOT_FOUND' });
      },
    );

    it('is of the type that the service takes', async () => {
      const refusal = refused('FAILED_PRECONDITION', 'ENDPOINT_TYPE_MISMATCH', 'endpoint_type');
      const targets = [{ ip: '10.0.1.77', port: 5432 }];
      await cannotCreate({ endpointType: 'ENDPOINT_TYPE_REVERSE', targets }, refusal);
      await cannotCreate({ endpointType: 'ENDPOINT_TYPE_GATEWAY_LOAD_BALANCER', securityGroupIds: [] }, refusal);
    });

    it('is where the service is', async () => {
      const said = {
        ...{ service: stage().scene.serviceId, endpointId: absent.endpoint, accountId: accounts.C },
        ...{ endpointType: 'ENDPOINT_TYPE_INTERFACE', zoneIds: [ZONE, OTHER_ZONE] },
      };
      const refusal = refused('FAILED_PRECONDITION', 'ZONE_NOT_OFFERED', 'zones');
      await expectRefused(stage(), 'provider.admitEndpoint', said, refusal);
    });

    it('is in another region only where the service supports it, and says where that is', async () => {
      const { serviceId: service } = stage().scene;
      await cannotCreate({ serviceRegion: 'moon' }, invalid('service_region'));
      const elsewhere = refused('FAILED_PRECONDITION', 'SERVICE_REGION_MISMATCH', 'service_region');
      await cannotCreate({ serviceRegion: 'cn-shanghai' }, elsewhere);
      const said = {
        ...{ service, endpointId: absent.endpoint, accountId: accounts.C, zoneIds: ['cn-shanghai-a'] },
        ...{ endpointType: 'ENDPOINT_TYPE_INTERFACE', regionId: 'cn-shanghai', serviceRegion: 'cn-hangzhou' },
      };
      const refusal = refused('FAILED_PRECONDITION', 'REGION_NOT_SUPPORTED', 'vpc_id');
      await expectRefused(stage(), 'provider.admitEndpoint', said, refusal);
      const garbled = { ...said, regionId: '\0', serviceRegion: '' };
      await expectRefused(stage(), 'provider.admitEndpoint', garbled, invalid('region_id', 'service_region'));
    });

    it('has at most 20 tags, each key once', async () => {
      const tag = (key: string, value = '') => ({ key, value });
      await cannotCreate({ tags: Array.from({ length: 21 }, (_, index) => tag(`${index}`)) }, invalid('tags'));
      await cannotCreate({ tags: [tag('a'), tag('a')] }, invalid('tags[1].key'));
      await cannotCreate({ tags: [tag('')] }, invalid('tags[0].key'));
      await cannotCreate({ tags: [tag('x'.repeat(65))] }, invalid('tags[0].key'));
      await cannotCreate({ tags: [tag('a', 'x'.repeat(129))] }, invalid('tags[0].value'));
    });

    it.each([
      ['x', 'policy'],
      ['{}', 'policy.Version', 'policy.Statement'],
      ['{"Version":"1","Statement":{"Effect":"Allow","Action":"*","Resource":"*","Sid":"x"}}', 'policy.Statement.Sid'],
      ['{"Version":"1","Statement":[{"Effect":"Maybe","Action":"*","Resource":"*"}]}', 'policy.Statement[0].Effect'],
      [`"${'x'.repeat(100_000)}"`, 'policy'],
      ['['.repeat(8_000), 'policy'],
    ])('has no policy %j', async (policy, ...fields) => {
      await cannotCreate({ policy }, invalid(...fields));
      const { endpointId } = stage().scene;
      await expectRefused(stage(), 'consumer.setEndpointPolicy', { endpointId, policy }, invalid(...fields));
    });

    it('that is a next hop has one zone and no security group', async () => {
      const endpointType = 'ENDPOINT_TYPE_GATEWAY_LOAD_BALANCER';
      const hasGroup = refused('FAILED_PRECONDITION', 'ENDPOINT_TYPE_MISMATCH', 'security_group_ids');
      await cannotCreate({ endpointType }, hasGroup);
      const { vswitchId } = stage().scene.networks.C;
      const zones = [zone({ zoneId: '' }), { zoneId: OTHER_ZONE, vswitchId, ipv4Address: '', ipv6Address: '' }];
      const refusal = refused('FAILED_PRECONDITION', 'ZONE_COUNT', 'zones');
      await cannotCreate({ endpointType, zones, securityGroupIds: [] }, refusal);
    });

    it('names everything that is wrong with it at once', async () => {
      const wrong = { vpcId: 'x', endpointType: 'UNRECOGNIZED', description: '\0', zones: [], securityGroupIds: ['x'] };
      const fields = ['endpoint_type', 'vpc_id', 'description', 'zones', 'security_group_ids[0]'];
      await cannotCreate(wrong, invalid(...fields));
    });
  });

  describe('a payment report', () => {
    const report = (change: object, refusal: Refusal) => {
      const scope = { scope: { $case: 'resourceId', value: stage().scene.endpointId } };
      const said = { source: 'billing', sequence: 1n, scope, ...change };
      return expectRefused(stage(), 'broker.reportPaymentOverdue', said, refusal);
    };

    it('names its source, its scope and its place in the order', async () => {
      for (const source of ['', 'Billing', 'a b', '\0', 'x'.repeat(65)]) await report({ source }, invalid('source'));
      for (const sequence of [0n, 2n ** 53n, 2n ** 64n - 1n]) await report({ sequence }, invalid('sequence'));
      await report({ scope: undefined }, invalid('scope.resource_id'));
      await report({ scope: { scope: undefined } }, invalid('scope.resource_id'));
      const account = { scope: { $case: 'accountId', value: '*' } };
      await report({ scope: account }, invalid('scope.account_id'));
    });
  });

  describe('what is to be explained', () => {
    const explain = (said: object, ...fields: string[]) =>
      expectRefused(stage(), 'broker.explainReachability', said, invalid(...fields));

    it('is an endpoint alone, or a service', async () => {
      const { endpointId, serviceId: service } = stage().scene;
      for (const id of ['', 'x', '\0', 'x'.repeat(100_000)]) await explain({ endpointId: id }, 'endpoint_id');
      const zoneIds = [ZONE];
      const regionId = 'cn-hangzhou';
      for (const more of [{ service }, { accountId: accounts.C }, { zoneIds }, { endpointType: ANY }, { regionId }]) {
        await explain({ endpointId, ...more }, 'endpoint_id');
      }
    });

    it('is in zones, of an account, of a type', async () => {
      const { serviceId: service } = stage().scene;
      await explain({ service, accountId: '*', endpointType: 'UNRECOGNIZED' }, 'endpoint_type', 'account_id');
      await explain({ service, zoneIds: Array(11).fill(ZONE) }, 'zone_ids');
      await explain({ service, zoneIds: [ZONE, '\0'] }, 'zone_ids[1]');
      await explain({ service: 'x'.repeat(254) }, 'service');
      await explain({ service, regionId: '\0' }, 'region_id');
    });
  });

  describe('what services ask of each other', () => {
    it('is refused when it could not be kept', async () => {
      const { endpointId, serviceId } = stage().scene;
      const large = 2n ** 53n;
      const refuse = (title: string, said: object, ...fields: string[]) =>
        expectRefused(stage(), title, said, invalid(...fields));
      await refuse('provider.confirmServiceTeardown', { serviceId, serviceRevision: large }, 'service_revision');
      await refuse('provider.confirmServiceTeardown', { serviceId, connectionCount: large }, 'connection_count');
      await refuse(
        'broker.closeService',
        { serviceId, serviceRevision: large, actor: 'root', regionId: '' },
        'service_revision',
        'actor',
        'region_id',
      );
      await refuse(
        'provider.explainAdmission',
        { accountId: '*', endpointType: 'UNRECOGNIZED', zoneIds: ['\0'] },
        ...['account_id', 'endpoint_type', 'zone_ids[0]'],
      );
      await refuse('broker.closeResource', { serviceId, zoneId: '', resourceId: '\0' }, 'zone_id', 'resource_id');
      await refuse('broker.recordServiceFact', { serviceId }, 'fact');
      const fact = { $case: 'userRemoved', value: 'everybody' };
      await refuse('broker.recordServiceFact', { serviceId, fact, actor: '\0' }, 'actor', 'user_removed');
      await refuse('broker.deleteConnection', { endpointId, actor: 'user:' }, 'actor');
      const nothing = { endpointId: absent.endpoint };
      await refuse('broker.watchZone', { agent: '/' }, 'zone_id', 'agent');
      await refuse('broker.reportForwarding', { generation: large }, 'connection_id', 'zone_id', 'generation', 'state');
      await refuse('broker.reportZoneHealth', { zoneId: '/' }, 'connection_id', 'zone_id');
      await refuse('broker.reportTraffic', { after: large, runs: ['/'] }, 'zone_id', 'meter_id', 'after', 'runs[0]');
      const meter = { zoneId: ZONE, meterId: 'meter', runs: ['a'] };
      const nothingRead = { run: 'a', receivedBytes: 0n, sentBytes: 0n, flows: 0n, openFlows: 0n, failedFlows: 0n };
      const read = (...readings: readonly object[]) => ({
        ...{ ...meter, readings: readings.map((one) => ({ ...nothingRead, connectionId: endpointId, ...one })) },
      });
      const [first, second] = ['readings[0]', 'readings[1]'];
      await refuse(
        'broker.reportTraffic',
        read({ connectionId: 'x', run: 'b' }),
        `${first}.connection_id`,
        `${first}.run`,
      );
      await refuse('broker.reportTraffic', read({}, {}), `${second}.connection_id`);
      await refuse('broker.reportTraffic', { ...meter, runs: Array.from({ length: 1_001 }, () => 'a') }, 'runs');
      await refuse(
        'broker.reportTraffic',
        read(
          ...Array.from({ length: 1_001 }, (_, index) => ({ connectionId: `ep-${String(index).padStart(20, '0')}` })),
        ),
        'readings',
      );
      await refuse('broker.requestConnection', nothing, 'account_id', 'vpc_id', 'zones', 'admission');
    });

    it('names that cannot be answered are refused before they are recorded', async () => {
      const { endpointId, networks } = stage().scene;
      const owned = { endpointId, vpcId: networks.C.vpcId, accountId: accounts.C };
      const below = `${endpointId}.privatelink.internal`;
      const put = (name: object, ...fields: string[]) => {
        const right = { domainName: below, ipv4Addresses: ['10.0.0.1'], ipv6Addresses: [], private: false };
        const said = { ...owned, generation: 99n, state: 'NAME_STATE_PUBLISHED', names: [{ ...right, ...name }] };
        return expectRefused(stage(), 'dns.putNames', said, invalid(...fields));
      };
      const elsewhere = ['example.com', 'privatelink.internal', 'xprivatelink.internal', `${below}.`, `a..${below}`];
      for (const domainName of [...elsewhere, '', `a b.${below}`, `${'x'.repeat(64)}.${below}`, '\0']) {
        await put({ domainName }, 'names[0].domain_name');
      }
      for (const domainName of [below, `*.${below}`, '', 'a b.example.com']) {
        await put({ domainName, private: true }, 'names[0].domain_name');
      }
      await put({ ipv4Addresses: ['10.0.0.1', 'fd00::1'] }, 'names[0].ipv4_addresses[1]');
      await put(
        { ipv6Addresses: ['10.0.0.1', 'fe80::1%eth0'] },
        'names[0].ipv6_addresses[0]',
        'names[0].ipv6_addresses[1]',
      );
      const said = { ...owned, generation: 2n ** 53n, state: 'NAME_STATE_UNSPECIFIED' };
      await expectRefused(stage(), 'dns.putNames', said, invalid('generation', 'state'));
      const zones = [
        { zoneId: '', ipv4Address: '10.0.0.256', ipv6Address: '' },
        { zoneId: 'a', ipv4Address: '10.0.0.1', ipv6Address: '10.0.0.1' },
      ];
      const fields = ['zones[0].zone_id', 'zones[0].ipv4_address', 'zones[1].ipv6_address'];
      const placed = { ...owned, generation: 99n, state: 'NAME_STATE_PUBLISHED' };
      await expectRefused(stage(), 'dns.putNames', { ...placed, zones }, invalid(...fields));
      const many = Array.from({ length: 101 }, () => ({ zoneId: 'a', ipv4Address: '10.0.0.1', ipv6Address: '' }));
      await expectRefused(stage(), 'dns.putNames', { ...placed, zones: many }, invalid('zones'));
    });

    it('a name to look up is one', async () => {
      for (const domainName of ['', '.', 'a..b', 'x'.repeat(254), 'a b', '\0']) {
        await expectRefused(stage(), 'dns.lookupDomain', { domainName }, invalid('domain_name'));
      }
      const other = { domainName: 'a.privatelink.internal', recordType: 'ANY' };
      await expectRefused(stage(), 'dns.lookupDomain', other, invalid('record_type'));
      const { domainName } = other;
      await expectRefused(stage(), 'dns.lookupDomain', { domainName, zoneId: ZONE }, invalid('vpc_id'));
      const nowhere = { domainName, vpcId: stage().scene.networks.C.vpcId, zoneId: 'a b' };
      await expectRefused(stage(), 'dns.lookupDomain', nowhere, invalid('zone_id'));
    });
  });
};
