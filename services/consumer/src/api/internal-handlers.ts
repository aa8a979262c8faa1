import type { ConsumerServiceServer } from '@privatelink/proto/consumer/v1/consumer_service';
import { unary } from '@privatelink/shared/grpc/unary';
import { checkCount, checkId } from '@privatelink/shared/grpc/validate';
import type { ConsumerApiDeps } from './consumer-service.ts';
import { check } from './requests.ts';

type InternalRpcs = Pick<
  ConsumerServiceServer,
  'confirmConnectionUpdated' | 'confirmConnectionDeleted' | 'settleEndpointCreation'
>;

/** What other services tell and ask the consumer service. */
export const internalHandlers = ({ endpoints }: ConsumerApiDeps): InternalRpcs => ({
  confirmConnectionUpdated: unary(async ({ endpointId, endpointRevision }, rpc) => {
    check('', (v) => {
      checkId(v, 'endpoint_id', endpointId, 'ep');
      checkCount(v, 'endpoint_revision', endpointRevision);
    });
    const data = { version: Number(endpointRevision) };
    await endpoints.execute(endpointId, { type: 'CompleteChange', data }, rpc.command);
    return {};
  }),

  confirmConnectionDeleted: unary(async ({ endpointId }, rpc) => {
    check('', (v) => checkId(v, 'endpoint_id', endpointId, 'ep'));
    await endpoints.execute(endpointId, { type: 'CompleteDeletion', data: {} }, rpc.command);
    return {};
  }),

  settleEndpointCreation: unary(async ({ endpointId }, rpc) => {
    check('', (v) => checkId(v, 'endpoint_id', endpointId, 'ep'));
    const fence = { type: 'AbandonCreation', data: { endpointId, vpcId: '', serviceId: '' } } as const;
    const { latest } = await endpoints.execute(endpointId, fence, rpc.command);
    // One that is gone has released its slot; a zone that was being added meanwhile may have taken it again.
    return { created: latest.state.status !== 'ABANDONED' && latest.state.status !== 'GONE' };
  }),
});
