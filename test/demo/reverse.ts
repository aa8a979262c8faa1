import { groupFor, publishReverseService, registerOneZone, reverseTo } from '../support/reverse.ts';
import { acceptRequest, createEndpoint, endpointRequest, openCast, refusalOf } from '../support/scenario.ts';
import { startBackend } from '../support/traffic/backend.ts';
import { describeOutcome, type Flow, localClient } from '../support/traffic/client.ts';
import { CALL, requestId } from '../support/world.ts';
import { expectEqual, followStatuses, narrateStatusChanges, type Story } from './story.ts';
import { onlyOne } from './traffic-checks.ts';

const ZONE = 'cn-hangzhou-h';
const EGRESS = '192.168.0.7';

/** The platform connects into a consumer's VPC: where its security groups let it, and nowhere else. */
export const reverse: Story = {
  name: 'reverse',
  about: 'the platform connects into a VPC, to the targets that its owner lets it to: accepted, bounded, ended',
  forwarding: 'loopback',
  play: async (stage) => {
    const { run, feed, narrator, use } = stage;
    const cast = use(await openCast(run));
    const { provider, consumer } = cast;
    const database = use(await startBackend({ zone: 'database', proxyProtocol: false }));
    const cache = use(await startBackend({ zone: 'cache', proxyProtocol: false }));
    const { act, checked } = narrator;
    const told = narrateStatusChanges(stage, { domainName: () => undefined });

    narrator.title('The platform publishes a service that connects to its consumers');
    act('an operator flags the provider’s account as the platform’s; it publishes a REVERSE service');
    const source = { zone: ZONE, ip: EGRESS, users: [consumer.account], autoAccept: false };
    const service = await publishReverseService(cast, feed, source);
    checked(`it has no load balancer: it offers ${ZONE} by the egress source ${EGRESS}`);

    narrator.title('A consumer lets it to two of its machines, and its security groups to one of them');
    const network = await registerOneZone(consumer, ZONE);
    const toDatabase = await groupFor(consumer, network.vpcId, database);
    const toCache = await groupFor(consumer, network.vpcId, cache);
    const request = endpointRequest(service, { ...network, securityGroupId: toDatabase });
    const { reason } = await refusalOf(
      consumer.consumer.createEndpoint({ ...request, ...reverseTo([{ ip: '10.0.0.1', port: 80 }]) }, CALL),
    );
    expectEqual('refusal of a target elsewhere', reason, 'TARGET_OUTSIDE_VPC');
    checked(`a target that is not in the VPC is refused with ${reason}`);
    const targets = [database, cache].map(({ ip, port }) => ({ ip, port }));
    act('consumer creates a REVERSE endpoint with both as targets');
    const { endpointId, domainName } = await createEndpoint(consumer, {
      ...request,
      ...{ requestId: requestId() },
      ...reverseTo(targets),
    });
    expectEqual('name of a reverse endpoint', domainName, '');
    const reaches = followStatuses(stage, endpointId, told);
    await feed.next(
      ({ fact, resourceId }) => resourceId === endpointId && fact.type === 'ConnectionRequested',
      'request',
    );
    act('provider accepts it');
    await provider.broker.acceptConnection(acceptRequest(endpointId), CALL);
    await reaches('DISCONNECTED', 'CONNECTING', 'CONNECTED');

    narrator.title('The provider connects');
    const changes = async (): Promise<void> => {
      await reaches('CHANGING', 'CONNECTED');
    };
    const seen = async () => {
      const { connection } = await provider.broker.getConnection({ connectionId: endpointId }, CALL);
      const listeners = connection?.zones.flatMap((zone) => zone.listeners) ?? [];
      return { allowed: connection?.targets.map(({ ip, port }) => `${ip}:${port}`), listeners };
    };
    const addresses = targets.map(({ ip, port }) => `${ip}:${port}`);
    expectEqual('targets that the provider sees', (await seen()).allowed, addresses.slice(0, 1));
    checked('the provider is told of the one target that it is let to');
    const isForwarded = run.dataPlane.mode !== 'none';
    let flow: Flow | undefined;
    if (isForwarded) {
      const { address, target } = onlyOne((await seen()).listeners, ZONE);
      flow = await localClient.open(address);
      expectEqual('who answers', describeOutcome(flow.first), 'database');
      checked(`HTTP to ${address}, on the provider’s side, is answered by ${target} in the consumer’s VPC`);
    }

    narrator.title('The consumer changes where it may go');
    act('consumer attaches a security group that lets it to the other target');
    const group = { endpointId, securityGroupId: toCache };
    await consumer.consumer.attachSecurityGroup({ requestId: requestId(), ...group }, CALL);
    await changes();
    expectEqual('targets that the provider sees', (await seen()).allowed, addresses);
    const second = (await seen()).listeners[1]?.address ?? '';
    if (flow) {
      expectEqual('who answers', describeOutcome(await localClient.request(second)), 'cache');
      expectEqual('the open flow', describeOutcome(await flow.ask()), 'database');
      checked('the other target answers too, and the open flow goes on');
    }
    act('consumer detaches it again');
    await consumer.consumer.detachSecurityGroup({ requestId: requestId(), ...group }, CALL);
    await changes();
    expectEqual('targets that the provider sees', (await seen()).allowed, addresses.slice(0, 1));
    if (flow) {
      expectEqual('who answers', describeOutcome(await localClient.request(second)), 'ECONNREFUSED');
      expectEqual('the open flow', describeOutcome(await flow.ask()), 'database');
      checked('the other target is out of reach, and the open flow goes on');
    }

    narrator.title('The consumer deletes the endpoint');
    await consumer.consumer.deleteEndpoint({ requestId: requestId(), endpointId, force: false }, CALL);
    await reaches('DELETING', 'GONE');
    if (flow) {
      await flow.cut;
      checked('the flow is cut');
    }
  },
};
