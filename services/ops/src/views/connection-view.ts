import {
  type Connection,
  type ConnectionZone,
  type EndpointTarget,
  type Hold,
  HoldReason,
  ZoneStatus,
} from '@privatelink/proto/broker/v1/connection';
import { EndpointType } from '@privatelink/proto/common/v1/common';
import type { Scope } from './caller-view.ts';

/** Which side of a connection looks at it; both at once, and operators, see everything. */
type Side = 'provider' | 'consumer' | 'everything';

export const sideOf = (
  { endpointAccountId, serviceAccountId }: Pick<Connection, 'endpointAccountId' | 'serviceAccountId'>,
  { accountId }: Scope,
): Side => {
  if (accountId === null || endpointAccountId === serviceAccountId) return 'everything';
  return accountId === serviceAccountId ? 'provider' : 'consumer';
};

const MIGRATION: readonly ZoneStatus[] = [ZoneStatus.MIGRATING, ZoneStatus.MIGRATED];

/** What sides see different things of. */
type Seen = Readonly<
  Pick<Connection, 'endpointType'> & {
    holds: readonly HoldSeen[];
    zones: readonly Readonly<Pick<ConnectionZone, 'status' | 'resourceId'> & { listeners: readonly unknown[] }>[];
    targets: readonly Pick<EndpointTarget, 'allowed'>[];
  }
>;

type HoldSeen = Readonly<Pick<Hold, 'reason' | 'source' | 'placedBy' | 'message'>>;

/** What a side may see of a connection that is announced whole: just what the broker would answer it. */
export const connectionFor = <C extends Seen>(connection: C, side: Side): C => {
  if (side === 'everything') return connection;
  const starting = connection.endpointType === EndpointType.REVERSE ? 'provider' : 'consumer';
  return {
    ...connection,
    holds: connection.holds.map((hold) => holdFor(hold, side)),
    zones: connection.zones.map((zone) => ({
      ...zone,
      status: side === 'consumer' && MIGRATION.includes(zone.status) ? ZoneStatus.CONNECTED : zone.status,
      resourceId: side === 'consumer' ? '' : zone.resourceId,
      listeners: side === starting ? zone.listeners : [],
    })),
    targets: connection.targets.filter(({ allowed }) => allowed || side === 'consumer'),
  };
};

const CONSUMERS_OWN: readonly HoldReason[] = [
  HoldReason.ENDPOINT_PAYMENT_OVERDUE,
  HoldReason.ENDPOINT_SECURITY_LOCK,
  HoldReason.PAUSED_BY_CONSUMER,
];
const PROVIDERS_OWN: readonly HoldReason[] = [HoldReason.SERVICE_PAYMENT_OVERDUE, HoldReason.SERVICE_SECURITY_LOCK];

/** Of the other side's affairs only the class is told, and nobody's user names are. */
const holdFor = (hold: HoldSeen, side: 'provider' | 'consumer'): HoldSeen => {
  const isForeign = (side === 'provider' ? CONSUMERS_OWN : PROVIDERS_OWN).includes(hold.reason);
  if (isForeign) return { ...hold, source: '', placedBy: '', message: '' };
  return side === 'consumer' ? { ...hold, placedBy: '' } : hold;
};
