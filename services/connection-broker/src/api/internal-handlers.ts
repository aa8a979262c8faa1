import type { BrokerServiceServer, CloseServiceRequest } from '@privatelink/proto/broker/v1/broker_service';
import { foldIn } from '@privatelink/shared/app/rehearse';
import type { RpcContext } from '@privatelink/shared/grpc/context';
import { unary } from '@privatelink/shared/grpc/unary';
import { isUpdated } from '../connection/connection.progress.ts';
import { closeResource } from '../processes/moving.ts';
import { closingOf, type ScopeFactsCommand } from '../scope-facts/scope-facts.ts';
import type { BrokerApiDeps } from './broker-service.ts';
import { toStatus } from './connection-view.ts';
import {
  checkCloseResource,
  checkCloseService,
  checkDelete,
  toRequest,
  toResources,
  toServiceFact,
  toUpdate,
} from './internal-requests.ts';

type InternalRpcs = Pick<
  BrokerServiceServer,
  'requestConnection' | 'updateConnection' | 'deleteConnection' | 'closeService' | 'closeResource' | 'recordServiceFact'
>;

const MAX_LISTED = 100;

/** What other services ask of the broker. Every call may be repeated, and may come late. */
export const internalHandlers = (deps: BrokerApiDeps): InternalRpcs => {
  const { connections, scopes, connectionRows } = deps;
  const close = closeResource(deps);

  return {
    requestConnection: unary(async (request, rpc) => {
      const command = toRequest(request);
      const { latest } = await connections.execute(request.endpointId, command, rpc.command);
      return { status: toStatus(latest.state.status) };
    }),

    updateConnection: unary(async (request, rpc) => {
      const command = toUpdate(request);
      const { latest } = await connections.execute(request.endpointId, command, rpc.command);
      const { status, endpointRevision } = latest.state;
      const isOver = status === 'SERVICE_DELETED' || status === 'DELETING' || status === 'GONE';
      const isCurrent = endpointRevision >= command.data.revision && isUpdated(latest.state);
      return { completed: isOver || isCurrent };
    }),

    deleteConnection: unary(async (request, rpc) => {
      checkDelete(request);
      const { endpointId, actor } = request;
      const command = { type: 'DeleteConnection', data: { endpointId, actor } } as const;
      const { latest } = await connections.execute(endpointId, command, rpc.command);
      return { deleted: latest.state.status === 'GONE' };
    }),

    closeService: unary(async (request, rpc) => {
      checkCloseService(request);
      const give = (command: ScopeFactsCommand, step: string) =>
        scopes.execute(request.serviceId, command, { ...rpc.command, requestId: `${rpc.command.requestId}/${step}` });
      const { latest } = await give(toStartClosing(request, rpc), 'start');
      const revision = Number(request.serviceRevision);
      const regionId = request.regionId ?? null;
      const closing = closingOf(latest.state, regionId);
      const blockers = () => connectionRows.blockersOf(request.serviceId, regionId, MAX_LISTED);
      if (closing?.revision === revision && closing.status === 'STARTED') {
        // Recorded first: whoever connects from here on finds the closing.
        await connectionRows.waitFor(latest.position);
        const { count } = closing.force ? { count: 0 } : await blockers();
        if (count > 0) {
          const data = { regionId, revision, blockerCount: count };
          await give({ type: 'RefuseServiceClosing', data }, 'refuse');
        } else await give({ type: 'CloseService', data: { regionId, revision } }, 'close');
      }
      const decided = closingOf((await foldIn(rpc.rehearsal, scopes, request.serviceId)).state, regionId);
      if (decided?.revision !== revision || decided.status !== 'REFUSED') return { blockers: [], blockerCount: 0n };
      const { rows } = await blockers();
      const listed = rows.map(({ key, state }) => ({ connectionId: key, status: toStatus(state.status) }));
      return { blockers: listed, blockerCount: BigInt(decided.blockerCount) };
    }),

    closeResource: unary(async (request, rpc) => {
      checkCloseResource(request);
      const { serviceId, zoneId, resourceId, serviceRevision } = request;
      const { endpointIds, movingCount } = await close(
        {
          ...{ serviceId, zoneId, resourceId, serviceVersion: Number(serviceRevision) },
          candidates: toResources(request.candidates),
        },
        rpc.command,
      );
      return {
        endpointIds: endpointIds.slice(0, MAX_LISTED),
        endpointCount: BigInt(endpointIds.length),
        movingCount: BigInt(movingCount),
      };
    }),

    recordServiceFact: unary(async (request, rpc) => {
      await scopes.execute(request.serviceId, toServiceFact(request), rpc.command);
      return {};
    }),
  };
};

const toStartClosing = (request: CloseServiceRequest, rpc: RpcContext): ScopeFactsCommand => {
  const { serviceRevision, force, regionId = null } = request;
  return {
    type: 'StartServiceClosing',
    data: { regionId, revision: Number(serviceRevision), force, actor: rpc.actor },
  };
};
