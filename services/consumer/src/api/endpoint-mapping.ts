import { type Connection, ConnectionStatus, type Hold, ZoneStatus } from '@privatelink/proto/broker/v1/connection';
import { AddressType, BusinessStatus, EndpointType } from '@privatelink/proto/common/v1/common';
import {
  type Endpoint as EndpointMessage,
  EndpointStatus,
  type EndpointZone as EndpointZoneMessage,
} from '@privatelink/proto/consumer/v1/endpoint';
import { endpointDomainName, zoneDomainName } from '@privatelink/shared/app/domain-names';
import { toLock } from '@privatelink/shared/grpc/locks';
import { timestamp } from '@privatelink/shared/grpc/timestamp';
import { locksOf } from '../endpoint/endpoint.locks.ts';
import type { Endpoint, EndpointZone } from '../endpoint/endpoint.ts';

/** What is known of the endpoint's connection. */
export type KnownConnection = Readonly<{ connection: Connection | undefined; stale: boolean }>;

export const UNKNOWN: KnownConnection = { connection: undefined, stale: false };

export const toEndpoint = (
  endpoint: Endpoint,
  revision: bigint,
  { connection, stale }: KnownConnection,
  dnsSuffix: string,
): EndpointMessage => {
  const { endpointId, regionId, admission } = endpoint;
  const named = { endpointId, serviceId: admission.serviceId, endpointRegion: regionId };
  const hasNames = endpoint.endpointType === 'INTERFACE';
  const connectionStatus = connection?.status ?? ConnectionStatus.UNSPECIFIED;
  const zoneOf = (zone: EndpointZone) => connection?.zones.find(({ eniId }) => eniId === zone.eniId);
  const toZone = (zone: EndpointZone, status: ZoneStatus): EndpointZoneMessage => ({
    ...{ zoneId: zone.zoneId, vswitchId: zone.vswitchId, eniId: zone.eniId },
    ...{ ipv4Address: zone.ipv4, ipv6Address: zone.ipv6 },
    domainName: hasNames ? zoneDomainName(named, zone.zoneId, dnsSuffix) : '',
    zoneStatus: status,
    // Those of a REVERSE endpoint are the provider's to connect to.
    listeners: endpoint.endpointType === 'REVERSE' ? [] : [...(zoneOf(zone)?.listeners ?? [])],
    serviceZoneId: zoneOf(zone)?.serviceZoneId ?? '',
  });
  const locks = locksOf(endpoint).map(toLock);
  const zones = [
    ...endpoint.zones.map((zone) => toZone(zone, zoneOf(zone)?.status ?? ZoneStatus.UNSPECIFIED)),
    ...endpoint.removing.map((zone) => toZone(zone, ZoneStatus.DELETING)),
  ];
  return {
    endpointId,
    accountId: endpoint.accountId,
    endpointType: EndpointType[endpoint.endpointType],
    status: toStatus(endpoint.status),
    serviceId: admission.serviceId,
    serviceName: admission.serviceName,
    vpcId: endpoint.vpcId,
    zones: zones.sort((a, b) => (a.zoneId < b.zoneId ? -1 : 1)),
    securityGroupIds: [...endpoint.securityGroupIds],
    addressType: AddressType[endpoint.addressType],
    description: endpoint.description,
    domainName: hasNames ? endpointDomainName(named, dnsSuffix) : '',
    connectionStatus,
    holds: (connection?.holds ?? []).map(toOwnersHold),
    usable: endpoint.status === 'ACTIVE' && connectionStatus === ConnectionStatus.CONNECTED,
    stale,
    createTime: timestamp(endpoint.createdAt),
    updateTime: timestamp(endpoint.updatedAt),
    revision,
    businessStatus: locks[0]?.businessStatus ?? BusinessStatus.NORMAL,
    securityLock: locks.find(({ businessStatus }) => businessStatus === BusinessStatus.SECURITY_LOCKED),
    protected: endpoint.protected,
    tags: [...endpoint.tags],
    policy: endpoint.policy,
    nextHop: endpoint.endpointType === 'GATEWAY_LOAD_BALANCER' ? endpoint.endpointId : '',
    zoneAffinity: endpoint.zoneAffinity,
    targets: endpoint.targets.map((target, index) => ({
      ...target,
      allowed: connection?.targets[index]?.allowed ?? false,
    })),
    customDomainEnabled: endpoint.customDomains !== null,
    customDomainNames: [...(endpoint.customDomains?.domainNames ?? [])],
    locks,
    bandwidth: connection?.bandwidth,
    regionId,
    serviceRegion: admission.serviceRegion,
  };
};

/** The broker tells services everything; an endpoint's owner knows of the provider's affairs their class only. */
const toOwnersHold = (hold: Hold): Hold =>
  hold.reason.startsWith('HOLD_REASON_SERVICE_')
    ? { ...hold, source: '', placedBy: '', message: '' }
    : { ...hold, placedBy: '' };

/** An endpoint that is gone is only ever shown as being deleted. */
const toStatus = (status: Endpoint['status']): EndpointStatus => {
  if (status === null || status === 'ABANDONED') return EndpointStatus.UNSPECIFIED;
  return EndpointStatus[status === 'GONE' ? 'DELETING' : status];
};
