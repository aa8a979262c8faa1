import type { ConsumerServiceServer } from '@privatelink/proto/consumer/v1/consumer_service';
import { EndpointStatus } from '@privatelink/proto/consumer/v1/endpoint';
import { resourceId } from '@privatelink/shared/app/event-id';
import { failpoint } from '@privatelink/shared/app/failpoint';
import type { Outcome } from '@privatelink/shared/app/repository';
import type { RpcContext } from '@privatelink/shared/grpc/context';
import { listPage } from '@privatelink/shared/grpc/list-page';
import { checkTags, toTags } from '@privatelink/shared/grpc/tags';
import { unary } from '@privatelink/shared/grpc/unary';
import { checkEnums, checkId, isId, type Violations, violations } from '@privatelink/shared/grpc/validate';
import {
  type GatewayEndpoint,
  type GatewayEndpointCommand,
  type GatewayEndpointEvent,
  gatewayNotFound,
} from '../gateway-endpoint/gateway-endpoint.ts';
import { gatewayEndpointFields, gatewayEndpoints as gatewayTable } from '../read-models/gateway-endpoints.ts';
import { MAX_ROUTE_TABLES } from '../vpc/vpc.routes.ts';
import type { ConsumerApiDeps } from './consumer-service.ts';
import { toGatewayEndpoint } from './gateway-endpoint-mapping.ts';
import { canonicalPolicy, check, checkPolicy } from './requests.ts';
import { requireOwnGateway, requireOwnVpc } from './visible.ts';

type GatewayRpcs = Pick<
  ConsumerServiceServer,
  | 'createGatewayEndpoint'
  | 'getGatewayEndpoint'
  | 'listGatewayEndpoints'
  | 'setGatewayEndpointPolicy'
  | 'deleteGatewayEndpoint'
>;

type Mutation = Readonly<{
  requestId: string;
  gatewayEndpointId: string;
  expectedRevision?: bigint | undefined;
}>;

const SERVICE_NAME = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/;

/** Gateway endpoints: routes and a policy, and nothing else of an endpoint. */
export const gatewayEndpointHandlers = ({ gateways, vpcs, tokens, lists }: ConsumerApiDeps): GatewayRpcs => {
  const reply = ({ state: first, revision, latest }: Outcome<GatewayEndpointEvent, GatewayEndpoint>) => ({
    gatewayEndpoint: toGatewayEndpoint(latest.state.status === 'GONE' ? latest.state : first, revision ?? 0n),
    revision: revision ?? 0n,
    consistencyToken: tokens.issue(latest.position),
  });
  const checkMutation = (
    { requestId, gatewayEndpointId }: Mutation,
    further: (v: Violations) => void = () => undefined,
  ): void =>
    check(requestId, (v) => {
      checkId(v, 'gateway_endpoint_id', gatewayEndpointId, 'vpce');
      further(v);
    });
  const change = (request: Mutation, command: GatewayEndpointCommand, rpc: RpcContext) =>
    gateways.execute(request.gatewayEndpointId, command, rpc.command, {
      expectedRevision: request.expectedRevision,
      guard: ({ state }) => requireOwnGateway(state, rpc, { alsoGone: command.type === 'DeleteGatewayEndpoint' }),
    });

  return {
    createGatewayEndpoint: unary(async (request, rpc) => {
      const { vpcId, routeTableIds, serviceName } = request;
      check(request.requestId, (v) => {
        checkId(v, 'vpc_id', vpcId, 'vpc');
        const tables = routeTableIds.length;
        v.check('route_table_ids', tables >= 1 && tables <= MAX_ROUTE_TABLES, `must be 1 to ${MAX_ROUTE_TABLES}`);
        for (const [index, id] of routeTableIds.slice(0, MAX_ROUTE_TABLES).entries()) {
          checkId(v, `route_table_ids[${index}]`, id, 'vtb');
        }
        v.check('service_name', SERVICE_NAME.test(serviceName), 'must be a service name');
        checkPolicy(v, request.policy);
        checkTags(v, 'tags', request.tags);
      });
      const gatewayEndpointId = resourceId('vpce', rpc.command.requestId);
      const repeated = await gateways.recall(gatewayEndpointId, rpc.command);
      if (repeated) return reply(repeated);
      // Its routes first, all of them or none; what a crash leaves of that is taken away by the reconciler.
      const reserve = { type: 'ReserveGatewayEndpoint', data: { gatewayEndpointId, routeTableIds } } as const;
      const context = { ...rpc.command, requestId: `${rpc.command.requestId}/reserve` };
      await vpcs.execute(vpcId, reserve, context, { guard: ({ state }) => requireOwnVpc(state, rpc) });
      await failpoint('createGatewayEndpoint:after-reservation');
      const data = {
        ...{ gatewayEndpointId, accountId: rpc.caller.accountId, vpcId, serviceName },
        routeTableIds: [...new Set(routeTableIds)],
        policy: canonicalPolicy(request.policy),
        tags: toTags(request.tags),
        actor: rpc.actor,
      };
      return reply(await gateways.execute(gatewayEndpointId, { type: 'CreateGatewayEndpoint', data }, rpc.command));
    }),

    getGatewayEndpoint: unary(async ({ gatewayEndpointId }, rpc) => {
      if (!isId(gatewayEndpointId, 'vpce')) throw gatewayNotFound();
      const { state, revision } = await gateways.fold(gatewayEndpointId);
      requireOwnGateway(state, rpc);
      return { gatewayEndpoint: toGatewayEndpoint(state, revision ?? 0n), revision: revision ?? 0n };
    }),

    listGatewayEndpoints: unary(async (request, rpc) => {
      const v = violations();
      if (request.vpcId !== '') checkId(v, 'vpc_id', request.vpcId, 'vpc');
      const statuses = checkEnums(v, 'statuses', EndpointStatus, request.statuses);
      v.throwIfAny();
      const where = {
        ...(rpc.allows() ? {} : { account_id: rpc.caller.accountId }),
        ...(request.vpcId ? { vpc_id: request.vpcId } : {}),
        ...(statuses.length > 0 ? { status: statuses } : {}),
      };
      const { rows, ...page } = await listPage(lists, gatewayTable, request, rpc, where, {
        fields: gatewayEndpointFields,
      });
      return { ...page, gatewayEndpoints: rows.map(({ state, revision }) => toGatewayEndpoint(state, revision)) };
    }),

    setGatewayEndpointPolicy: unary(async (request, rpc) => {
      checkMutation(request, (v) => checkPolicy(v, request.policy));
      const data = { policy: canonicalPolicy(request.policy), actor: rpc.actor };
      return reply(await change(request, { type: 'SetPolicy', data }, rpc));
    }),

    deleteGatewayEndpoint: unary(async (request, rpc) => {
      checkMutation(request);
      return reply(await change(request, { type: 'DeleteGatewayEndpoint', data: { actor: rpc.actor } }, rpc));
    }),
  };
};
