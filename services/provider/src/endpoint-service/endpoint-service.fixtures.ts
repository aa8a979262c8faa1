import type { Payment } from '../account-services/account-services.ts';
import {
  type Bandwidth,
  type CustomDomainFailure,
  type EndpointServiceCommand,
  type EndpointServiceEvent,
  noTerms,
  type Reconcile,
  type ServiceResource,
  type Tag,
  type UserTerms,
} from './endpoint-service.ts';
import { type EndpointServiceStatus, endpointServiceMove } from './endpoint-service-status.ts';
import { supportedRegionMove } from './supported-region-status.ts';

/** Histories of one endpoint service, by hand. For tests. */

export const at = '2026-01-02T03:04:05.000Z';
export const owner = '1000000000000001';
export const consumer = '2000000000000002';
const actor = 'user:paula';
const operator = 'user:olga';

export const resource = (resourceId: string, change: Partial<ServiceResource> = {}): ServiceResource => ({
  resourceId,
  resourceType: 'NLB',
  zoneId: 'h',
  targets: [{ ip: '10.0.0.10', port: 443 }],
  autoAllocated: true,
  vpcId: '',
  proxyProtocol: false,
  ...change,
});
const key = (resourceId: string) => ({ resourceId, zoneId: 'h' });

type Creation = Extract<EndpointServiceCommand, { type: 'CreateEndpointService' }>['data'];
const creation: Creation = {
  serviceId: 'epsrv-1',
  serviceName: 'com.privatelink.cn-hangzhou.epsrv-1',
  accountId: owner,
  regionId: 'cn-hangzhou',
  serviceType: 'INTERFACE',
  addressType: 'IPV4',
  description: 'a database',
  autoAccept: false,
  payer: 'ENDPOINT',
  resources: [resource('nlb-1')],
  tags: [],
  zoneAffinity: false,
  connectBandwidth: null,
};

export const create = (change: Partial<Creation> = {}): EndpointServiceCommand => ({
  type: 'CreateEndpointService',
  data: { ...creation, ...change },
});
export const abandon: EndpointServiceCommand = {
  type: 'AbandonCreation',
  data: { serviceId: creation.serviceId, accountId: creation.accountId },
};
export const activate: EndpointServiceCommand = { type: 'ActivateEndpointService', data: { payments: [] } };
export const tag = (key: string, value = ''): Tag => ({ key, value });
export const update = (
  change: Partial<Extract<EndpointServiceCommand, { type: 'UpdateEndpointService' }>['data']>,
): EndpointServiceCommand => ({
  type: 'UpdateEndpointService',
  data: { description: null, tags: null, addressType: null, zoneAffinity: null, connectBandwidth: null, ...change },
});
export const describeAs = (description: string): EndpointServiceCommand => update({ description });
export const attach = (added: ServiceResource): EndpointServiceCommand => ({
  type: 'AttachResource',
  data: { resource: added },
});
export const allocate = (resourceId: string, autoAllocated: boolean): EndpointServiceCommand => ({
  type: 'ChangeResourceAllocation',
  data: { ...key(resourceId), autoAllocated },
});
export const detach = (resourceId: string): EndpointServiceCommand => ({
  type: 'StartResourceDetachment',
  data: key(resourceId),
});
/** `version` is that of the start which is answered. */
export const completeDetachment = (resourceId: string, version: number): EndpointServiceCommand => ({
  type: 'CompleteResourceDetachment',
  data: { ...key(resourceId), version },
});
export const refuseDetachment = (resourceId: string, version: number): EndpointServiceCommand => ({
  type: 'RefuseResourceDetachment',
  data: { ...key(resourceId), version, endpointIds: ['ep-1'] },
});
export const addRegion = (regionId = 'cn-shanghai'): EndpointServiceCommand => ({
  type: 'AddSupportedRegion',
  data: { regionId },
});
export const openRegion = (regionId = 'cn-shanghai'): EndpointServiceCommand => ({
  type: 'RecordRegionOpened',
  data: { regionId },
});
export const failRegion = (regionId = 'cn-shanghai'): EndpointServiceCommand => ({
  type: 'RecordRegionFailed',
  data: { regionId },
});
export const removeRegion = (force = false, regionId = 'cn-shanghai'): EndpointServiceCommand => ({
  type: 'StartRegionRemoval',
  data: { regionId, force, actor },
});
const blocked = { blockers: [{ connectionId: 'ep-1', status: 'CONNECTED' }], blockerCount: 1 };
/** `version` is that of the start which is answered. */
export const refuseRegionRemoval = (version: number, regionId = 'cn-shanghai'): EndpointServiceCommand => ({
  type: 'RefuseRegionRemoval',
  data: { regionId, version, ...blocked },
});
export const completeChange: EndpointServiceCommand = { type: 'CompleteChange', data: {} };
export const add = (accountId: string, terms: Partial<UserTerms> = {}): EndpointServiceCommand => ({
  type: 'AddServiceUser',
  data: { accountId, ...noTerms, ...terms, actor },
});
export const remove = (accountId: string, reconcile: Reconcile): EndpointServiceCommand => ({
  type: 'RemoveServiceUser',
  data: { accountId, reconcile, actor },
});
/** `asOf` is the version that whoever asks has seen. */
export const autoAccept = (on: boolean, acceptWaiting = false, asOf = 0): EndpointServiceCommand => ({
  type: 'SetAutoAccept',
  data: { autoAccept: on, acceptWaiting, asOf, actor },
});
export const lock = (message = 'leaks'): EndpointServiceCommand => ({
  type: 'PlaceSecurityLock',
  data: { message, actor: operator },
});
export const declare = (domainName: string): EndpointServiceCommand => ({
  type: 'DeclareCustomDomain',
  data: { domainName, token: tokenFor(domainName) },
});
/** `asOf` is the version before the proof was looked for. */
export const checked = (
  domainName: string,
  failure: CustomDomainFailure | null,
  asOf = Number.MAX_SAFE_INTEGER,
): EndpointServiceCommand => ({
  type: 'RecordCustomDomainCheck',
  data: { domainName, failure, asOf },
});
export const withdraw = (domainName: string): EndpointServiceCommand => ({
  type: 'RemoveCustomDomain',
  data: { domainName },
});
export const unlock: EndpointServiceCommand = { type: 'LiftSecurityLock', data: { actor: operator } };
export const informed = (version: number): EndpointServiceCommand => ({
  type: 'RecordConnectionsInformed',
  data: { version },
});
export const startDeletion = (force = false): EndpointServiceCommand => ({
  type: 'StartDeletion',
  data: { force, actor },
});
export const refuseDeletion = (version: number): EndpointServiceCommand => ({
  type: 'RefuseDeletion',
  data: { version, blockers: [{ connectionId: 'ep-1', status: 'CONNECTED' }], blockerCount: 1 },
});
export const confirmTeardown = (version: number): EndpointServiceCommand => ({
  type: 'ConfirmTeardown',
  data: { version, connectionCount: 1 },
});

const changeStarted = endpointServiceMove('ACTIVE', 'changeStarted', 'CHANGING');
const ofRegion = (...move: Parameters<typeof supportedRegionMove>) => ({
  ...{ regionId: 'cn-shanghai', regionMove: supportedRegionMove(...move), at },
});

export const createdAs = (change: Partial<Creation> = {}): EndpointServiceEvent => ({
  type: 'EndpointServiceCreated',
  data: { ...creation, ...change, at, move: endpointServiceMove(null, 'created', 'CREATING') },
});
export const abandoned: EndpointServiceEvent = {
  type: 'EndpointServiceCreationAbandoned',
  data: { serviceId: creation.serviceId, accountId: owner, at, move: endpointServiceMove(null, 'abandoned', 'GONE') },
};
export const activated: EndpointServiceEvent = {
  type: 'EndpointServiceActivated',
  data: { at, move: endpointServiceMove('CREATING', 'activated', 'ACTIVE') },
};
export const describedAs = (description: string, starts = true): EndpointServiceEvent => ({
  type: 'DescriptionChanged',
  data: { description, at, move: starts ? changeStarted : null },
});
export const taggedAs = (tags: readonly Tag[], starts = true): EndpointServiceEvent => ({
  type: 'TagsChanged',
  data: { tags, at, move: starts ? changeStarted : null },
});
export const dualStackAs = (starts = true): EndpointServiceEvent => ({
  type: 'DualStackEnabled',
  data: { at, move: starts ? changeStarted : null },
});
export const affinityAs = (zoneAffinity: boolean, starts = true): EndpointServiceEvent => ({
  type: 'ZoneAffinityChanged',
  data: { zoneAffinity, at, move: starts ? changeStarted : null },
});
export const bandwidthAs = (connectBandwidth: Bandwidth, starts = true): EndpointServiceEvent => ({
  type: 'ConnectBandwidthChanged',
  data: { connectBandwidth, at, move: starts ? changeStarted : null },
});
export const allocatedAs = (resourceId: string, autoAllocated: boolean, starts = true): EndpointServiceEvent => ({
  type: 'ResourceAllocationChanged',
  data: { ...key(resourceId), autoAllocated, at, move: starts ? changeStarted : null },
});
export const attachedAs = (added: ServiceResource, starts = true): EndpointServiceEvent => ({
  type: 'ResourceAttached',
  data: { resource: added, at, move: starts ? changeStarted : null },
});
export const detachingAs = (resourceId: string, starts = true): EndpointServiceEvent => ({
  type: 'ResourceDetachmentStarted',
  data: { ...key(resourceId), at, move: starts ? changeStarted : null },
});
export const detachedAs = (resourceId: string): EndpointServiceEvent => ({
  type: 'ResourceDetached',
  data: { ...key(resourceId), at },
});
export const detachmentRefusedAs = (resourceId: string): EndpointServiceEvent => ({
  type: 'ResourceDetachmentRefused',
  data: { ...key(resourceId), endpointIds: ['ep-1'], at },
});
export const regionAddedAs = (
  starts = true,
  from: 'CLOSED' | 'FAILED' | null = null,
  regionId = 'cn-shanghai',
): EndpointServiceEvent => ({
  type: 'SupportedRegionAdded',
  data: { ...ofRegion(from, 'added', 'PENDING'), regionId, move: starts ? changeStarted : null },
});
export const regionOpened: EndpointServiceEvent = {
  type: 'SupportedRegionOpened',
  data: ofRegion('PENDING', 'opened', 'AVAILABLE'),
};
export const regionFailed: EndpointServiceEvent = {
  type: 'SupportedRegionFailed',
  data: ofRegion('PENDING', 'failed', 'FAILED'),
};
export const regionRemovalStartedAs = (
  force = false,
  starts = true,
  from: 'PENDING' | 'AVAILABLE' | 'FAILED' = 'AVAILABLE',
): EndpointServiceEvent => ({
  type: 'SupportedRegionRemovalStarted',
  data: { ...ofRegion(from, 'removalStarted', 'DELETING'), force, actor, move: starts ? changeStarted : null },
});
export const regionRemovalRefused: EndpointServiceEvent = {
  type: 'SupportedRegionRemovalRefused',
  data: { ...ofRegion('DELETING', 'removalRefused', 'AVAILABLE'), ...blocked },
};
export const regionRemoved: EndpointServiceEvent = {
  type: 'SupportedRegionRemoved',
  data: { ...ofRegion('DELETING', 'teardownConfirmed', 'CLOSED'), connectionCount: 1 },
};
export const changed: EndpointServiceEvent = {
  type: 'ChangeCompleted',
  data: { at, move: endpointServiceMove('CHANGING', 'changeCompleted', 'ACTIVE') },
};
export const addedAs = (accountId: string, terms: Partial<UserTerms> = {}): EndpointServiceEvent => ({
  type: 'ServiceUserAdded',
  data: { accountId, ...noTerms, ...terms, actor, at },
});
export const termsAs = (accountId: string, terms: Partial<UserTerms>): EndpointServiceEvent => ({
  type: 'ServiceUserTermsChanged',
  data: { accountId, ...noTerms, ...terms, actor, at },
});
export const removedAs = (accountId: string, reconcile: Reconcile): EndpointServiceEvent => ({
  type: 'ServiceUserRemoved',
  data: { accountId, reconcile, actor, at },
});
export const autoAcceptOn = (acceptWaiting = false): EndpointServiceEvent => ({
  type: 'AutoAcceptEnabled',
  data: { acceptWaiting, actor, at },
});
export const autoAcceptOff: EndpointServiceEvent = { type: 'AutoAcceptDisabled', data: { at } };
const tokenFor = (domainName: string): string => `token of ${domainName}`;
export const declaredAs = (domainName: string): EndpointServiceEvent => ({
  type: 'CustomDomainDeclared',
  data: { domainName, token: tokenFor(domainName), at },
});
export const verifiedAs = (domainName: string): EndpointServiceEvent => ({
  type: 'CustomDomainVerified',
  data: { domainName, at },
});
export const proofMissedAs = (domainName: string, failure: CustomDomainFailure): EndpointServiceEvent => ({
  type: 'CustomDomainVerificationFailed',
  data: { domainName, failure, at },
});
export const withdrawnAs = (domainName: string): EndpointServiceEvent => ({
  type: 'CustomDomainRemoved',
  data: { domainName, at },
});
export const lockedAs = (message = 'leaks'): EndpointServiceEvent => ({
  type: 'SecurityLockPlaced',
  data: { message, actor: operator, at },
});
export const payments = (scope: string, ...said: readonly Payment[]): EndpointServiceCommand => ({
  type: 'RecordPayments',
  data: { scope, payments: said },
});
export const unpaid = (sequence: number, source = 'erp'): Payment => {
  return { source, sequence, overdue: true, message: `invoice ${sequence}` };
};
export const paid = (sequence: number, source = 'erp'): Payment => ({ source, sequence, overdue: false, message: '' });
export const overdueAs = (source: string, sequence: number): EndpointServiceEvent => ({
  type: 'FinancialLockPlaced',
  data: { source, sequence, message: `invoice ${sequence}`, at },
});
export const settledAs = (source: string, sequence: number): EndpointServiceEvent => ({
  type: 'FinancialLockLifted',
  data: { source, sequence, at },
});
export const unlocked: EndpointServiceEvent = { type: 'SecurityLockLifted', data: { actor: operator, at } };
export const informedAs = (version: number): EndpointServiceEvent => ({
  type: 'ConnectionsInformed',
  data: { version, at },
});
export const deletionStartedAs = (from: EndpointServiceStatus, force = false): EndpointServiceEvent => ({
  type: 'DeletionStarted',
  data: { force, actor, at, move: endpointServiceMove(from, 'deletionStarted', 'DELETING') },
});
export const deletionRefusedAs = (to: 'ACTIVE' | 'CHANGING'): EndpointServiceEvent => ({
  type: 'DeletionRefused',
  data: {
    blockers: [{ connectionId: 'ep-1', status: 'CONNECTED' }],
    blockerCount: 1,
    at,
    move: endpointServiceMove('DELETING', 'deletionRefused', to),
  },
});
export const deletionRefused = deletionRefusedAs('ACTIVE');
export const deleted: EndpointServiceEvent = {
  type: 'EndpointServiceDeleted',
  data: { connectionCount: 1, at, move: endpointServiceMove('DELETING', 'teardownConfirmed', 'GONE') },
};

/** By the status that each leads to; the version of a state is the number of its events. */
export const active = [createdAs(), activated];
/** It takes endpoints of another region. */
export const supporting = [...active, regionAddedAs(), regionOpened, changed];
export const deleting = [...active, deletionStartedAs('ACTIVE')];
export const gone = [...deleting, deleted];
