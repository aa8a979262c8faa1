import type { ConsumerServiceServer } from '@privatelink/proto/consumer/v1/consumer_service';
import { EndpointStatus } from '@privatelink/proto/consumer/v1/endpoint';
import { notThen } from '@privatelink/shared/app/moment';
import type { Region } from '@privatelink/shared/app/regions';
import type { Clock } from '@privatelink/shared/eventing/ports';
import type { ReadMoment } from '@privatelink/shared/grpc/as-of';
import type { ConsistencyTokens } from '@privatelink/shared/grpc/consistency-token';
import type { RpcContext } from '@privatelink/shared/grpc/context';
import { type ListDeps, listPage } from '@privatelink/shared/grpc/list-page';
import { unary } from '@privatelink/shared/grpc/unary';
import { checkEnums, checkId, violations } from '@privatelink/shared/grpc/validate';
import { getForeign, waitForForeign } from '@privatelink/shared/postgres/foreign-table';
import type { BrokerPort } from '../dispatch/broker.ts';
import type { ProviderPort } from '../dispatch/provider.ts';
import { brokerConnections, readConnection } from '../read-models/broker-connections.ts';
import { endpointFields, endpoints as endpointTable } from '../read-models/endpoints.ts';
import type { Repositories } from '../repositories.ts';
import { changeHandlers } from './change-handlers.ts';
import { createEndpoint } from './create-endpoint.ts';
import { deleteEndpoint } from './delete-endpoint.ts';
import { checkMutation, endpointChanges } from './endpoint-changes.ts';
import { type KnownConnection, toEndpoint } from './endpoint-mapping.ts';
import { gatewayEndpointHandlers } from './gateway-endpoint-handlers.ts';
import { internalHandlers } from './internal-handlers.ts';
import { networkHandlers } from './network-handlers.ts';
import { policyHandlers } from './policy-handlers.ts';
import { checkCreateEndpoint } from './requests.ts';
import { routeHandlers } from './route-handlers.ts';
import { exists, requireOwnEndpoint, wellFormed } from './visible.ts';

export type ConsumerApiDeps = Repositories &
  Readonly<{
    provider: ProviderPort;
    broker: BrokerPort;
    lists: ListDeps;
    tokens: ConsistencyTokens;
    /** That of the services first. */
    regions: readonly Region[];
    dnsSuffix: string;
    clock: Clock;
    readMoment: ReadMoment;
  }>;

/** A read of an endpoint waits no longer for the broker: then it shows what was last announced. */
const BROKER_PATIENCE_MS = 150;

export const consumerService = (deps: ConsumerApiDeps): ConsumerServiceServer => {
  const { endpoints, broker, lists, tokens, regions, dnsSuffix, clock, readMoment } = deps;
  const { db } = lists;

  const lastAnnounced = async (endpointId: string): Promise<KnownConnection> => {
    const row = await getForeign(db, brokerConnections, endpointId);
    return { connection: row ? readConnection(row.state) : undefined, stale: true };
  };

  const connectionOf = async (endpointId: string, rpc: RpcContext): Promise<KnownConnection> => {
    try {
      const context = { ...rpc, deadline: clock.now().getTime() + BROKER_PATIENCE_MS };
      return { connection: await broker.getConnection(endpointId, context), stale: false };
    } catch {
      return lastAnnounced(endpointId);
    }
  };

  const changes = endpointChanges(deps);
  const { reply } = changes;
  const remove = deleteEndpoint(deps, changes);

  return {
    ...networkHandlers(deps),
    ...routeHandlers(deps),
    ...gatewayEndpointHandlers(deps),
    ...changeHandlers(deps, changes, connectionOf),
    ...policyHandlers(deps, changes),
    ...internalHandlers(deps),

    createEndpoint: unary(async (request, rpc) => {
      checkCreateEndpoint(request, regions);
      return reply(await createEndpoint(deps)(request, rpc));
    }),

    getEndpoint: unary(async ({ endpointId, asOf }, rpc) => {
      const folded = await endpoints.fold(wellFormed(endpointId, 'ep'));
      const moment = await readMoment(asOf);
      requireOwnEndpoint(folded.state, rpc, { alsoGone: moment !== null });
      const { state, revision } = moment ? await endpoints.foldAsOf(endpointId, moment) : folded;
      if (!exists(state)) throw notThen('endpoint', endpointId, { revision });
      const connection = asOf
        ? { connection: await broker.getConnectionAsOf(endpointId, asOf, rpc), stale: false }
        : await connectionOf(endpointId, rpc);
      return { endpoint: toEndpoint(state, revision ?? 0n, connection, dnsSuffix), revision: revision ?? 0n };
    }),

    listEndpoints: unary(async (request, rpc) => {
      const v = violations();
      if (request.serviceId !== '') checkId(v, 'service_id', request.serviceId, 'epsrv');
      const statuses = checkEnums(v, 'statuses', EndpointStatus, request.statuses);
      v.throwIfAny();
      const seen = tokens.read(request.consistencyToken);
      if (seen?.service === 'broker') {
        await waitForForeign({ db, source: 'broker', position: seen.position, deadline: rpc.deadline, clock });
      }
      const where = {
        ...(rpc.allows() ? {} : { account_id: rpc.caller.accountId }),
        ...(request.serviceId ? { service_id: request.serviceId } : {}),
        ...(statuses.length > 0 ? { status: statuses } : {}),
      };
      const { rows, ...page } = await listPage(lists, endpointTable, request, rpc, where, { fields: endpointFields });
      const shown = rows.map(async ({ key, state, revision }) => {
        const { connection } = await lastAnnounced(key);
        return toEndpoint(state, revision, { connection, stale: false }, dnsSuffix);
      });
      return { ...page, endpoints: await Promise.all(shown) };
    }),

    deleteEndpoint: unary(async (request, rpc) => {
      checkMutation(request);
      return reply(await remove(request, rpc));
    }),
  };
};
