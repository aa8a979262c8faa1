import type { DeleteEndpointRequest } from '@privatelink/proto/consumer/v1/consumer_service';
import { resourceId } from '@privatelink/shared/app/event-id';
import { failpoint } from '@privatelink/shared/app/failpoint';
import { checkRevision } from '@privatelink/shared/app/plan-batch';
import type { CommandContext } from '@privatelink/shared/eventing/command-context';
import type { Clock } from '@privatelink/shared/eventing/ports';
import type { RpcContext } from '@privatelink/shared/grpc/context';
import { endpoint as endpointDecider } from '../endpoint/endpoint.decide.ts';
import { reject } from '../endpoint/endpoint.rejections.ts';
import type { Repositories } from '../repositories.ts';
import { reservationOf } from '../vpc/vpc.ts';
import type { Changed, EndpointChanges } from './endpoint-changes.ts';
import { requireOwnEndpoint } from './visible.ts';

type Deps = Repositories & Readonly<{ clock: Clock }>;

/**
 * Deletes an endpoint. Where routes may lead to it, its VPC's ledger first takes no more of them, or refuses that
 * because of those that there are: of a route and a deletion, the ledger has one before the other. Where a crash lets
 * the deletion stop there, the reservation's reconciler opens it for routes again.
 */
export const deleteEndpoint =
  ({ vpcs, endpoints, clock }: Deps, { change }: EndpointChanges) =>
  async (request: DeleteEndpointRequest, rpc: RpcContext): Promise<Changed> => {
    const { endpointId, force } = request;
    const closingId = resourceId('nhc', rpc.command.requestId, endpointId);
    const remove = (by: string) => ({ type: 'DeleteEndpoint', data: { actor: rpc.actor, closingId: by } }) as const;
    const folded = await endpoints.fold(endpointId);
    requireOwnEndpoint(folded.state, rpc, { alsoGone: true });
    if (folded.state.endpointType !== 'GATEWAY_LOAD_BALANCER') return change(request, remove(''), rpc);
    const repeated = await endpoints.recall(endpointId, rpc.command);
    if (repeated) return repeated;
    checkRevision(request.expectedRevision, folded);
    const isNews = endpointDecider.decide(remove(closingId), folded.state, clock.now().toISOString()).length > 0;
    if (!isNews) return change(request, remove(''), rpc);

    const context: CommandContext = { ...rpc.command, requestId: `${rpc.command.requestId}/close` };
    const close = { type: 'CloseNextHop', data: { endpointId, closingId, force } } as const;
    const { latest } = await vpcs.execute(folded.state.vpcId, close, context);
    await failpoint('deleteEndpoint:after-closing');
    if (!reservationOf(latest.state, endpointId)?.closings.includes(closingId)) {
      throw reject('ENDPOINT_CHANGE_ABANDONED', { endpoint_id: endpointId });
    }
    return change(request, remove(closingId), rpc);
  };
