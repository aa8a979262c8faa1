import type { ExplainReachabilityRequest } from '@privatelink/proto/broker/v1/broker_service';
import { AddressType, EndpointType } from '@privatelink/proto/common/v1/common';
import {
  acceptRequest,
  createEndpoint,
  endpointRequest,
  publishService,
  registerNetwork,
} from '../support/scenario.ts';
import { type Api, apiFor, CALL, requestId } from '../support/world.ts';
import { expectEqual, followStatuses, narrateStatusChanges, type Stage, type Story } from './story.ts';

const PROVIDER = '1000000000000001';
const CONSUMER = '2000000000000002';
const [H, I] = ['cn-hangzhou-h', 'cn-hangzhou-i'] as const;

const NOTHING = {
  ...{ endpointId: '', service: '', accountId: '', zoneIds: [] },
  ...{ endpointType: EndpointType.UNSPECIFIED, addressType: AddressType.UNSPECIFIED },
};

/** Why is it not reached? All of it, to each side what it may know. */
export const explain: Story = {
  name: 'explain',
  about: 'what stands between an account, or an endpoint, and a service: all of it, and what removes it',
  forwarding: 'loopback',
  play: async (stage: Stage) => {
    const { run, feed, narrator, use } = stage;
    const provider = use(await apiFor(run, { account: PROVIDER, roles: ['provider'], subject: 'paula' }));
    const consumer = use(await apiFor(run, { account: CONSUMER, roles: ['consumer'], subject: 'carl' }));
    const billing = use(await apiFor(run, { account: '', roles: ['billing'], subject: 'billing' }));
    const told = narrateStatusChanges(stage, { domainName: () => undefined });
    const { act } = narrator;

    const expectObstacles = async (
      api: Api,
      said: Partial<ExplainReachabilityRequest>,
      ...expected: string[]
    ): Promise<void> => {
      const { obstacles, reachable } = await api.broker.explainReachability({ ...NOTHING, ...said }, CALL);
      const named = obstacles.map(({ reason, zoneId }) => `${reason.replace('OBSTACLE_REASON_', '')} ${zoneId}`.trim());
      expectEqual('what stands in the way', named, expected);
      expectEqual('whether it is reached', reachable, expected.length === 0);
      if (reachable) narrator.checked('nothing stands in the way');
      for (const [index, { whatToDo }] of obstacles.entries()) {
        narrator.checked(`${named[index]}: ${whatToDo}`);
      }
    };

    narrator.title('A service that the consumer may not see');
    act('provider publishes a service in one zone, with manual acceptance, for nobody but itself');
    const { serviceId, serviceName } = await publishService(provider, feed, { zones: [H] });
    const zoneIds = [H, I];
    act('consumer asks why it does not reach it: as if there were none');
    await expectObstacles(consumer, { service: serviceName, zoneIds }, 'SERVICE_NOT_FOUND');
    act('provider asks for the consumer, in two zones: everything at once');
    const ofConsumer = { service: serviceName, accountId: CONSUMER, zoneIds };
    await expectObstacles(provider, ofConsumer, ...['NOT_WHITELISTED', `ZONE_NOT_OFFERED ${I}`, 'AWAITING_ACCEPTANCE']);
    act('provider whitelists the consumer, which asks again');
    const user = { requestId: requestId(), serviceId, accountId: CONSUMER, approvalTtl: undefined };
    await provider.provider.addServiceUser(user, CALL);
    await expectObstacles(consumer, { service: serviceName, zoneIds: [H] }, 'AWAITING_ACCEPTANCE');

    narrator.title('An endpoint that three things hold');
    act('consumer creates an endpoint, and pauses it; billing reports it overdue');
    const network = await registerNetwork(consumer, { zones: [H] });
    const { endpointId } = await createEndpoint(consumer, endpointRequest({ serviceName }, network));
    const reaches = followStatuses(stage, endpointId, told);
    await reaches('DISCONNECTED');
    await feed.next(
      ({ fact, resourceId }) =>
        resourceId === endpointId && fact.resource?.$case === 'endpoint' && fact.transition?.to === 'ACTIVE',
      'endpoint ACTIVE',
    );
    const named = () => ({ requestId: requestId(), connectionId: endpointId });
    await consumer.broker.pauseConnection({ ...named(), message: 'until monday' }, CALL);
    const scope = { scope: { $case: 'resourceId', value: endpointId } } as const;
    const bill = (sequence: bigint) => ({ requestId: requestId(), source: 'billing', scope, sequence, message: '' });
    await billing.broker.reportPaymentOverdue(bill(1n), CALL);
    const changes = (type: string, reason: string) =>
      feed.next(
        ({ fact, resourceId }) =>
          resourceId === endpointId &&
          fact.type === type &&
          fact.resource?.$case === 'connection' &&
          fact.resource.value.holds.some((hold) => hold.reason.endsWith(reason)) === (type === 'HoldPlaced'),
        `${type} ${reason}`,
      );
    await changes('HoldPlaced', 'ENDPOINT_PAYMENT_OVERDUE');
    const all = ['AWAITING_ACCEPTANCE', 'ENDPOINT_PAYMENT_OVERDUE', 'PAUSED_BY_CONSUMER'];
    await expectObstacles(consumer, { endpointId }, ...all);
    await expectObstacles(provider, { endpointId }, ...all);
    act('provider accepts');
    await provider.broker.acceptConnection(acceptRequest(endpointId), CALL);
    await expectObstacles(consumer, { endpointId }, ...all.slice(1));
    act('billing reports it settled');
    await billing.broker.reportPaymentSettled(bill(2n), CALL);
    await changes('HoldLifted', 'ENDPOINT_PAYMENT_OVERDUE');
    await expectObstacles(consumer, { endpointId }, 'PAUSED_BY_CONSUMER');
    act('consumer resumes');
    await consumer.broker.resumeConnection(named(), CALL);
    await reaches('CONNECTING', 'CONNECTED');
    await expectObstacles(consumer, { endpointId });
    await expectObstacles(provider, { endpointId });
  },
};
