import { reject } from './endpoint-service.rejections.ts';
import type { Bandwidth, ResourceType, ServiceResource, TrafficControlMode } from './endpoint-service.ts';
import type { ProviderQuotas } from './quotas.ts';

/** What connections of a service get, and what each of them may be set to. */
export type BandwidthTerms = Readonly<{
  connectBandwidth: Bandwidth;
  modes: readonly TrafficControlMode[];
  minMbps: number;
  maxMbps: number;
}>;

const NO_LIMIT: Bandwidth = { mode: 'SCALABILITY', limitMbps: 0 };
const USUAL: Bandwidth = { mode: 'BANDWIDTH_LIMIT', limitMbps: 3_072 };
const EITHER: readonly TrafficControlMode[] = ['SCALABILITY', 'BANDWIDTH_LIMIT'];

/** By the kind of resource that stands behind the service; null where it cannot be set. */
const TERMS: Readonly<Record<ResourceType, BandwidthTerms | null>> = {
  NLB: { connectBandwidth: NO_LIMIT, modes: EITHER, minMbps: 100, maxMbps: 50_000 },
  ALB: { connectBandwidth: USUAL, modes: EITHER, minMbps: 100, maxMbps: 25_000 },
  CLB: { connectBandwidth: USUAL, modes: ['BANDWIDTH_LIMIT'], minMbps: 100, maxMbps: 10_240 },
  GWLB: { connectBandwidth: NO_LIMIT, modes: ['SCALABILITY'], minMbps: 0, maxMbps: 0 },
  EGRESS_SOURCE: null,
};

type Service = Readonly<{ connectBandwidth: Bandwidth | null; resources: readonly ServiceResource[] }>;

/** Null while nothing stands behind the service, and of reverse ones. */
export const bandwidthTerms = ({ connectBandwidth, resources: [resource] }: Service): BandwidthTerms | null => {
  if (!resource) return null;
  const terms = TERMS[resource.resourceType];
  return terms && connectBandwidth ? { ...terms, connectBandwidth } : terms;
};

/** The least that a connection from another region has, and gets at first. */
const CROSS_REGION_MBPS = 100;

/** What connections from other regions get: always a limit, whatever the kind of resource. */
export const crossRegionTerms = (service: Service, { crossRegionMbps }: ProviderQuotas): BandwidthTerms | null =>
  bandwidthTerms(service) && {
    connectBandwidth: { mode: 'BANDWIDTH_LIMIT', limitMbps: CROSS_REGION_MBPS },
    ...{ modes: ['BANDWIDTH_LIMIT'], minMbps: CROSS_REGION_MBPS, maxMbps: crossRegionMbps },
  };

/**
 * Without a resource anything goes until one is attached.
 *
 * @throws Rejected when the service's kind of resource cannot have such a bandwidth
 */
export const checkBandwidth = ({ connectBandwidth, resources: [resource] }: Service, field: string): void => {
  if (!connectBandwidth || !resource) return;
  const { modes, minMbps, maxMbps } = TERMS[resource.resourceType] ?? {
    modes: [] as TrafficControlMode[],
    minMbps: 0,
    maxMbps: 0,
  };
  const { mode, limitMbps } = connectBandwidth;
  const isWithin = mode === 'SCALABILITY' || (limitMbps >= minMbps && limitMbps <= maxMbps);
  if (modes.includes(mode) && isWithin) return;
  const range = { min_mbps: String(minMbps), max_mbps: String(maxMbps) };
  const facts = { resource_type: resource.resourceType, traffic_control_modes: modes.join(', '), ...range };
  throw reject('BANDWIDTH_UNSUPPORTED', { ...facts, field });
};
