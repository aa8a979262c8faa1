import {
  type Connection as ConnectionMessage,
  ConnectionStatus,
  Decision,
  type Hold as HoldMessage,
  HoldReason,
  type Listener,
  Teardown,
  ZoneStatus,
} from '@privatelink/proto/broker/v1/connection';
import { EndpointType, Payer } from '@privatelink/proto/common/v1/common';
import { endpointDomainName, zoneDomainName } from '@privatelink/shared/app/domain-names';
import type { Relation } from '@privatelink/shared/grpc/access';
import { toBandwidth } from '@privatelink/shared/grpc/bandwidth';
import { timestamp } from '@privatelink/shared/grpc/timestamp';
import { missing } from '../connection/connection.progress.ts';
import { type Connection, hasNames, isReverse, serviceZoneOf, type Zone } from '../connection/connection.ts';
import { isDegraded } from '../connection/forwarding.ts';
import { type Hold, holdsOf } from '../connection/holds.ts';
import { zoneStatus } from '../connection/zone-status.ts';

/** Whose eyes see a connection: each side its own and what the other may let it know; operators everything. */
export type View = 'provider' | 'consumer' | 'everything';

export type ViewOptions = Readonly<{
  dnsSuffix: string;
  forwarder: 'agents' | 'none';
  stuckAfterMs: number;
  now: () => Date;
}>;

/** What the caller is, or was, to a connection; empty for a stranger. The owner of the service is its `owner`. */
export const relationsTo = (connection: Connection, accountId: string): readonly Relation[] => {
  if (connection.status === null) return [];
  const relations: Relation[] = [];
  if (connection.serviceAccountId === accountId) relations.push('owner');
  if (connection.endpointAccountId === accountId) relations.push('counterpart');
  return relations;
};

export const viewOf = (relations: readonly Relation[]): View => {
  if (relations.length !== 1) return 'everything';
  return relations[0] === 'owner' ? 'provider' : 'consumer';
};

const TRANSITIONAL = ['CONNECTING', 'CHANGING', 'DISCONNECTING', 'DELETING'];

export const isStuck = (connection: Connection, { stuckAfterMs, now }: ViewOptions): boolean =>
  (TRANSITIONAL.includes(connection.status ?? '') || connection.teardown === 'PENDING') &&
  now().getTime() - Date.parse(connection.statusAt) > stuckAfterMs;

export const toConnection = (
  connection: Connection,
  revision: bigint,
  view: View,
  options: ViewOptions,
): ConnectionMessage => ({
  connectionId: connection.endpointId,
  serviceId: connection.serviceId,
  serviceName: connection.serviceName,
  endpointAccountId: connection.endpointAccountId,
  serviceAccountId: connection.serviceAccountId,
  endpointType: EndpointType[connection.endpointType],
  vpcId: connection.vpcId,
  payer: Payer[connection.payer],
  status: toStatus(connection.status),
  decision: Decision[connection.decision],
  holds: holdsOf(connection).map((hold) => toHold(hold, view)),
  generation: BigInt(connection.generation),
  zones: Object.values(connection.zones)
    .sort((a, b) => (a.zoneId < b.zoneId ? -1 : 1))
    .map((zone) => ({
      zoneId: zone.zoneId,
      eniId: zone.eniId,
      ipv4Address: zone.ipv4,
      ipv6Address: zone.ipv6,
      status: ZoneStatus[shownStatus(zoneStatus(connection, zone), view)],
      resourceId: view === 'consumer' ? '' : (zone.resource?.resourceId ?? ''),
      domainName: hasNames(connection) ? zoneDomainName(connection, zone.zoneId, options.dnsSuffix) : '',
      enabled: zone.enabled,
      healthy: zone.healthy,
      forwarder: zone.forwarder,
      listeners: toListeners(connection, zone, view),
      serviceZoneId: serviceZoneOf(connection, zone) ?? '',
      ...(connection.bandwidth?.limitMbps && { bandwidthKept: zone.bandwidthKept }),
    })),
  domainName: hasNames(connection) ? endpointDomainName(connection, options.dnsSuffix) : '',
  teardown: connection.teardown ? Teardown[connection.teardown] : Teardown.UNSPECIFIED,
  createTime: timestamp(connection.createdAt),
  statusTime: timestamp(connection.statusAt),
  stuck: isStuck(connection, options),
  missing: [...missing(connection)],
  forwarder: options.forwarder,
  customDomainNames: [...connection.customDomains],
  zoneAffinity: connection.zoneAffinity,
  degraded: isDegraded(connection),
  bandwidth: toBandwidth(connection.bandwidth),
  targets: connection.targets.filter(({ allowed }) => allowed || view !== 'provider').map((target) => ({ ...target })),
  endpointRegion: connection.endpointRegion,
  serviceRegion: connection.serviceRegion,
  revision,
  expireTime: connection.expiresAt === '' ? undefined : timestamp(connection.expiresAt),
});

/** They are of the side that starts connections: it alone is told. */
const toListeners = (connection: Connection, { forwarding, listeners }: Zone, view: View): Listener[] => {
  const starting = isReverse(connection) ? 'provider' : 'consumer';
  if (forwarding?.state !== 'READY' || (view !== 'everything' && view !== starting)) return [];
  if (!isReverse(connection)) return [...listeners];
  return listeners.flatMap((listener) => {
    const target = connection.targets[listener.port - 1];
    return target ? [{ ...listener, target: `${target.ip}:${target.port}` }] : [];
  });
};

/** A connection that is gone is only ever shown as being deleted. */
export const toStatus = (status: Connection['status']): ConnectionStatus =>
  status === null ? ConnectionStatus.UNSPECIFIED : ConnectionStatus[status === 'GONE' ? 'DELETING' : status];

/** What serves a zone is the provider's affair. */
const shownStatus = (status: ReturnType<typeof zoneStatus>, view: View) =>
  view === 'consumer' && (status === 'MIGRATING' || status === 'MIGRATED') ? 'CONNECTED' : status;

/** Which side's affair a hold is: the other one sees its class only. */
const CONSUMERS_OWN = /^(ENDPOINT_|PAUSED_BY_CONSUMER)/;
const PROVIDERS_OWN = /^SERVICE_/;

export const toHold = ({ reason, source, actor, message, at }: Hold, view: View): HoldMessage => {
  const foreign =
    (view === 'provider' && CONSUMERS_OWN.test(reason)) || (view === 'consumer' && PROVIDERS_OWN.test(reason));
  return {
    reason: HoldReason[reason],
    source: foreign ? '' : source,
    placeTime: timestamp(at),
    // Nobody's user names reach the other side; the decision is the provider's.
    placedBy: foreign || view === 'consumer' ? '' : actor,
    message: foreign ? '' : message,
  };
};
