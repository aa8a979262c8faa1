import { assertNever } from '@privatelink/shared/eventing/never';
import type { SupportedRegion } from './endpoint-service.regions.ts';
import {
  type CustomDomain,
  type EndpointService,
  type EndpointServiceEvent,
  type FinancialLock,
  isSameResource,
  noTerms,
  type ResourceKey,
  type ServiceFact,
  type ServiceUser,
  type UserTerms,
} from './endpoint-service.ts';
import type { EndpointServiceMove, EndpointServiceStatus } from './endpoint-service-status.ts';
import type { SupportedRegionMove } from './supported-region-status.ts';

export const evolve = (before: EndpointService, event: EndpointServiceEvent): EndpointService => {
  const service = { ...before, version: before.version + 1, updatedAt: event.data.at };
  const { version } = service;
  switch (event.type) {
    case 'EndpointServiceCreated': {
      const { at, move: moved, ...data } = event.data;
      return { ...service, ...data, status: moved.to, users: { [data.accountId]: { ...noTerms, at } }, createdAt: at };
    }
    case 'EndpointServiceActivated':
    case 'ChangeCompleted':
      return { ...service, status: event.data.move.to };
    case 'DescriptionChanged':
      return { ...service, status: moved(service, event.data.move), description: event.data.description };
    case 'TagsChanged':
      return { ...service, status: moved(service, event.data.move), tags: event.data.tags };
    case 'DualStackEnabled':
      return { ...service, status: moved(service, event.data.move), addressType: 'DUAL_STACK' };
    case 'ZoneAffinityChanged':
      return { ...service, status: moved(service, event.data.move), zoneAffinity: event.data.zoneAffinity };
    case 'ConnectBandwidthChanged': {
      const { connectBandwidth, move } = event.data;
      return { ...service, status: moved(service, move), connectBandwidth };
    }
    case 'ResourceAttached': {
      const { resource, move } = event.data;
      const others = service.resources.filter((old) => !isSameResource(resource)(old));
      return { ...service, status: moved(service, move), resources: [...others, resource] };
    }
    case 'ResourceAllocationChanged': {
      const { autoAllocated, move } = event.data;
      const isIt = isSameResource(event.data);
      const resources = service.resources.map((old) => (isIt(old) ? { ...old, autoAllocated } : old));
      return { ...service, status: moved(service, move), resources };
    }
    case 'ResourceDetachmentStarted': {
      const { resourceId, zoneId } = event.data;
      const detaching = [...service.detaching, { resourceId, zoneId, version }];
      return { ...service, status: moved(service, event.data.move), detaching };
    }
    case 'ResourceDetached': {
      const other = (key: ResourceKey) => !isSameResource(event.data)(key);
      return { ...service, resources: service.resources.filter(other), detaching: service.detaching.filter(other) };
    }
    case 'ResourceDetachmentRefused': {
      const { resourceId, zoneId, endpointIds } = event.data;
      const detaching = service.detaching.filter((key) => !isSameResource(event.data)(key));
      const started = service.detaching.find(isSameResource(event.data))?.version ?? version;
      return { ...service, detaching, lastDetachmentRefusal: { resourceId, zoneId, version, started, endpointIds } };
    }
    case 'SupportedRegionAdded': {
      const { at, move } = event.data;
      const added = { force: false, actor: '', createdAt: at };
      return { ...withRegion(service, event.data, added), status: moved(service, move) };
    }
    case 'SupportedRegionOpened':
    case 'SupportedRegionFailed':
    case 'SupportedRegionRemoved':
      return withRegion(service, event.data);
    case 'SupportedRegionRemovalStarted': {
      const { force, actor, move } = event.data;
      return { ...withRegion(service, event.data, { force, actor }), status: moved(service, move) };
    }
    case 'SupportedRegionRemovalRefused': {
      const { regionId, blockers, blockerCount } = event.data;
      const started = service.supportedRegions[regionId]?.version ?? version;
      const lastRegionRefusal = { regionId, version, started, blockers, blockerCount };
      return { ...withRegion(service, event.data), lastRegionRefusal };
    }
    case 'ServiceUserAdded': {
      const { accountId, actor, at } = event.data;
      const disconnected = accountId === '*' ? [] : service.disconnected.filter((held) => held !== accountId);
      const told = withFact(service, { kind: 'userAdded', version, accountId, actor, at });
      return { ...withUser(told, accountId, event.data, at), disconnected };
    }
    case 'ServiceUserTermsChanged': {
      const { accountId, at } = event.data;
      const since = service.users[accountId]?.at ?? at;
      return withUser(service, accountId, event.data, since);
    }
    case 'ServiceUserRemoved': {
      const { accountId, reconcile, actor, at } = event.data;
      const { [accountId]: _removed, ...users } = service.users;
      if (reconcile === 'KEEP' || '*' in users) return { ...service, users };
      const exceptAccountIds = accountId === '*' ? Object.keys(users) : [];
      const told = withFact(service, { kind: 'userRemoved', version, accountId, exceptAccountIds, actor, at });
      return { ...told, users, disconnected: [...service.disconnected, accountId] };
    }
    case 'AutoAcceptEnabled': {
      const { acceptWaiting, actor, at } = event.data;
      if (!acceptWaiting) return { ...service, autoAccept: true };
      const told = withFact(service, { kind: 'waitingAccepted', version, actor, at });
      return { ...told, autoAccept: true, waitingAcceptedAt: version };
    }
    case 'AutoAcceptDisabled':
      return { ...service, autoAccept: false };
    case 'CustomDomainDeclared': {
      const { domainName, token, at } = event.data;
      return withDomain(service, domainName, { token, status: 'PENDING', failure: null, at, statusAt: at, version });
    }
    case 'CustomDomainVerified': {
      const { domainName, at } = event.data;
      return checkedDomain(service, domainName, { status: 'VERIFIED', failure: null, statusAt: at, version });
    }
    case 'CustomDomainVerificationFailed': {
      const { domainName, failure, at } = event.data;
      return checkedDomain(service, domainName, { status: 'FAILED', failure, statusAt: at, version });
    }
    case 'CustomDomainRemoved': {
      const { [event.data.domainName]: _removed, ...customDomains } = service.customDomains;
      return { ...service, customDomains };
    }
    case 'SecurityLockPlaced': {
      const { message, actor, at } = event.data;
      const told = withFact(service, { kind: 'securityLocked', version, locked: true, message, actor, at });
      return { ...told, securityLock: { message, at } };
    }
    case 'SecurityLockLifted': {
      const { actor, at } = event.data;
      const told = withFact(service, { kind: 'securityLocked', version, locked: false, message: '', actor, at });
      return { ...told, securityLock: null };
    }
    case 'FinancialLockPlaced': {
      const { source, ...lock } = event.data;
      return withFinancialLock(service, source, { ...lock, overdue: true });
    }
    case 'FinancialLockLifted': {
      const { source, ...lock } = event.data;
      return withFinancialLock(service, source, { ...lock, overdue: false, message: '' });
    }
    case 'ConnectionsInformed':
      return { ...service, untold: service.untold.filter((fact) => fact.version > event.data.version) };
    case 'DeletionStarted': {
      const { force, actor } = event.data;
      return { ...service, status: event.data.move.to, deletion: { version, force, actor } };
    }
    case 'DeletionRefused': {
      const { blockers, blockerCount } = event.data;
      const lastRefusal = { version, blockers, blockerCount };
      return { ...service, status: event.data.move.to, deletion: null, lastRefusal };
    }
    case 'EndpointServiceDeleted':
      return { ...service, status: event.data.move.to };
    case 'EndpointServiceCreationAbandoned': {
      const { serviceId, accountId, move } = event.data;
      return { ...service, serviceId, accountId, status: move.to };
    }
    default:
      return assertNever(event);
  }
};

const moved = (service: EndpointService, recorded: EndpointServiceMove | null): EndpointServiceStatus | null =>
  recorded?.to ?? service.status;

const withRegion = (
  service: EndpointService,
  { regionId, regionMove, at }: Readonly<{ regionId: string; regionMove: SupportedRegionMove; at: string }>,
  change: Partial<SupportedRegion> = {},
): EndpointService => {
  const known = service.supportedRegions[regionId] ?? { force: false, actor: '', createdAt: at };
  const region = { ...known, ...change, status: regionMove.to, version: service.version, statusAt: at };
  return { ...service, supportedRegions: { ...service.supportedRegions, [regionId]: region } };
};

const withFact = (service: EndpointService, fact: ServiceFact): EndpointService => ({
  ...service,
  untold: [...service.untold, fact],
});

const withFinancialLock = (service: EndpointService, source: string, lock: FinancialLock): EndpointService => ({
  ...service,
  financialLocks: { ...service.financialLocks, [source]: lock },
});

const withUser = (
  service: EndpointService,
  accountId: string,
  { autoAccept, maxConnections, approvalTtlMs }: UserTerms,
  at: string,
): EndpointService => {
  const user: ServiceUser = { autoAccept, maxConnections, approvalTtlMs, at };
  return { ...service, users: { ...service.users, [accountId]: user } };
};

const withDomain = (service: EndpointService, domainName: string, domain: CustomDomain): EndpointService => ({
  ...service,
  customDomains: { ...service.customDomains, [domainName]: domain },
});

const checkedDomain = (
  service: EndpointService,
  domainName: string,
  change: Omit<CustomDomain, 'token' | 'at'>,
): EndpointService => {
  const domain = service.customDomains[domainName];
  return domain ? withDomain(service, domainName, { ...domain, ...change }) : service;
};
