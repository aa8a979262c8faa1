import type { Cmd, Ev } from '@privatelink/shared/eventing/message';
import type { Payment } from '../account-services/account-services.ts';
import type { RegionRefusal, SupportedRegion } from './endpoint-service.regions.ts';
import type { EndpointServiceStatus, EndpointServiceMove as Move } from './endpoint-service-status.ts';
import type { SupportedRegionMove } from './supported-region-status.ts';

export type ServiceType = 'INTERFACE' | 'GATEWAY_LOAD_BALANCER' | 'REVERSE';
export type ResourceType = 'NLB' | 'CLB' | 'ALB' | 'GWLB' | 'EGRESS_SOURCE';
export type AddressType = 'IPV4' | 'DUAL_STACK';
export type Payer = 'ENDPOINT' | 'ENDPOINT_SERVICE';
export type Target = Readonly<{ ip: string; port: number }>;
export type TrafficControlMode = 'SCALABILITY' | 'BANDWIDTH_LIMIT';
/** `limitMbps` is 0 exactly where there is no limit. */
export type Bandwidth = Readonly<{ mode: TrafficControlMode; limitMbps: number }>;
export type Tag = Readonly<{ key: string; value: string }>;
export type ServiceResource = Readonly<{
  resourceId: string;
  resourceType: ResourceType;
  zoneId: string;
  targets: readonly Target[];
  autoAllocated: boolean;
  /** VPC in which the targets are reached; empty for the network of the zone's agent. */
  vpcId: string;
  /** Whether connections to the targets begin with PROXY protocol version 2. */
  proxyProtocol: boolean;
}>;
export type Reconcile = 'KEEP' | 'DISCONNECT';
export type Blocker = Readonly<{ connectionId: string; status: string }>;
export type ResourceKey = Readonly<{ resourceId: string; zoneId: string }>;
export type Detachment = ResourceKey & Readonly<{ version: number }>;

/** On which terms an account may connect; null where nothing was said. */
export type UserTerms = Readonly<{
  autoAccept: boolean | null;
  maxConnections: number | null;
  approvalTtlMs: number | null;
}>;
export type ServiceUser = UserTerms & Readonly<{ at: string }>;

/** What the last check found instead of the proof. */
export type CustomDomainFailure = 'NO_RECORD' | 'OTHER_RECORD';

/** A name of the provider's own; `token` is what its TXT record says. */
export type CustomDomain = Readonly<{
  token: string;
  status: 'PENDING' | 'VERIFIED' | 'FAILED';
  /** Null unless it failed. */
  failure: CustomDomainFailure | null;
  at: string;
  statusAt: string;
  /** The service's, by which it was declared or the last check of it recorded. */
  version: number;
}>;

export type FinancialLock = Readonly<{ sequence: number; overdue: boolean; message: string; at: string }>;

export const noTerms: UserTerms = { autoAccept: null, maxConnections: null, approvalTtlMs: null };

type Particulars = Readonly<{
  serviceId: string;
  serviceName: string;
  accountId: string;
  regionId: string;
  serviceType: ServiceType;
  addressType: AddressType;
  description: string;
  autoAccept: boolean;
  payer: Payer;
  resources: readonly ServiceResource[];
  /** In order of their keys. */
  tags: readonly Tag[];
  /** Of endpoints that are created, unless they say otherwise. */
  zoneAffinity: boolean;
  /** Of connections that are requested; null: what its kind of resource has. */
  connectBandwidth: Bandwidth | null;
}>;

type Changing = { at: string; move: Move | null };
type OfRegion = { regionId: string; regionMove: SupportedRegionMove; at: string };
type User = UserTerms & { accountId: string; actor: string };

export type EndpointServiceEvent =
  | Ev<'EndpointServiceCreated', Particulars & { at: string; move: Move }>
  | Ev<'EndpointServiceActivated', { at: string; move: Move }>
  | Ev<'DescriptionChanged', Changing & { description: string }>
  | Ev<'TagsChanged', Changing & { tags: readonly Tag[] }>
  /** There is no way back: endpoints may have IPv6 addresses since. */
  | Ev<'DualStackEnabled', Changing>
  | Ev<'ZoneAffinityChanged', Changing & { zoneAffinity: boolean }>
  | Ev<'ConnectBandwidthChanged', Changing & { connectBandwidth: Bandwidth }>
  | Ev<'ResourceAttached', Changing & { resource: ServiceResource }>
  | Ev<'ResourceAllocationChanged', Changing & ResourceKey & { autoAllocated: boolean }>
  | Ev<'ResourceDetachmentStarted', Changing & ResourceKey>
  | Ev<'ResourceDetached', ResourceKey & { at: string }>
  | Ev<'ResourceDetachmentRefused', ResourceKey & { endpointIds: readonly string[]; at: string }>
  | Ev<'SupportedRegionAdded', OfRegion & Changing>
  | Ev<'SupportedRegionOpened', OfRegion>
  | Ev<'SupportedRegionFailed', OfRegion>
  | Ev<'SupportedRegionRemovalStarted', OfRegion & Changing & { force: boolean; actor: string }>
  | Ev<'SupportedRegionRemovalRefused', OfRegion & { blockers: readonly Blocker[]; blockerCount: number }>
  | Ev<'SupportedRegionRemoved', OfRegion & { connectionCount: number }>
  | Ev<'ChangeCompleted', { at: string; move: Move }>
  | Ev<'ServiceUserAdded', User & { at: string }>
  | Ev<'ServiceUserTermsChanged', User & { at: string }>
  | Ev<'ServiceUserRemoved', { accountId: string; reconcile: Reconcile; actor: string; at: string }>
  | Ev<'AutoAcceptEnabled', { acceptWaiting: boolean; actor: string; at: string }>
  | Ev<'AutoAcceptDisabled', { at: string }>
  | Ev<'CustomDomainDeclared', { domainName: string; token: string; at: string }>
  | Ev<'CustomDomainVerified', { domainName: string; at: string }>
  | Ev<'CustomDomainVerificationFailed', { domainName: string; failure: CustomDomainFailure; at: string }>
  | Ev<'CustomDomainRemoved', { domainName: string; at: string }>
  | Ev<'SecurityLockPlaced', { message: string; actor: string; at: string }>
  | Ev<'SecurityLockLifted', { actor: string; at: string }>
  | Ev<'FinancialLockPlaced', { source: string; sequence: number; message: string; at: string }>
  | Ev<'FinancialLockLifted', { source: string; sequence: number; at: string }>
  | Ev<'ConnectionsInformed', { version: number; at: string }>
  | Ev<'DeletionStarted', { force: boolean; actor: string; at: string; move: Move }>
  | Ev<'DeletionRefused', { blockers: readonly Blocker[]; blockerCount: number; at: string; move: Move }>
  | Ev<'EndpointServiceDeleted', { connectionCount: number; at: string; move: Move }>
  | Ev<'EndpointServiceCreationAbandoned', { serviceId: string; accountId: string; at: string; move: Move }>;

/** Something the broker must record for the service's connections, in order of `version`. */
export type ServiceFact = Readonly<{ version: number; actor: string; at: string }> &
  (
    | Readonly<{ kind: 'userAdded'; accountId: string }>
    | Readonly<{ kind: 'userRemoved'; accountId: string; exceptAccountIds: readonly string[] }>
    | Readonly<{ kind: 'waitingAccepted' }>
    | Readonly<{ kind: 'securityLocked'; locked: boolean; message: string }>
  );

export type EndpointService = Particulars &
  Readonly<{
    status: EndpointServiceStatus | null;
    /** Counts the events: what other services order this service's facts by. */
    version: number;
    /** The version by which those that waited were accepted last; 0 before. */
    waitingAcceptedAt: number;
    /** `version` is that of the start: an answer to an earlier detachment does not end a later one. */
    detaching: readonly Detachment[];
    /** The last answers of the broker, for the caller that waits for them. */
    lastRefusal: Readonly<{ version: number; blockers: readonly Blocker[]; blockerCount: number }> | null;
    /** `started`: version of the start that was refused. */
    lastDetachmentRefusal:
      | (ResourceKey & Readonly<{ version: number; started: number; endpointIds: readonly string[] }>)
      | null;
    /** By region, other ones than its own, also those that are closed. */
    supportedRegions: Readonly<Record<string, SupportedRegion>>;
    lastRegionRefusal: RegionRefusal | null;
    /** By account id, or `*`: when it was added, and on which terms. */
    users: Readonly<Record<string, ServiceUser>>;
    /** Accounts, or `*`, whose connections are held since they were removed. */
    disconnected: readonly string[];
    /** By domain name. */
    customDomains: Readonly<Record<string, CustomDomain>>;
    /** What an operator locked it for; null when it is not locked. */
    securityLock: Readonly<{ message: string; at: string }> | null;
    /** By `<source of the report>:<scope>`; those that were lifted stay, to know what comes late. */
    financialLocks: Readonly<Record<string, FinancialLock>>;
    untold: readonly ServiceFact[];
    deletion: Readonly<{ version: number; force: boolean; actor: string }> | null;
    /** Empty for a service whose creation was abandoned. */
    createdAt: string;
    updatedAt: string;
  }>;

export type EndpointServiceCommand =
  | Cmd<'CreateEndpointService', Particulars>
  /** `payments`: what is known of the bills of its account. */
  | Cmd<'ActivateEndpointService', { payments: readonly Payment[] }>
  /** Null leaves it as it is. */
  | Cmd<
      'UpdateEndpointService',
      {
        description: string | null;
        tags: readonly Tag[] | null;
        addressType: AddressType | null;
        zoneAffinity: boolean | null;
        connectBandwidth: Bandwidth | null;
      }
    >
  | Cmd<'AttachResource', { resource: ServiceResource }>
  | Cmd<'ChangeResourceAllocation', ResourceKey & { autoAllocated: boolean }>
  | Cmd<'StartResourceDetachment', ResourceKey>
  | Cmd<'CompleteResourceDetachment', Detachment>
  | Cmd<'RefuseResourceDetachment', Detachment & { endpointIds: readonly string[] }>
  | Cmd<'AddSupportedRegion', { regionId: string }>
  | Cmd<'RecordRegionOpened', { regionId: string }>
  | Cmd<'RecordRegionFailed', { regionId: string }>
  | Cmd<'StartRegionRemoval', { regionId: string; force: boolean; actor: string }>
  | Cmd<
      'RefuseRegionRemoval',
      { regionId: string; version: number; blockers: readonly Blocker[]; blockerCount: number }
    >
  | Cmd<'CompleteChange', object>
  | Cmd<'AddServiceUser', User>
  | Cmd<'RemoveServiceUser', { accountId: string; reconcile: Reconcile; actor: string }>
  /** `asOf`: the version of the service that whoever asks has seen. */
  | Cmd<'SetAutoAccept', { autoAccept: boolean; acceptWaiting: boolean; asOf: number; actor: string }>
  | Cmd<'DeclareCustomDomain', { domainName: string; token: string }>
  /** `failure`: null when the proof is there. `asOf`: the version of the service before it was looked for. */
  | Cmd<'RecordCustomDomainCheck', { domainName: string; failure: CustomDomainFailure | null; asOf: number }>
  | Cmd<'RemoveCustomDomain', { domainName: string }>
  | Cmd<'PlaceSecurityLock', { message: string; actor: string }>
  | Cmd<'LiftSecurityLock', { actor: string }>
  /** `scope`: the service's own id, or its account's. */
  | Cmd<'RecordPayments', { scope: string; payments: readonly Payment[] }>
  | Cmd<'RecordConnectionsInformed', { version: number }>
  | Cmd<'StartDeletion', { force: boolean; actor: string }>
  | Cmd<'RefuseDeletion', { version: number; blockers: readonly Blocker[]; blockerCount: number }>
  /** `version`: of the deletion, or of the removal of a region. */
  | Cmd<'ConfirmTeardown', { version: number; connectionCount: number }>
  | Cmd<'AbandonCreation', { serviceId: string; accountId: string }>;

export const initialEndpointService: EndpointService = {
  status: null,
  version: 0,
  serviceId: '',
  serviceName: '',
  accountId: '',
  regionId: '',
  serviceType: 'INTERFACE',
  addressType: 'IPV4',
  description: '',
  autoAccept: false,
  waitingAcceptedAt: 0,
  payer: 'ENDPOINT',
  resources: [],
  tags: [],
  zoneAffinity: false,
  connectBandwidth: null,
  detaching: [],
  lastRefusal: null,
  lastDetachmentRefusal: null,
  supportedRegions: {},
  lastRegionRefusal: null,
  users: {},
  disconnected: [],
  customDomains: {},
  securityLock: null,
  financialLocks: {},
  untold: [],
  deletion: null,
  createdAt: '',
  updatedAt: '',
};

export const isSameResource =
  (a: ResourceKey) =>
  (b: ResourceKey): boolean =>
    a.resourceId === b.resourceId && a.zoneId === b.zoneId;

/** Zones in which new endpoints can be, sorted. */
export const offeredZones = (service: EndpointService): readonly string[] =>
  [...new Set(service.resources.filter(isOffered(service)).map((resource) => resource.zoneId))].sort();

/** A resource being detached takes nobody new. */
export const isOffered =
  (service: EndpointService) =>
  (resource: ServiceResource): boolean =>
    resource.autoAllocated && !service.detaching.some(isSameResource(resource));

/** Entered by its own name; not by `*`. */
export const isListed = (service: EndpointService, accountId: string): boolean =>
  Object.hasOwn(service.users, accountId);

export const mayConnect = (service: EndpointService, accountId: string): boolean =>
  isListed(service, accountId) || isListed(service, '*');

/** What an account may connect by: its own entry, or else that of everybody. */
export const termsFor = (service: EndpointService, accountId: string): UserTerms =>
  service.users[isListed(service, accountId) ? accountId : '*'] ?? noTerms;

export const customDomainOf = ({ customDomains }: EndpointService, domainName: string): CustomDomain | null =>
  Object.hasOwn(customDomains, domainName) ? (customDomains[domainName] ?? null) : null;

/** Names that endpoints may have, sorted. */
export const verifiedDomains = ({ customDomains }: EndpointService): readonly string[] =>
  Object.keys(customDomains)
    .filter((domainName) => customDomains[domainName]?.status === 'VERIFIED')
    .sort();
