import { ResourceType } from '@privatelink/proto/provider/v1/endpoint_service';
import type { ProviderServiceServer } from '@privatelink/proto/provider/v1/provider_service';
import { Rejected } from '@privatelink/shared/eventing/rejected';
import type { Fields } from '@privatelink/shared/filter/fields';
import { enumNames } from '@privatelink/shared/grpc/enums';
import { unary } from '@privatelink/shared/grpc/unary';
import { checkName } from '@privatelink/shared/grpc/validate';
import { isOffered, type ServiceResource } from '../endpoint-service/endpoint-service.ts';
import { toServiceResource } from './endpoint-service-mapping.ts';
import type { ApiRejection } from './errors.ts';
import type { ProviderApiDeps } from './provider-service.ts';
import { checkMutation, checkResource, checkZone, toResource } from './requests.ts';
import type { ServiceChanges } from './service-changes.ts';
import { type StateList, statePage } from './state-page.ts';

type ResourceRpcs = Pick<
  ProviderServiceServer,
  'attachResource' | 'detachResource' | 'updateResource' | 'listResources'
>;

type ResourceColumn = 'resource_id' | 'zone_id' | 'resource_type' | 'auto_allocated' | 'vpc_id' | 'proxy_protocol';

export const resourceFields: Fields<ResourceColumn> = {
  resource_id: { column: 'resource_id', type: 'text', ordered: true },
  zone_id: { column: 'zone_id', type: 'text', ordered: true },
  resource_type: { column: 'resource_type', type: 'text', values: enumNames(ResourceType) },
  auto_allocated: { column: 'auto_allocated', type: 'boolean', ordered: true },
  vpc_id: { column: 'vpc_id', type: 'text' },
  proxy_protocol: { column: 'proxy_protocol', type: 'boolean' },
};

const resources: StateList<ServiceResource, ResourceColumn> = {
  itemsOf: (service) =>
    service.resources.map((resource) => ({
      // A space comes before every character of an id, so that the keys are in order of zones first.
      key: `${resource.zoneId} ${resource.resourceId}`,
      // One that is being detached takes nobody any more.
      state: { ...resource, autoAllocated: isOffered(service)(resource) },
    })),
  columns: {
    resource_id: { type: 'text', of: ({ resourceId }) => resourceId },
    zone_id: { type: 'text', of: ({ zoneId }) => zoneId },
    resource_type: { type: 'text', of: ({ resourceType }) => resourceType },
    auto_allocated: { type: 'boolean', of: ({ autoAllocated }) => autoAllocated },
    vpc_id: { type: 'text', of: ({ vpcId }) => vpcId },
    proxy_protocol: { type: 'boolean', of: ({ proxyProtocol }) => proxyProtocol },
  },
  fields: resourceFields,
};

type KeyedRequest = Readonly<{ requestId: string; serviceId: string; resourceId: string; zoneId: string }>;

/** What stands behind a service. */
export const resourceHandlers = (deps: ProviderApiDeps, { change, reply, settled }: ServiceChanges): ResourceRpcs => {
  const { zones } = deps;

  const keyOf = (request: KeyedRequest) => {
    checkMutation(request, (v) => {
      checkName(v, 'resource_id', request.resourceId);
      checkZone(v, 'zone_id', request.zoneId, zones);
    });
    return { resourceId: request.resourceId, zoneId: request.zoneId };
  };

  return {
    attachResource: unary(async (request, rpc) => {
      checkMutation(request, (v) => checkResource(v, 'resource', request.resource, zones));
      const resource = request.resource && toResource(request.resource);
      if (!resource) throw new Error('checked above');
      return reply(await change(request, { type: 'AttachResource', data: { resource } }, rpc));
    }),

    detachResource: unary(async (request, rpc) => {
      const key = keyOf(request);
      const outcome = await change(request, { type: 'StartResourceDetachment', data: key }, rpc);
      const { state } = await settled(request.serviceId, outcome, rpc);
      const refusal = state.lastDetachmentRefusal;
      const isOurs = refusal?.resourceId === key.resourceId && refusal.zoneId === key.zoneId;
      const { version } = outcome.state;
      if (refusal && isOurs && refusal.started <= version && refusal.version > version) {
        const facts = { resource_id: key.resourceId, endpoint_count: String(refusal.endpointIds.length) };
        throw new Rejected<ApiRejection>('RESOURCE_IN_USE', { ...facts, endpoints: refusal.endpointIds.join(', ') });
      }
      return reply(outcome);
    }),

    updateResource: unary(async (request, rpc) => {
      const data = { ...keyOf(request), autoAllocated: request.autoAllocated };
      return reply(await change(request, { type: 'ChangeResourceAllocation', data }, rpc));
    }),

    listResources: unary(async (request, rpc) => {
      const { items, nextPageToken, version } = await statePage(deps, resources, request, rpc);
      return { resources: items.map(toServiceResource), nextPageToken, serviceRevision: BigInt(version) };
    }),
  };
};
