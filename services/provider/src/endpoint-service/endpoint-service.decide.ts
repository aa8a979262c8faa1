import type { Decider } from '@privatelink/shared/eventing/decider';
import { assertNever } from '@privatelink/shared/eventing/never';
import { checkBandwidth } from './bandwidth.ts';
import { decideDomains } from './endpoint-service.domains.ts';
import { evolve } from './endpoint-service.evolve.ts';
import { decideFinancialLocks } from './endpoint-service.locks.ts';
import { decideRegions, regionsIn, removedRegion } from './endpoint-service.regions.ts';
import { reject, requireChangeable } from './endpoint-service.rejections.ts';
import { checkResourcesAtCreation, decideResources, requireDualStack } from './endpoint-service.resources.ts';
import {
  type Bandwidth,
  type EndpointService,
  type EndpointServiceCommand,
  type EndpointServiceEvent,
  initialEndpointService,
  type Tag,
} from './endpoint-service.ts';
import { decideUsers } from './endpoint-service.users.ts';
import { changeMove, endpointServiceMove as move } from './endpoint-service-status.ts';
import { type ProviderQuotas, providerQuotas } from './quotas.ts';

/** What the broker and our own processes tell: it may be repeated, and come late, after the end. */
const REPORTS: readonly EndpointServiceCommand['type'][] = [
  'ActivateEndpointService',
  'CompleteResourceDetachment',
  'RefuseResourceDetachment',
  'RecordRegionOpened',
  'RecordRegionFailed',
  'RefuseRegionRemoval',
  'CompleteChange',
  'RecordConnectionsInformed',
  'RefuseDeletion',
  'ConfirmTeardown',
  'RecordPayments',
];

export const endpointServiceBy = (
  quotas: ProviderQuotas,
): Decider<EndpointServiceCommand, EndpointServiceEvent, EndpointService> => ({
  category: 'endpointService',
  initial: initialEndpointService,
  evolve,
  decide: (command, service, at) => {
    if (command.type === 'CreateEndpointService') {
      const { serviceId } = command.data;
      if (service.status === 'GONE' && service.createdAt === '') {
        throw reject('ENDPOINT_SERVICE_CREATION_ABANDONED', { service_id: serviceId });
      }
      if (service.status !== null) return [];
      checkResourcesAtCreation(command.data, quotas);
      return [
        { type: 'EndpointServiceCreated', data: { ...command.data, at, move: move(null, 'created', 'CREATING') } },
      ];
    }
    if (command.type === 'AbandonCreation') {
      if (service.status !== null) return [];
      const fence = { ...command.data, at, move: move(null, 'abandoned', 'GONE') };
      return [{ type: 'EndpointServiceCreationAbandoned', data: fence }];
    }
    if (service.status === 'GONE' && REPORTS.includes(command.type)) return [];
    if (service.status === null || service.status === 'GONE') {
      throw reject('ENDPOINT_SERVICE_NOT_FOUND', { service_id: service.serviceId });
    }
    return decidePresent(command, service, at, quotas);
  },
});

export const endpointService = endpointServiceBy(providerQuotas);

const decidePresent = (
  command: Exclude<EndpointServiceCommand, { type: 'CreateEndpointService' | 'AbandonCreation' }>,
  service: EndpointService,
  at: string,
  quotas: ProviderQuotas,
): readonly EndpointServiceEvent[] => {
  switch (command.type) {
    case 'ActivateEndpointService':
      if (service.status !== 'CREATING' || isUnderWay(service)) return [];
      return [
        { type: 'EndpointServiceActivated', data: { at, move: move('CREATING', 'activated', 'ACTIVE') } },
        ...decideFinancialLocks(service, { scope: service.accountId, ...command.data }, at),
      ];

    case 'UpdateEndpointService':
      return decideUpdate(command.data, service, at);

    case 'AttachResource':
    case 'ChangeResourceAllocation':
    case 'StartResourceDetachment':
    case 'CompleteResourceDetachment':
    case 'RefuseResourceDetachment':
      return decideResources(command, service, at, quotas);

    case 'AddSupportedRegion':
    case 'RecordRegionOpened':
    case 'RecordRegionFailed':
    case 'StartRegionRemoval':
    case 'RefuseRegionRemoval':
      return decideRegions(command, service, at);

    case 'CompleteChange':
      if (service.status !== 'CHANGING' || isUnderWay(service)) return [];
      return [{ type: 'ChangeCompleted', data: { at, move: move('CHANGING', 'changeCompleted', 'ACTIVE') } }];

    case 'AddServiceUser':
    case 'RemoveServiceUser':
    case 'SetAutoAccept':
      return decideUsers(command, service, at, quotas);

    case 'DeclareCustomDomain':
    case 'RecordCustomDomainCheck':
    case 'RemoveCustomDomain':
      return decideDomains(command, service, at);

    case 'PlaceSecurityLock':
      if (service.securityLock?.message === command.data.message) return [];
      return [{ type: 'SecurityLockPlaced', data: { ...command.data, at } }];

    case 'LiftSecurityLock':
      if (!service.securityLock) return [];
      return [{ type: 'SecurityLockLifted', data: { ...command.data, at } }];

    case 'RecordPayments':
      return decideFinancialLocks(service, command.data, at);

    case 'RecordConnectionsInformed':
      if (!service.untold.some((fact) => fact.version <= command.data.version)) return [];
      return [{ type: 'ConnectionsInformed', data: { ...command.data, at } }];

    case 'StartDeletion':
      if (service.status === 'DELETING') return [];
      return [
        {
          type: 'DeletionStarted',
          data: { ...command.data, at, move: move(service.status, 'deletionStarted', 'DELETING') },
        },
      ];

    case 'RefuseDeletion': {
      if (service.deletion?.version !== command.data.version) return [];
      const { blockers, blockerCount } = command.data;
      const back = move('DELETING', 'deletionRefused', isUnderWay(service) ? 'CHANGING' : 'ACTIVE');
      return [{ type: 'DeletionRefused', data: { blockers, blockerCount, at, move: back } }];
    }

    case 'ConfirmTeardown': {
      if (service.deletion?.version !== command.data.version) return removedRegion(service, command.data, at);
      const { connectionCount } = command.data;
      const gone = move('DELETING', 'teardownConfirmed', 'GONE');
      return [{ type: 'EndpointServiceDeleted', data: { connectionCount, at, move: gone } }];
    }

    default:
      return assertNever(command);
  }
};

/** Whether something is not complete that a change has begun. */
export const isUnderWay = (service: EndpointService): boolean =>
  service.detaching.length > 0 || regionsIn(service, 'PENDING', 'DELETING').length > 0;

/** One event for each thing that becomes another; the first of them moves the status. */
const decideUpdate = (
  {
    description,
    tags,
    addressType,
    zoneAffinity,
    connectBandwidth,
  }: Extract<EndpointServiceCommand, { type: 'UpdateEndpointService' }>['data'],
  service: EndpointService,
  at: string,
): readonly EndpointServiceEvent[] => {
  requireChangeable(service);
  const events: EndpointServiceEvent[] = [];
  const started = changeMove(service);
  const nextMove = () => (events.length === 0 ? started : null);
  if (description !== null && description !== service.description) {
    events.push({ type: 'DescriptionChanged', data: { description, at, move: started } });
  }
  if (tags !== null && !areEqual(tags, service.tags)) {
    events.push({ type: 'TagsChanged', data: { tags, at, move: nextMove() } });
  }
  if (zoneAffinity !== null && zoneAffinity !== service.zoneAffinity) {
    events.push({ type: 'ZoneAffinityChanged', data: { zoneAffinity, at, move: nextMove() } });
  }
  if (connectBandwidth !== null && !isSameBandwidth(connectBandwidth, service.connectBandwidth)) {
    checkBandwidth({ ...service, connectBandwidth }, 'connect_bandwidth');
    events.push({ type: 'ConnectBandwidthChanged', data: { connectBandwidth, at, move: nextMove() } });
  }
  if (addressType !== null && addressType !== service.addressType) {
    if (addressType === 'IPV4') throw reject('ADDRESS_TYPE_IRREVERSIBLE', { field: 'address_type' });
    requireDualStack(service.resources);
    events.push({ type: 'DualStackEnabled', data: { at, move: nextMove() } });
  }
  return events;
};

const isSameBandwidth = (a: Bandwidth, b: Bandwidth | null): boolean =>
  a.mode === b?.mode && a.limitMbps === b.limitMbps;

const areEqual = (a: readonly Tag[], b: readonly Tag[]): boolean =>
  a.length === b.length && a.every(({ key, value }, index) => key === b[index]?.key && value === b[index]?.value);
