import type { ProviderServiceServer } from '@privatelink/proto/provider/v1/provider_service';
import { Rejected } from '@privatelink/shared/eventing/rejected';
import { unary } from '@privatelink/shared/grpc/unary';
import type { ApiRejection } from './errors.ts';
import type { ProviderApiDeps } from './provider-service.ts';
import { checkMutation, type Mutation } from './requests.ts';
import { namedConnections, type ServiceChanges } from './service-changes.ts';

type RegionRpcs = Pick<ProviderServiceServer, 'addSupportedRegion' | 'removeSupportedRegion'>;

/** Other regions from which a service takes endpoints. */
export const regionHandlers = (
  { otherRegions }: ProviderApiDeps,
  { change, reply, settled }: ServiceChanges,
): RegionRpcs => {
  const check = (request: Mutation & Readonly<{ regionId: string }>): string => {
    const { regionId } = request;
    const others = otherRegions.map((region) => region.regionId);
    checkMutation(request, (v) =>
      v.check(
        'region_id',
        others.includes(regionId),
        `must be one of ${others.join(', ') || 'none: there is one region'}`,
      ),
    );
    return regionId;
  };

  return {
    addSupportedRegion: unary(async (request, rpc) => {
      const regionId = check(request);
      return reply(await change(request, { type: 'AddSupportedRegion', data: { regionId } }, rpc));
    }),

    removeSupportedRegion: unary(async (request, rpc) => {
      const regionId = check(request);
      const data = { regionId, force: request.force, actor: rpc.actor };
      const outcome = await change(request, { type: 'StartRegionRemoval', data }, rpc);
      const { state } = await settled(request.serviceId, outcome, rpc);
      const refusal = state.lastRegionRefusal;
      const { version } = outcome.state;
      if (refusal?.regionId === regionId && refusal.started <= version && refusal.version > version) {
        const facts = { service_id: request.serviceId, region: regionId, ...namedConnections(refusal) };
        throw new Rejected<ApiRejection>('SUPPORTED_REGION_IN_USE', facts);
      }
      return reply(outcome);
    }),
  };
};
