import { Rejected } from '@privatelink/shared/eventing/rejected';
import { regionsIn } from './endpoint-service.regions.ts';
import {
  type AddressType,
  type EndpointService,
  isOffered,
  mayConnect,
  offeredZones,
  type ServiceResource,
  type ServiceType,
  termsFor,
} from './endpoint-service.ts';

export type AdmissionRejection =
  | 'ENDPOINT_SERVICE_NOT_FOUND'
  | 'SERVICE_NOT_ACTIVE'
  | 'SERVICE_LOCKED'
  | 'ENDPOINT_TYPE_MISMATCH'
  | 'DUAL_STACK_UNAVAILABLE'
  | 'NO_AVAILABLE_RESOURCE'
  | 'ZONE_NOT_OFFERED'
  | 'SERVICE_REGION_MISMATCH'
  | 'REGION_NOT_SUPPORTED';

export type Applicant = Readonly<{
  /** As it was asked for: a refusal must not show whether there is such a service. */
  serviceId: string;
  accountId: string;
  endpointType: ServiceType;
  addressType: AddressType;
  zoneIds: readonly string[];
  /** Of the endpoint; null: the service's. */
  regionId: string | null;
}>;

/** Whether the endpoint is in another region than the service. */
export const isCrossRegion = (service: EndpointService, { regionId }: Pick<Applicant, 'regionId'>): boolean =>
  regionId !== null && regionId !== service.regionId;

/** What a service is for an endpoint that is admitted to it. */
export type AdmissionSnapshot = Readonly<{ service: EndpointService; resources: readonly ServiceResource[] }>;

/** Whether a request is accepted without being asked about, and for how long: null for ever. */
export type Acceptance = Readonly<{ autoAccept: boolean; approvalTtlMs: number | null }>;

/** One thing for which an endpoint is not admitted. */
export type AdmissionObstacle = Readonly<{
  reason: Exclude<AdmissionRejection, 'SERVICE_REGION_MISMATCH'> | 'NOT_WHITELISTED';
  facts: Readonly<Record<string, string>>;
}>;

/** Everything for which an account may not create an endpoint in these zones now, the weightiest first. */
export const explainAdmission = (service: EndpointService, applicant: Applicant): readonly AdmissionObstacle[] => {
  const { serviceType, status, securityLock } = service;
  const { serviceId, accountId, endpointType, addressType, zoneIds } = applicant;
  const facts = { service_id: serviceId };
  if (status === null || status === 'GONE') return [{ reason: 'ENDPOINT_SERVICE_NOT_FOUND', facts }];
  const found: AdmissionObstacle[] = [];
  if (!mayConnect(service, accountId)) found.push({ reason: 'NOT_WHITELISTED', facts });
  if (status !== 'ACTIVE' && status !== 'CHANGING')
    found.push({ reason: 'SERVICE_NOT_ACTIVE', facts: { ...facts, status } });
  // A bill refuses nobody: whoever connects is held until it is settled.
  if (securityLock) found.push({ reason: 'SERVICE_LOCKED', facts });
  if (endpointType !== serviceType) {
    const types = { required: serviceType, given: endpointType, field: 'endpoint_type' };
    found.push({ reason: 'ENDPOINT_TYPE_MISMATCH', facts: types });
  }
  const isElsewhere = isCrossRegion(service, applicant);
  const supported = regionsIn(service, 'AVAILABLE');
  if (isElsewhere && !supported.includes(applicant.regionId ?? '')) {
    const regions = { region: applicant.regionId ?? '', supported_regions: supported.join(', '), field: 'vpc_id' };
    found.push({ reason: 'REGION_NOT_SUPPORTED', facts: { ...facts, ...regions } });
  }
  const offered = offeredZones(service);
  const missing = zoneIds.filter((zoneId) => !offered.includes(zoneId));
  if (offered.length === 0) found.push({ reason: 'NO_AVAILABLE_RESOURCE', facts });
  // Zones of another region are none of the service's: each is given one of them.
  else if (missing.length > 0 && !isElsewhere) {
    const zones = { zones: missing.join(','), offered: offered.join(','), field: 'zones' };
    found.push({ reason: 'ZONE_NOT_OFFERED', facts: { ...facts, ...zones } });
  }
  if (addressType === 'DUAL_STACK' && service.addressType !== 'DUAL_STACK') {
    const missing = { missing: 'SERVICE', field: 'address_type' };
    found.push({ reason: 'DUAL_STACK_UNAVAILABLE', facts: { ...facts, ...missing } });
  }
  return found;
};

/**
 * Whether an account may create an endpoint in these zones now.
 *
 * @param serviceRegion where it looks for the service; null: in its own region
 * @throws Rejected; to an account that may not see the service it does not exist
 */
export const admit = (
  service: EndpointService,
  applicant: Applicant,
  serviceRegion: string | null = null,
): AdmissionSnapshot => {
  const { serviceId, zoneIds } = applicant;
  const [first] = explainAdmission(service, applicant);
  if (first?.reason === 'NOT_WHITELISTED' || first?.reason === 'ENDPOINT_SERVICE_NOT_FOUND') {
    throw new Rejected<AdmissionRejection>('ENDPOINT_SERVICE_NOT_FOUND', { service_id: serviceId });
  }
  const given = serviceRegion ?? applicant.regionId ?? service.regionId;
  if (given !== service.regionId) {
    const facts = { service_id: serviceId, required: service.regionId, given, field: 'service_region' };
    throw new Rejected<AdmissionRejection>('SERVICE_REGION_MISMATCH', facts);
  }
  if (first) throw new Rejected<AdmissionRejection>(first.reason, first.facts);
  const isServing = ({ zoneId }: ServiceResource): boolean =>
    isCrossRegion(service, applicant) || zoneIds.includes(zoneId);
  const resources = service.resources.filter(isOffered(service)).filter(isServing);
  return { service, resources };
};

/**
 * By the terms of the account's entry, and where they say nothing by the service's.
 *
 * @param earlier endpoints that the account had on the service before this one
 */
export const acceptanceOf = (service: EndpointService, accountId: string, earlier: number): Acceptance => {
  if (explainWaiting(service, accountId, earlier)) return { autoAccept: false, approvalTtlMs: null };
  return { autoAccept: true, approvalTtlMs: termsFor(service, accountId).approvalTtlMs };
};

type WaitingObstacle = Readonly<{
  reason: 'AWAITING_ACCEPTANCE' | 'MAX_CONNECTIONS_REACHED';
  facts: Readonly<Record<string, string>>;
}>;

/** Why a request waits for a decision; null when it does not. */
export const explainWaiting = (
  service: EndpointService,
  accountId: string,
  earlier: number,
): WaitingObstacle | null => {
  const { autoAccept, maxConnections } = termsFor(service, accountId);
  if (!(autoAccept ?? service.autoAccept)) return { reason: 'AWAITING_ACCEPTANCE', facts: {} };
  if (maxConnections === null || earlier < maxConnections) return null;
  return { reason: 'MAX_CONNECTIONS_REACHED', facts: { limit: String(maxConnections), current: String(earlier) } };
};
