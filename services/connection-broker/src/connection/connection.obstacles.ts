import type { Connection } from './connection.ts';
import { isConfirmed, isServing, outstandingNames, zoneGoal } from './forwarding.ts';
import { type Hold, type HoldReason, holdsOf } from './holds.ts';

/** One thing that keeps a connection, or one of its zones, from being up. */
export type ConnectionObstacle = Readonly<{
  reason:
    | HoldReason
    | 'CONNECTION_NOT_REQUESTED'
    | 'CONNECTION_IN_TRANSITION'
    | 'SERVICE_DELETED'
    | 'NO_AVAILABLE_RESOURCE'
    | 'FORWARDING_MISSING'
    | 'NAMES_MISSING'
    | 'ZONE_DISABLED'
    | 'ZONE_UNHEALTHY';
  zoneId?: string;
  since?: string;
  /** What is placed, where it is a hold. */
  hold?: Hold;
  facts?: Readonly<Record<string, string>>;
  /** The other zones are reached. */
  partial?: boolean;
}>;

/** All of it; of a connection that is up, the zones that are off or do not answer. */
export const connectionObstacles = (state: Connection): readonly ConnectionObstacle[] => {
  const { status, statusAt } = state;
  if (status === null) return [{ reason: 'CONNECTION_NOT_REQUESTED' }];
  if (status === 'SERVICE_DELETED') return [{ reason: 'SERVICE_DELETED', since: statusAt }];
  const inTransition: ConnectionObstacle = { reason: 'CONNECTION_IN_TRANSITION', since: statusAt, facts: { status } };
  if (status === 'DELETING' || status === 'GONE') return [inTransition];
  const held = holdsOf(state).map((hold) => ({ reason: hold.reason, since: hold.at, hold }));
  const isMoving = status === 'CONNECTING' || status === 'CHANGING' || status === 'DISCONNECTING';
  return [...held, ...(isMoving ? [inTransition] : []), ...zonesOf(state), ...namesOf(state)];
};

const zonesOf = (state: Connection): readonly ConnectionObstacle[] =>
  Object.values(state.zones)
    .sort((a, b) => (a.zoneId < b.zoneId ? -1 : 1))
    .flatMap((zone): readonly ConnectionObstacle[] => {
      const { zoneId } = zone;
      if (zone.removing) return [];
      if (!isServing(zone)) return [{ reason: 'ZONE_DISABLED', zoneId, partial: !isSilent(state) }];
      if (!zone.resource) return state.status === 'CONNECTED' ? [] : [{ reason: 'NO_AVAILABLE_RESOURCE', zoneId }];
      const facts = { resource: zone.resource.resourceId };
      const isMissing = zoneGoal(state, zone) === 'READY' && !isConfirmed(state, zone);
      return [
        ...(isMissing ? [{ reason: 'FORWARDING_MISSING', zoneId, facts } as const] : []),
        ...(zone.healthy ? [] : [{ reason: 'ZONE_UNHEALTHY', zoneId, facts, partial: !isSilent(state) } as const]),
      ];
    });

/** Whether none of its zones answers. */
const isSilent = ({ zones }: Connection): boolean =>
  Object.values(zones).every((zone) => !isServing(zone) || !zone.healthy);

const namesOf = (state: Connection): readonly ConnectionObstacle[] => {
  const wanted = outstandingNames(state);
  return wanted === 'PUBLISHED' ? [{ reason: 'NAMES_MISSING' }] : [];
};
