import { status } from '@grpc/grpc-js';
import type { BrokerServiceService, RequestedZone } from '@privatelink/proto/broker/v1/broker_service';
import type { Connection } from '@privatelink/proto/broker/v1/connection';
import { type AsOf, EndpointType, Payer } from '@privatelink/proto/common/v1/common';
import type { Duration } from '@privatelink/proto/google/protobuf/duration';
import { ResourceType, type ServiceResource } from '@privatelink/proto/provider/v1/endpoint_service';
import { toBandwidthTerms } from '@privatelink/shared/grpc/bandwidth';
import type { CallContext, RemoteService } from '@privatelink/shared/grpc/client';
import { RemoteError } from '@privatelink/shared/grpc/remote-error';
import type { Endpoint, EndpointZone, Resource } from '../endpoint/endpoint.ts';
import type { BoundedTarget, IngressRule } from '../vpc/security-groups.ts';

/** What its security groups make of it. */
export type Bounds = Readonly<{
  /** Of a REVERSE endpoint. */
  targets: readonly BoundedTarget[];
  /** Of an INTERFACE endpoint; null of others. */
  ingress: readonly IngressRule[] | null;
}>;
const UNBOUNDED: Bounds = { targets: [], ingress: null };
type Told = NonNullable<Endpoint['untold']>;

/** What the consumer service asks of the broker. Every call may be repeated. */
export type BrokerPort = Readonly<{
  requestConnection: (endpoint: Endpoint, context: CallContext, bounds?: Bounds) => Promise<void>;
  /** True when the connection has all that the endpoint has told by now. */
  updateConnection: (endpoint: Endpoint, told: Told, context: CallContext, bounds?: Bounds) => Promise<boolean>;
  /** True when the connection is gone already. */
  deleteConnection: (endpointId: string, context: CallContext) => Promise<boolean>;
  getConnection: (endpointId: string, context: CallContext) => Promise<Connection | undefined>;
  /** As it was; undefined when there was none. */
  getConnectionAsOf: (endpointId: string, asOf: AsOf, context: CallContext) => Promise<Connection | undefined>;
}>;

export const brokerPort = (broker: RemoteService<typeof BrokerServiceService>): BrokerPort => ({
  requestConnection: async (endpoint, context, bounds = UNBOUNDED) => {
    const { endpointId, accountId, vpcId, regionId, endpointType, zones, customDomains, zoneAffinity, admission } =
      endpoint;
    const { serviceVersion, payer, approvalTtlMs, resources, bandwidthTerms, ...service } = admission;
    await broker.requestConnection(
      {
        ...{ endpointId, accountId, vpcId, regionId },
        zones: zones.map(toZone),
        admission: {
          ...service,
          serviceRevision: BigInt(serviceVersion),
          serviceType: EndpointType[endpointType],
          payer: Payer[payer],
          resources: resources.map(toResource),
          bandwidthTerms: toBandwidthTerms(bandwidthTerms),
          // What names the endpoint has is its own word.
          customDomains: [],
          zoneAffinity: false,
          approvalTtl: approvalTtlMs === null ? undefined : toDuration(approvalTtlMs),
        },
        actor: context.actor ?? '',
        customDomainNames: [...(customDomains?.domainNames ?? [])],
        zoneAffinity,
        ...toBounds(bounds),
      },
      context,
    );
  },
  updateConnection: async (
    { endpointId, regionId, zones, customDomains, zoneAffinity, admission, lock },
    { version, resources, actor },
    context,
    bounds = UNBOUNDED,
  ) => {
    const isServed = ({ zoneId }: Resource): boolean =>
      regionId !== admission.serviceRegion || zones.some((zone) => zone.zoneId === zoneId);
    const update = {
      ...{ endpointId, endpointRevision: BigInt(version), actor },
      zones: zones.map(toZone),
      resources: resources.filter(isServed).map(toResource),
      customDomainNames: [...(customDomains?.domainNames ?? [])],
      zoneAffinity,
      ...toBounds(bounds),
      securityLocked: lock !== null,
      message: lock?.message ?? '',
    };
    return (await broker.updateConnection(update, { ...context, actor })).completed;
  },
  deleteConnection: async (endpointId, context) =>
    (await broker.deleteConnection({ endpointId, actor: context.actor ?? '' }, context)).deleted,
  getConnection: async (connectionId, context) => (await broker.getConnection({ connectionId }, context)).connection,
  getConnectionAsOf: async (connectionId, asOf, context) => {
    try {
      return (await broker.getConnection({ connectionId, asOf }, context)).connection;
    } catch (error) {
      if (error instanceof RemoteError && error.code === status.NOT_FOUND) return undefined;
      throw error;
    }
  },
});

const toBounds = ({ targets, ingress }: Bounds) => ({
  targets: [...targets],
  ingress: ingress ? { rules: [...ingress] } : undefined,
});

const toZone = ({ zoneId, eniId, ipv4, ipv6 }: EndpointZone): RequestedZone => ({
  ...{ zoneId, eniId, ipv4Address: ipv4, ipv6Address: ipv6 },
});

const toResource = ({ targets, ...resource }: Resource): ServiceResource => ({
  ...resource,
  targets: [...targets],
  resourceType: ResourceType.UNSPECIFIED,
  autoAllocated: true,
});

const toDuration = (ms: number): Duration => ({
  seconds: BigInt(Math.floor(ms / 1_000)),
  nanos: (ms % 1_000) * 1_000_000,
});
