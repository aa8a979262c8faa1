import { evolveAll } from '@privatelink/shared/eventing/decider';
import { Rejected } from '@privatelink/shared/eventing/rejected';
import type { ConnectionCommand, Update, ZoneMove } from './connection.commands.ts';
import type { ConnectionRejection } from './connection.decide.ts';
import { evolve } from './connection.evolve.ts';
import { isRemovable } from './connection.progress.ts';
import type { Bandwidth, Connection, ConnectionEvent, Ingress, Target, Zone } from './connection.ts';
import { isEnded } from './connection-status.ts';
import { isServing } from './forwarding.ts';
import { factKey } from './holds.ts';
import { type ChangeEvent, settle } from './settle.ts';

/** Zones, custom domains and locks as the endpoint has them by now. Never refused; an older word changes nothing. */
export const update = (state: Connection, command: Update, at: string): readonly ConnectionEvent[] => {
  const { revision, zones, resources, customDomains, zoneAffinity, targets, ingress, actor } = command;
  if (state.status === 'DELETING' || state.status === 'GONE' || revision <= state.endpointRevision) return [];
  const events: ChangeEvent[] = [{ type: 'ConnectionUpdated', data: { revision, resources, actor, at } }];
  for (const zone of zones) {
    const known = state.zones[zone.zoneId];
    if (!known || known.eniId !== zone.eniId) {
      // Nothing comes of one that is added once the service is gone, and DNS is told nothing more.
      if (state.status !== 'SERVICE_DELETED') events.push({ type: 'ZoneAdded', data: { zone, at } });
    } else if (known.ipv4 !== zone.ipv4 || known.ipv6 !== zone.ipv6) {
      const { zoneId, ipv4, ipv6 } = zone;
      events.push({ type: 'ZoneAddressesChanged', data: { zoneId, ipv4, ipv6, at } });
    }
  }
  for (const { zoneId, removing } of Object.values(state.zones)) {
    const isGone = zones.every((zone) => zone.zoneId !== zoneId);
    if (isGone && !removing) events.push({ type: 'ZoneRemovalStarted', data: { zoneId, at } });
  }
  if (customDomains.join() !== state.customDomains.join()) {
    events.push({ type: 'CustomDomainsChanged', data: { customDomains, at } });
  }
  if (!areSame(targets, state.targets)) events.push({ type: 'TargetsChanged', data: { targets, at } });
  if (!letSameIn(ingress, state.ingress)) events.push({ type: 'IngressChanged', data: { ingress, at } });
  if (zoneAffinity !== state.zoneAffinity) events.push({ type: 'ZoneAffinityChanged', data: { zoneAffinity, at } });
  const lock = lockChange(state, command, at);
  const after = settle(state, lock && state.status !== 'SERVICE_DELETED' ? [...events, lock] : events, at);
  return [...after, ...removedAtOnce(evolveAll({ evolve }, state, after), at)];
};

const areSame = (a: readonly Target[], b: readonly Target[]): boolean =>
  a.length === b.length &&
  a.every(({ ip, port, allowed }, index) => {
    const other = b[index];
    return ip === other?.ip && port === other.port && allowed === other.allowed;
  });

const letSameIn = (a: Ingress | null, b: Ingress | null): boolean =>
  (a === null) === (b === null) && textOf(a ?? []) === textOf(b ?? []);

const textOf = (ingress: Ingress): string =>
  ingress.map(({ allowed, fromPort, toPort, sourceCidr }) => [allowed, fromPort, toPort, sourceCidr].join()).join(' ');

const lockChange = (state: Connection, command: Update, at: string): ChangeEvent | null => {
  const { revision, securityLocked, actor, message } = command;
  const key = { reason: 'ENDPOINT_SECURITY_LOCK', source: 'operator' } as const;
  const isLocked = factKey(key.reason, key.source) in state.holds;
  if (isLocked === securityLocked) return null;
  const data = { ...key, revision, actor, message, at, move: null };
  return { type: securityLocked ? 'HoldPlaced' : 'HoldLifted', data };
};

/** What no name and no agent has to be asked about. */
const removedAtOnce = (state: Connection, at: string): readonly ConnectionEvent[] =>
  Object.values(state.zones)
    .filter((zone) => isRemovable(state, zone))
    .map(({ zoneId }) => ({ type: 'ZoneRemoved', data: { zoneId, at } }));

type Switch = Readonly<{ zoneId: string; actor: string }>;

/** @throws Rejected unless the connection is up, which is when zones can be switched one by one */
export const switchZone = (
  state: Connection,
  { zoneId, actor }: Switch,
  on: boolean,
  at: string,
): readonly ConnectionEvent[] => {
  requireZone(state, zoneId);
  if (state.zones[zoneId]?.enabled === on) return [];
  if (state.status !== 'CONNECTED') {
    throw new Rejected<ConnectionRejection>('CONNECTION_STATUS_CONFLICT', {
      connection_id: state.endpointId,
      command: on ? 'enable a zone of' : 'disable a zone of',
      status: state.status ?? '',
      holds: '',
      legal: 'CONNECTED',
    });
  }
  const left = Object.values(state.zones).filter((other) => isServing(other) && other.zoneId !== zoneId);
  if (!on && left.length === 0) throw lastZone(state, zoneId);
  return settle(state, [{ type: on ? 'ZoneEnabled' : 'ZoneDisabled', data: { zoneId, actor, at } }], at);
};

type Move = Extract<ConnectionCommand, { type: 'MoveZone' }>['data'];

/** Puts a zone where the allocation has it by now, whatever the status. */
export const moveZone = (state: Connection, data: Move, at: string): readonly ConnectionEvent[] => {
  const zone = state.zones[data.zoneId];
  // Whoever gives a zone its first resource asks the allocation.
  if (isEnded(state.status) || !zone || zone.removing || zone.resource === null || !isNews(zone, data)) return [];
  return settle(state, [{ type: 'ZoneMigrationStarted', data: { ...data, at } }], at);
};

/** An older word changes nothing; the same one again does when flows to the earlier resource, which live on, are to end. */
const isNews = (zone: Zone, { placement, force }: ZoneMove): boolean =>
  placement > zone.placement || (placement === zone.placement && force && zone.migration?.force === false);

/** @throws Rejected when a zone is not where it was claimed to be any more */
export const claimedMoves = (
  state: Connection,
  moves: readonly ZoneMove[],
  actor: string,
  at: string,
): readonly ChangeEvent[] =>
  moves.flatMap((move): ChangeEvent[] => {
    const zone = requireZone(state, move.zoneId);
    if (move.placement <= zone.placement && move.resource.resourceId !== zone.resource?.resourceId) {
      const facts = { connection_id: state.endpointId, zone_id: move.zoneId };
      throw new Rejected<ConnectionRejection>('ZONE_PLACEMENT_ABANDONED', facts);
    }
    return isNews(zone, move) ? [{ type: 'ZoneMigrationStarted', data: { ...move, actor, at } }] : [];
  });

/** Whoever has claimed a placement and comes later than this is refused: it is as if the zone had been told of it. */
export const voidPlacement = (
  state: Connection,
  { zoneId, placement }: Readonly<{ zoneId: string; placement: number }>,
  at: string,
): readonly ConnectionEvent[] => {
  const zone = state.zones[zoneId];
  if (isEnded(state.status) || !zone?.resource || placement <= zone.placement) return [];
  return [{ type: 'ZoneResourceAssigned', data: { zoneId, resource: zone.resource, placement, at } }];
};

/** @throws Rejected when the service's kind of resource cannot have it */
export const bandwidthChange = (
  state: Connection,
  bandwidth: Bandwidth | null,
  actor: string,
  at: string,
): ChangeEvent[] => {
  const { bandwidth: known, bandwidthTerms: terms } = state;
  if (!bandwidth || (bandwidth.mode === known?.mode && bandwidth.limitMbps === known.limitMbps)) return [];
  const { modes = [], minMbps = 0, maxMbps = 0 } = terms ?? {};
  const isWithin =
    bandwidth.mode === 'SCALABILITY' || (bandwidth.limitMbps >= minMbps && bandwidth.limitMbps <= maxMbps);
  if (!modes.includes(bandwidth.mode) || !isWithin) {
    const range = { min_mbps: String(minMbps), max_mbps: String(maxMbps) };
    const facts = { connection_id: state.endpointId, traffic_control_modes: modes.join(', '), ...range };
    throw new Rejected<ConnectionRejection>('BANDWIDTH_UNSUPPORTED', { ...facts, field: 'bandwidth' });
  }
  return [{ type: 'BandwidthChanged', data: { bandwidth, actor, at } }];
};

/** @throws Rejected when there is no such zone, or there will be none */
export const requireZone = (state: Connection, zoneId: string): Zone => {
  const zone = state.zones[zoneId];
  if (!zone || zone.removing) throw noZone(state, zoneId);
  return zone;
};

/** Zones named are on, the others off; none named: all are on. */
export const acceptedZones = (
  state: Connection,
  zoneIds: readonly string[],
  actor: string,
  at: string,
): ChangeEvent[] => {
  const present = Object.values(state.zones).filter(({ removing }) => !removing);
  for (const zoneId of zoneIds) requireZone(state, zoneId);
  return present.flatMap(({ zoneId, enabled }): ChangeEvent[] => {
    const on = zoneIds.length === 0 || zoneIds.includes(zoneId);
    if (on === enabled) return [];
    return [{ type: on ? 'ZoneEnabled' : 'ZoneDisabled', data: { zoneId, actor, at } }];
  });
};

const noZone = ({ endpointId, zones }: Connection, zoneId: string) =>
  new Rejected<ConnectionRejection>('ZONE_NOT_FOUND', {
    ...{ connection_id: endpointId, zone_id: zoneId, zones: Object.keys(zones).sort().join(', ') },
  });

const lastZone = ({ endpointId }: Connection, zoneId: string) =>
  new Rejected<ConnectionRejection>('LAST_ENABLED_ZONE', { connection_id: endpointId, zone_id: zoneId });
