import { HoldReason } from '@privatelink/proto/broker/v1/connection';
import { Payer } from '@privatelink/proto/common/v1/common';
import type { Fact } from '@privatelink/proto/events/v1/fact';
import { ResourceType } from '@privatelink/proto/provider/v1/endpoint_service';
import { RemoteError } from '@privatelink/shared/grpc/remote-error';
import { queryDns, queryDnsOverTcp } from '../support/dns-query.ts';
import { acceptRequest, anyPortOf } from '../support/scenario.ts';
import { startBackend } from '../support/traffic/backend.ts';
import { localClient } from '../support/traffic/client.ts';
import { apiFor, CALL, requestId } from '../support/world.ts';
import {
  Difference,
  expectEqual,
  expectReason,
  followStatuses,
  narrateStatusChanges,
  type Stage,
  type Story,
} from './story.ts';
import { checkTraffic } from './traffic-checks.ts';

const PROVIDER = '1000000000000001';
const CONSUMER = '2000000000000002';
const ZONES = ['cn-hangzhou-h', 'cn-hangzhou-i'] as const;

/** A consumer reaches a provider's service, loses it over unpaid bills, gets it back, and outlives it. */
export const lifecycle: Story = {
  name: 'lifecycle',
  about: 'two accounts: accept, connect, overdue and settled on both sides, reject, force delete',
  forwarding: 'loopback',
  play: async (stage: Stage) => {
    const { run, feed, narrator, use } = stage;
    const backends = await Promise.all(ZONES.map(async (zone) => use(await startBackend({ zone }))));
    const provider = use(await apiFor(run, { account: PROVIDER, roles: ['provider'], subject: 'paula' }));
    const consumer = use(await apiFor(run, { account: CONSUMER, roles: ['consumer'], subject: 'carl' }));
    const billing = use(await apiFor(run, { account: '', roles: ['billing'], subject: 'billing' }));
    let serviceId = '';
    let domainName: string | undefined;
    let sequence = 0n;
    const told = narrateStatusChanges(stage, { domainName: () => domainName });
    const { act, checked } = narrator;

    const namesAnswer = async (expected: 'NODATA' | 'NXDOMAIN' | readonly string[]) => {
      for (const ask of [queryDns, queryDnsOverTcp]) {
        const { rcode, records } = await ask(run.dns.address, domainName ?? '');
        const got = records.length > 0 ? records : rcode === 'NOERROR' ? 'NODATA' : rcode;
        expectEqual(`what DNS answers for ${domainName}`, got, expected);
      }
      checked(`DNS answers ${typeof expected === 'string' ? expected : expected.join(' ')} over UDP and TCP`);
    };

    const report = async (overdue: boolean, resourceId: string) => {
      sequence++;
      const scope = { scope: { $case: 'resourceId', value: resourceId } } as const;
      const request = { requestId: requestId(), source: 'billing', scope, sequence, message: '' };
      if (overdue) await billing.broker.reportPaymentOverdue(request, CALL);
      else await billing.broker.reportPaymentSettled(request, CALL);
    };

    narrator.title('The provider publishes a service; the consumer asks for it');
    act('provider creates a service with a load balancer in two zones, manual acceptance');
    const created = await provider.provider.createEndpointService(
      {
        requestId: requestId(),
        serviceType: 'ENDPOINT_TYPE_INTERFACE',
        addressType: 'ADDRESS_TYPE_IPV4',
        description: 'demo',
        autoAccept: false,
        payer: Payer.ENDPOINT,
        resources: backends.map(({ zone, ip, port }, index) => ({
          resourceId: `nlb-${index + 1}`,
          resourceType: ResourceType.NLB,
          zoneId: zone,
          targets: [{ ip, port }],
          vpcId: '',
          proxyProtocol: true,
        })),
        tags: [],
      },
      CALL,
    );
    serviceId = created.endpointService?.serviceId ?? '';
    const serviceName = created.endpointService?.serviceName ?? '';
    await feed.next(
      ({ fact, resourceId }) => resourceId === serviceId && fact.transition?.to === 'ACTIVE',
      'service ACTIVE',
    );

    act('consumer looks the service up before it is whitelisted: it does not exist for it');
    await expectNotFound(() => consumer.provider.getEndpointService({ serviceId: serviceName }, CALL));
    act('provider whitelists the consumer');
    const user = { requestId: requestId(), serviceId, accountId: CONSUMER, approvalTtl: undefined };
    await provider.provider.addServiceUser(user, CALL);
    await consumer.provider.getEndpointService({ serviceId: serviceName }, CALL);

    act('consumer registers its network and creates an endpoint in two zones');
    const { vpc } = await consumer.consumer.registerVpc(
      { requestId: requestId(), ipv4Cidr: '10.0.0.0/16', ipv6Cidr: '' },
      CALL,
    );
    const vpcId = vpc?.vpcId ?? '';
    const vswitches = await Promise.all(
      ZONES.map((zoneId, index) =>
        consumer.consumer.registerVSwitch(
          { requestId: requestId(), vpcId, zoneId, ipv4Cidr: `10.0.${index + 1}.0/24`, ipv6Cidr: '' },
          CALL,
        ),
      ),
    );
    const rules = [anyPortOf('10.0.0.0/16')];
    const group = await consumer.consumer.registerSecurityGroup({ requestId: requestId(), vpcId, rules }, CALL);
    const { endpoint } = await consumer.consumer.createEndpoint(
      {
        requestId: requestId(),
        service: serviceName,
        endpointType: 'ENDPOINT_TYPE_INTERFACE',
        addressType: 'ADDRESS_TYPE_IPV4',
        vpcId,
        zones: vswitches.map(({ vswitch }) => ({
          zoneId: '',
          vswitchId: vswitch?.vswitchId ?? '',
          ipv4Address: '',
          ipv6Address: '',
        })),
        securityGroupIds: [group.securityGroup?.securityGroupId ?? ''],
        description: 'demo',
        ...{ protected: false, tags: [], expectedPayer: Payer.UNSPECIFIED, policy: '', targets: [] },
      },
      CALL,
    );
    const endpointId = endpoint?.endpointId ?? '';
    domainName = endpoint?.domainName;
    const addresses = (endpoint?.zones ?? []).map(({ ipv4Address }) => ipv4Address).sort();
    const connectionReaches = followStatuses(stage, endpointId, told);
    const traffic = checkTraffic(stage, { consumer, connectionId: endpointId, client: localClient });
    const holds = async (...expected: string[]) => {
      const { connection } = await consumer.broker.getConnection({ connectionId: endpointId }, CALL);
      const reasons = connection?.holds.map(({ reason }) => reason.replace('HOLD_REASON_', ''));
      expectEqual('holds', reasons, expected);
    };
    await connectionReaches('DISCONNECTED');
    await holds('AWAITING_ACCEPTANCE');
    await feed.next(
      ({ fact, resourceId }) => resourceId === endpointId && fact.type === 'NamesReserved',
      'names reserved',
    );
    await namesAnswer('NODATA');

    narrator.title('Accepted: connected');
    act('provider accepts');
    const accept = () => provider.broker.acceptConnection(acceptRequest(endpointId, 'welcome'), CALL);
    await accept();
    await connectionReaches('CONNECTING', 'CONNECTED');
    await namesAnswer(addresses);
    await traffic.flows();
    await feed.next(
      ({ fact, resourceId }) => resourceId === endpointId && fact.type === 'EndpointActivated',
      'endpoint active',
    );
    const used = await consumer.consumer.getEndpoint({ endpointId }, CALL);
    expectEqual('usable', used.endpoint?.usable, true);

    narrator.title('Bills are not paid: disconnected; both must be settled');
    act('billing reports the endpoint overdue');
    await report(true, endpointId);
    await connectionReaches('DISCONNECTING', 'DISCONNECTED');
    await traffic.isCut();
    await namesAnswer('NODATA');
    act('billing reports the service overdue too');
    await report(true, serviceId);
    await feed.next(({ fact, resourceId }) => resourceId === endpointId && holdsService(fact), 'the second hold');
    await holds('ENDPOINT_PAYMENT_OVERDUE', 'SERVICE_PAYMENT_OVERDUE');
    act('billing reports the endpoint settled: still disconnected');
    await report(false, endpointId);
    await feed.next(
      ({ fact, resourceId }) => resourceId === endpointId && fact.type === 'HoldLifted',
      'the first lift',
    );
    await connectionReaches();
    await holds('SERVICE_PAYMENT_OVERDUE');
    act('billing reports the service settled');
    await report(false, serviceId);
    await connectionReaches('CONNECTING', 'CONNECTED');
    await namesAnswer(addresses);
    await traffic.flows();
    checked('the addresses are the same as before');

    narrator.title('Rejected and accepted again');
    act('provider rejects');
    await provider.broker.rejectConnection(
      { requestId: requestId(), connectionId: endpointId, message: 'not now' },
      CALL,
    );
    await connectionReaches('DISCONNECTING', 'DISCONNECTED');
    await traffic.isCut();
    await holds('REJECTED');
    await namesAnswer('NODATA');
    act('provider accepts');
    await accept();
    await connectionReaches('CONNECTING', 'CONNECTED');
    await namesAnswer(addresses);
    await traffic.flows();

    narrator.title('The service goes; then the endpoint');
    act('provider deletes the service: refused, a connection is up');
    await expectReason('ENDPOINT_SERVICE_IN_USE', () =>
      provider.provider.deleteEndpointService({ requestId: requestId(), serviceId, force: false }, CALL),
    );
    act('provider deletes the service by force');
    await provider.provider.deleteEndpointService({ requestId: requestId(), serviceId, force: true }, CALL);
    await connectionReaches('SERVICE_DELETED');
    await traffic.isCut();
    await feed.next(
      ({ fact, resourceId }) => resourceId === serviceId && fact.transition?.to === 'GONE',
      'service gone',
    );
    await expectNotFound(() => provider.provider.getEndpointService({ serviceId }, CALL));
    await namesAnswer('NODATA');
    act('consumer deletes the endpoint');
    await consumer.consumer.deleteEndpoint({ requestId: requestId(), endpointId, force: false }, CALL);
    await connectionReaches('DELETING', 'GONE');
    await feed.next(
      ({ fact, resourceId }) =>
        resourceId === endpointId && fact.resource?.$case === 'endpoint' && fact.transition?.to === 'GONE',
      'endpoint gone',
    );
    await told();
    await expectNotFound(() => consumer.consumer.getEndpoint({ endpointId }, CALL));
    await namesAnswer('NXDOMAIN');
  },
};

const holdsService = (fact: Fact): boolean =>
  fact.resource?.$case === 'connection' &&
  fact.resource.value.holds.some(({ reason }) => reason === HoldReason.SERVICE_PAYMENT_OVERDUE);

const expectNotFound = async (call: () => Promise<unknown>): Promise<void> => {
  try {
    await call();
  } catch (error) {
    if (!(error instanceof RemoteError)) throw error;
    expectEqual('gRPC code', error.code, 5);
    return;
  }
  throw new Difference('expected NOT_FOUND');
};
