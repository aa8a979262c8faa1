import type { ConsumerServiceServer } from '@privatelink/proto/consumer/v1/consumer_service';
import { resourceId } from '@privatelink/shared/app/event-id';
import { unary } from '@privatelink/shared/grpc/unary';
import { checkId, type Violations } from '@privatelink/shared/grpc/validate';
import type { ConsumerApiDeps } from './consumer-service.ts';
import { toRouteTable } from './network-mapping.ts';
import { check, checkLabels, labelsOf } from './requests.ts';
import { vpcChanges } from './vpc-changes.ts';

type RouteRpcs = Pick<
  ConsumerServiceServer,
  'registerRouteTable' | 'deregisterRouteTable' | 'addRoute' | 'removeRoute'
>;
type Named = Readonly<{ requestId: string; vpcId: string; routeTableId: string }>;

const checkTable = (
  { requestId, vpcId, routeTableId }: Named,
  further: (v: Violations) => void = () => undefined,
): void =>
  check(requestId, (v) => {
    checkId(v, 'vpc_id', vpcId, 'vpc');
    checkId(v, 'route_table_id', routeTableId, 'vtb');
    further(v);
  });

/** Route tables: a part of their VPC's ledger, like the endpoints that their routes lead to. */
export const routeHandlers = (deps: ConsumerApiDeps): RouteRpcs => {
  const { change, written } = vpcChanges(deps);

  return {
    registerRouteTable: unary(async (request, rpc) => {
      check(request.requestId, (v) => {
        checkId(v, 'vpc_id', request.vpcId, 'vpc');
        checkLabels(v, request.tags);
      });
      const routeTableId = resourceId('vtb', rpc.command.requestId, request.vpcId);
      const data = { routeTableId, tags: labelsOf(request.tags) };
      const outcome = await change(request, { type: 'RegisterRouteTable', data }, rpc);
      return { ...written(outcome), routeTable: toRouteTable(outcome.state, routeTableId) };
    }),

    deregisterRouteTable: unary(async (request, rpc) => {
      checkTable(request);
      const data = { routeTableId: request.routeTableId };
      return written(await change(request, { type: 'DeregisterRouteTable', data }, rpc));
    }),

    addRoute: unary(async (request, rpc) => {
      checkTable(request, (v) => checkId(v, 'next_hop', request.nextHop, 'ep'));
      const { routeTableId, destinationCidr, nextHop } = request;
      const data = { routeTableId, destinationCidr, nextHop };
      const outcome = await change(request, { type: 'AddRoute', data }, rpc);
      return { ...written(outcome), routeTable: toRouteTable(outcome.state, routeTableId) };
    }),

    removeRoute: unary(async (request, rpc) => {
      checkTable(request);
      const { routeTableId, destinationCidr } = request;
      const outcome = await change(request, { type: 'RemoveRoute', data: { routeTableId, destinationCidr } }, rpc);
      return { ...written(outcome), routeTable: toRouteTable(outcome.state, routeTableId) };
    }),
  };
};
