import { EndpointType } from '@privatelink/proto/common/v1/common';
import {
  createEndpoint,
  endpointRequest,
  openActor,
  publishService,
  refusalOf,
  registerNetwork,
} from '../support/scenario.ts';
import { CALL, requestId } from '../support/world.ts';
import { expectEqual, followStatuses, narrateStatusChanges, type Stage, type Story } from './story.ts';

const ZONE = 'cn-hangzhou-h';
const EVERYWHERE = '0.0.0.0/0';

/** All traffic of a VPC goes through a provider's appliance, until the endpoint that leads there is deleted. */
export const gatewayLoadBalancer: Story = {
  name: 'gateway-load-balancer',
  about: 'an endpoint as the next hop of a route: routed, kept from deletion, deleted by force with its route',
  forwarding: 'loopback',
  play: async (stage: Stage) => {
    const { run, feed, narrator, use } = stage;
    const { act, checked } = narrator;
    const provider = use(await openActor(run, 'provider'));
    const consumer = use(await openActor(run, 'consumer'));
    const told = narrateStatusChanges(stage, { domainName: () => undefined });
    narrator.title('The provider publishes an appliance behind a gateway load balancer');
    act('provider creates a GATEWAY_LOAD_BALANCER service in one zone, automatic acceptance');
    const service = await publishService(provider, feed, {
      ...{ serviceType: 'GATEWAY_LOAD_BALANCER', autoAccept: true, zones: [ZONE], users: [consumer.account] },
    });

    narrator.title('The consumer routes its traffic there');
    const network = await registerNetwork(consumer, { zones: [ZONE] });
    const { vpcId } = network;
    act('consumer creates a GATEWAY_LOAD_BALANCER endpoint: one zone, no security groups');
    const { endpointId, domainName, nextHop } = await createEndpoint(consumer, {
      ...endpointRequest(service, network),
      ...{ endpointType: EndpointType.GATEWAY_LOAD_BALANCER, securityGroupIds: [] },
    });
    expectEqual('name of a next hop', domainName, '');
    const reaches = followStatuses(stage, endpointId, told);
    await reaches('CONNECTING', 'CONNECTED');
    act(`consumer registers a route table, and routes ${EVERYWHERE} to the endpoint`);
    const { routeTable } = await consumer.consumer.registerRouteTable({ requestId: requestId(), vpcId }, CALL);
    const inTable = { vpcId, routeTableId: routeTable?.routeTableId ?? '' };
    const route = { destinationCidr: EVERYWHERE, nextHop };
    await consumer.consumer.addRoute({ requestId: requestId(), ...inTable, ...route }, CALL);
    const routesAre = async (...expected: readonly (typeof route)[]) => {
      const { vpc } = await consumer.consumer.getVpc({ vpcId }, CALL);
      expectEqual(
        'routes of the VPC',
        vpc?.routeTables.flatMap(({ routes }) => routes),
        expected,
      );
      checked(expected.length > 0 ? `the VPC routes ${EVERYWHERE} to ${nextHop}` : 'the VPC has no route any more');
    };
    await routesAre(route);

    narrator.title('A next hop is not deleted by mistake');
    act('consumer deletes the endpoint: refused');
    const remove = (force: boolean) =>
      consumer.consumer.deleteEndpoint({ requestId: requestId(), endpointId, force }, CALL);
    const { reason, facts } = await refusalOf(remove(false));
    expectEqual(
      'refusal',
      [reason, facts['used_by']],
      ['ENDPOINT_IS_NEXT_HOP', `${inTable.routeTableId} ${EVERYWHERE}`],
    );
    checked(`refused with ${reason}, which names ${facts['used_by']}`);
    await routesAre(route);
    act('consumer deletes it by force: its route goes first');
    await remove(true);
    await reaches('DELETING', 'GONE');
    await routesAre();
  },
};
