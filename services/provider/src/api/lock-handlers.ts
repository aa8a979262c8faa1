import type { ProviderServiceServer } from '@privatelink/proto/provider/v1/provider_service';
import { unary } from '@privatelink/shared/grpc/unary';
import { checkMessage, checkMutation } from './requests.ts';
import type { ServiceChanges } from './service-changes.ts';

type LockRpcs = Pick<ProviderServiceServer, 'lockEndpointService' | 'unlockEndpointService'>;

/** What operators do to a service. */
export const lockHandlers = ({ change, reply }: ServiceChanges): LockRpcs => ({
  lockEndpointService: unary(async (request, rpc) => {
    checkMutation(request, (v) => checkMessage(v, request.message));
    const data = { message: request.message, actor: rpc.actor };
    return reply(await change(request, { type: 'PlaceSecurityLock', data }, rpc));
  }),

  unlockEndpointService: unary(async (request, rpc) => {
    checkMutation(request);
    return reply(await change(request, { type: 'LiftSecurityLock', data: { actor: rpc.actor } }, rpc));
  }),
});
