import { AddressType, BusinessStatus, EndpointType, Payer } from '@privatelink/proto/common/v1/common';
import type { Duration } from '@privatelink/proto/google/protobuf/duration';
import {
  type AdmissionSnapshot as AdmissionSnapshotMessage,
  CustomDomainFailure,
  type CustomDomain as CustomDomainMessage,
  CustomDomainStatus,
  type EndpointService as EndpointServiceMessage,
  EndpointServiceStatus,
  ResourceType,
  type ServiceResource as ServiceResourceMessage,
  type ServiceUser as ServiceUserMessage,
  type SupportedRegion as SupportedRegionMessage,
  SupportedRegionStatus,
} from '@privatelink/proto/provider/v1/endpoint_service';
import { toBandwidthTerms } from '@privatelink/shared/grpc/bandwidth';
import { toLock } from '@privatelink/shared/grpc/locks';
import { timestamp } from '@privatelink/shared/grpc/timestamp';
import type { Acceptance, AdmissionSnapshot } from '../endpoint-service/admission.ts';
import { type BandwidthTerms, bandwidthTerms } from '../endpoint-service/bandwidth.ts';
import { businessStatusOf, locksOf, type ServiceLock } from '../endpoint-service/endpoint-service.locks.ts';
import {
  type EndpointService,
  offeredZones,
  type ServiceResource,
  type ServiceUser,
  verifiedDomains,
} from '../endpoint-service/endpoint-service.ts';
import { txtRecordName } from './domain-name.ts';

/** `owner`: everything. `other`: what a consumer may know. */
export type View = 'owner' | 'other';

export const toEndpointService = (service: EndpointService, revision: bigint, view: View): EndpointServiceMessage => ({
  serviceId: service.serviceId,
  serviceName: service.serviceName,
  accountId: service.accountId,
  regionId: service.regionId,
  serviceType: EndpointType[service.serviceType],
  status: toStatus(service.status),
  businessStatus: BusinessStatus[businessStatusOf(service)],
  description: view === 'owner' ? service.description : '',
  autoAccept: service.autoAccept,
  payer: Payer[service.payer],
  addressType: AddressType[service.addressType],
  zoneIds: [...offeredZones(service)],
  resources: view === 'owner' ? service.resources.map(toServiceResource) : [],
  createTime: timestamp(service.createdAt),
  updateTime: timestamp(service.updatedAt),
  revision,
  tags: view === 'owner' ? service.tags.map(({ key, value }) => ({ key, value })) : [],
  securityLock: view === 'owner' ? locksOf(service).filter(isOperators).map(toLock)[0] : undefined,
  customDomains: toCustomDomains(service, view),
  zoneAffinity: service.zoneAffinity,
  locks: view === 'owner' ? locksOf(service).map(toLock) : [],
  bandwidthTerms: toBandwidthTerms(bandwidthTerms(service)),
  supportedRegions: toSupportedRegions(service),
});

const toSupportedRegions = (service: EndpointService): SupportedRegionMessage[] =>
  Object.entries(service.supportedRegions)
    .filter(([, { status }]) => status !== 'CLOSED')
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([regionId, { status, createdAt, statusAt }]) => ({
      regionId,
      status: SupportedRegionStatus[status],
      businessStatus: BusinessStatus[businessStatusOf(service)],
      createTime: timestamp(createdAt),
      statusTime: timestamp(statusAt),
    }));

const toCustomDomains = ({ customDomains }: EndpointService, view: View): CustomDomainMessage[] =>
  Object.entries(customDomains)
    .filter(([, { status }]) => view === 'owner' || status === 'VERIFIED')
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([domainName, { status, token, failure, at, statusAt }]) => ({
      domainName,
      status: CustomDomainStatus[status],
      txtRecordName: view === 'owner' ? txtRecordName(domainName) : '',
      token: view === 'owner' ? token : '',
      failure: CustomDomainFailure[failure ?? 'UNSPECIFIED'],
      createTime: timestamp(at),
      statusTime: timestamp(statusAt),
    }));

const isOperators = ({ kind }: ServiceLock): boolean => kind === 'SECURITY_LOCKED';

/** A service that is gone is only ever shown as being deleted. */
const toStatus = (status: EndpointService['status']): EndpointServiceStatus =>
  status === null ? EndpointServiceStatus.UNSPECIFIED : EndpointServiceStatus[status === 'GONE' ? 'DELETING' : status];

export const toServiceResource = (resource: ServiceResource): ServiceResourceMessage => ({
  resourceId: resource.resourceId,
  resourceType: ResourceType[resource.resourceType],
  zoneId: resource.zoneId,
  targets: resource.targets.map(({ ip, port }) => ({ ip, port })),
  autoAllocated: resource.autoAllocated,
  vpcId: resource.vpcId,
  proxyProtocol: resource.proxyProtocol,
});

export const toServiceUser = (accountId: string, user: ServiceUser): ServiceUserMessage => ({
  accountId,
  createTime: timestamp(user.at),
  autoAccept: user.autoAccept ?? undefined,
  maxConnections: user.maxConnections ?? undefined,
  approvalTtl: toDuration(user.approvalTtlMs),
});

export const toAdmission = (
  { service, resources }: AdmissionSnapshot,
  { autoAccept, approvalTtlMs }: Acceptance,
  terms: BandwidthTerms | null,
): AdmissionSnapshotMessage => ({
  serviceId: service.serviceId,
  serviceName: service.serviceName,
  serviceAccountId: service.accountId,
  serviceRevision: BigInt(service.version),
  serviceType: EndpointType[service.serviceType],
  payer: Payer[service.payer],
  autoAccept,
  approvalTtl: toDuration(approvalTtlMs),
  resources: resources.map(toServiceResource),
  customDomains: [...verifiedDomains(service)],
  zoneAffinity: service.zoneAffinity,
  bandwidthTerms: toBandwidthTerms(terms),
  serviceRegion: service.regionId,
});

const toDuration = (ms: number | null): Duration | undefined =>
  ms === null ? undefined : { seconds: BigInt(Math.floor(ms / 1_000)), nanos: (ms % 1_000) * 1_000_000 };
