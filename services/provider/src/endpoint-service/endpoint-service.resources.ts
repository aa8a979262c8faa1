import { assertNever } from '@privatelink/shared/eventing/never';
import { checkBandwidth } from './bandwidth.ts';
import { notActive, quota, reject, requireChangeable } from './endpoint-service.rejections.ts';
import {
  type Detachment,
  type EndpointService,
  type EndpointServiceCommand,
  type EndpointServiceEvent,
  isOffered,
  isSameResource,
  type ResourceKey,
  type ResourceType,
  type ServiceResource,
  type ServiceType,
} from './endpoint-service.ts';
import { changeMove } from './endpoint-service-status.ts';
import type { ProviderQuotas } from './quotas.ts';

type ResourceCommand = Extract<
  EndpointServiceCommand,
  Readonly<{
    type:
      | 'AttachResource'
      | 'ChangeResourceAllocation'
      | 'StartResourceDetachment'
      | 'CompleteResourceDetachment'
      | 'RefuseResourceDetachment';
  }>
>;

const RESOURCE_TYPES: Readonly<Record<ServiceType, readonly ResourceType[]>> = {
  INTERFACE: ['NLB', 'CLB', 'ALB'],
  GATEWAY_LOAD_BALANCER: ['GWLB'],
  REVERSE: ['EGRESS_SOURCE'],
};
const DUAL_STACK: readonly ResourceType[] = ['NLB', 'GWLB'];

/** What stands behind a service that exists. */
export const decideResources = (
  command: ResourceCommand,
  service: EndpointService,
  at: string,
  quotas: ProviderQuotas,
): readonly EndpointServiceEvent[] => {
  switch (command.type) {
    case 'AttachResource': {
      requireChangeable(service);
      const { resource } = command.data;
      requireStaying(service, resource);
      const attached = service.resources.find(isSameResource(resource));
      if (attached && isEqual(attached, resource)) return [];
      checkResources(service, service.resources, [resource], () => 'resource', quotas);
      checkBandwidth({ ...service, resources: [resource] }, 'resource.resource_type');
      return [{ type: 'ResourceAttached', data: { resource, at, move: changeMove(service) } }];
    }

    case 'ChangeResourceAllocation': {
      requireChangeable(service);
      const { resourceId, zoneId, autoAllocated } = command.data;
      const resource = service.resources.find(isSameResource(command.data));
      if (!resource) {
        const facts = { resource_id: resourceId, zone_id: zoneId, field: 'resource_id' };
        throw reject('RESOURCE_NOT_FOUND', { service_id: service.serviceId, ...facts });
      }
      requireStaying(service, resource);
      if (resource.autoAllocated === autoAllocated) return [];
      if (!autoAllocated) requireZoneOffered(service, resource, true);
      const data = { resourceId, zoneId, autoAllocated, at, move: changeMove(service) };
      return [{ type: 'ResourceAllocationChanged', data }];
    }

    case 'StartResourceDetachment': {
      requireChangeable(service);
      // Nobody can be on it yet, and what starts here must end before the service is ACTIVE.
      if (service.status === 'CREATING') throw notActive(service);
      const isIt = isSameResource(command.data);
      const resource = service.resources.find(isIt);
      if (!resource || service.detaching.some(isIt)) return [];
      requireZoneOffered(service, resource, false);
      const { resourceId, zoneId } = command.data;
      return [{ type: 'ResourceDetachmentStarted', data: { resourceId, zoneId, at, move: changeMove(service) } }];
    }

    case 'CompleteResourceDetachment': {
      if (!isDetaching(service, command.data)) return [];
      const { resourceId, zoneId } = command.data;
      return [{ type: 'ResourceDetached', data: { resourceId, zoneId, at } }];
    }

    case 'RefuseResourceDetachment': {
      if (!isDetaching(service, command.data)) return [];
      const { resourceId, zoneId, endpointIds } = command.data;
      return [{ type: 'ResourceDetachmentRefused', data: { resourceId, zoneId, endpointIds, at } }];
    }

    default:
      return assertNever(command);
  }
};

const isDetaching = (service: EndpointService, answered: Detachment): boolean =>
  service.detaching.some((key) => isSameResource(answered)(key) && key.version === answered.version);

const requireStaying = (service: EndpointService, { resourceId, zoneId }: ResourceKey): void => {
  if (!service.detaching.some(isSameResource({ resourceId, zoneId }))) return;
  throw reject('RESOURCE_DETACHING', { resource_id: resourceId, zone_id: zoneId });
};

/** A zone that has resources keeps one that new endpoints can be placed on. */
const requireZoneOffered = (service: EndpointService, without: ServiceResource, stays: boolean): void => {
  const { resourceId, zoneId } = without;
  const others = service.resources.filter((other) => other.zoneId === zoneId && !isSameResource(without)(other));
  const remaining = others.filter((other) => !service.detaching.some(isSameResource(other)));
  const isEmptied = !stays && remaining.length === 0;
  if (!without.autoAllocated || isEmptied || remaining.some(isOffered(service))) return;
  throw reject('LAST_AUTO_ALLOCATED_RESOURCE', { resource_id: resourceId, zone_id: zoneId, field: 'resource_id' });
};

/** By value: the order of keys differs between a request and what was stored. */
const isEqual = (a: ServiceResource, b: ServiceResource): boolean =>
  isSameResource(a)(b) &&
  a.resourceType === b.resourceType &&
  a.autoAllocated === b.autoAllocated &&
  a.vpcId === b.vpcId &&
  a.proxyProtocol === b.proxyProtocol &&
  a.targets.length === b.targets.length &&
  a.targets.every(({ ip, port }, index) => ip === b.targets[index]?.ip && port === b.targets[index]?.port);

/** Who is asked for it, by the field that asks. */
export const requireDualStack = (resources: readonly ServiceResource[], field = 'address_type'): void => {
  const without = resources.find(({ resourceType }) => !DUAL_STACK.includes(resourceType));
  if (!without) return;
  const facts = { resource_id: without.resourceId, resource_type: without.resourceType };
  throw reject('DUAL_STACK_UNAVAILABLE', { missing: 'RESOURCE', ...facts, required: DUAL_STACK.join(' or '), field });
};

type Kind = Pick<EndpointService, 'serviceType' | 'addressType'>;

export const checkResourcesAtCreation = (
  service: Kind & Pick<EndpointService, 'resources' | 'connectBandwidth'>,
  quotas: ProviderQuotas,
): void => {
  const { resources } = service;
  if (resources.length > quotas.resourcesAtCreation) {
    throw quota('resources at creation', quotas.resourcesAtCreation, resources.length, 'resources');
  }
  checkResources(service, [], resources, (index) => `resources[${index}]`, quotas);
  checkBandwidth(service, 'connect_bandwidth');
};

/** One kind of resource per service, of those that its type takes; each resource once in a zone. */
const checkResources = (
  { serviceType, addressType }: Kind,
  present: readonly ServiceResource[],
  added: readonly ServiceResource[],
  /** Of an added resource in the request. */
  pathOf: (index: number) => string,
  { resourcesPerService, resourcesPerZone }: ProviderQuotas,
): void => {
  const all = [...present];
  for (const [index, resource] of added.entries()) {
    const path = pathOf(index);
    const allowed = all[0] ? [all[0].resourceType] : RESOURCE_TYPES[serviceType];
    if (!allowed.includes(resource.resourceType)) {
      const facts = { resource_id: resource.resourceId, resource_type: resource.resourceType };
      const required = allowed.join(' or ') || 'none';
      throw reject('RESOURCE_TYPE_MISMATCH', { ...facts, required, field: `${path}.resource_type` });
    }
    if (addressType === 'DUAL_STACK') requireDualStack([resource], `${path}.resource_type`);
    if (all.some(isSameResource(resource))) {
      const facts = { resource_id: resource.resourceId, zone_id: resource.zoneId };
      throw reject('RESOURCE_ALREADY_ATTACHED', { ...facts, field: `${path}.resource_id` });
    }
    if (all.length >= resourcesPerService) throw quota('resources per service', resourcesPerService, all.length, path);
    const inZone = all.filter((other) => other.zoneId === resource.zoneId).length;
    if (inZone >= resourcesPerZone) {
      throw quota(`resources in zone ${resource.zoneId}`, resourcesPerZone, inZone, path);
    }
    all.push(resource);
  }
};
