import type { Progress, ZoneHealth } from './connection.commands.ts';
import { evolve } from './connection.evolve.ts';
import type { Connection, ConnectionEvent, Names, Zone } from './connection.ts';
import type { ConnectionStatus } from './connection-status.ts';
import { GOALS, type Goal, isConfirmed, isOpen, outstandingNames, waitsForNames, zoneGoal } from './forwarding.ts';
import { isWanted } from './holds.ts';
import { moveTo } from './settle.ts';

/** Takes in what was achieved, and says what follows when everything of this generation is confirmed. */
export const reportProgress = (before: Connection, progress: Progress, at: string): readonly ConnectionEvent[] => {
  if (before.status === null || before.status === 'GONE') return [];
  const events: ConnectionEvent[] = [];
  let state = before;
  const record = (event: ConnectionEvent): void => {
    events.push(event);
    state = evolve(state, event);
  };
  for (const { zoneId, ...assigned } of progress.assigned) {
    if (state.zones[zoneId]?.resource === null)
      record({ type: 'ZoneResourceAssigned', data: { zoneId, ...assigned, at } });
  }
  const { generation } = progress;
  // A report for another generation says nothing about this one, nor does one of what this generation does not want.
  if (generation !== before.generation) return events;
  for (const { zoneId, state: forwarding, forwarder, listeners } of progress.zones) {
    const zone = state.zones[zoneId];
    if (!zone || isConfirmed(state, zone) || forwarding !== zoneGoal(state, zone)) continue;
    if (forwarding === 'CLOSED') record({ type: 'ZoneDisconnected', data: { zoneId, generation, at } });
    else record({ type: 'ZoneConnected', data: { zoneId, generation, forwarder, listeners, at } });
    if (forwarding === 'READY' && zone.migration && !zone.migration.done)
      record({ type: 'ZoneMigrationCompleted', data: { zoneId, at } });
  }
  if (progress.namesGraceOver && waitsForNames(state)) record({ type: 'NamesGraceElapsed', data: { generation, at } });
  if (progress.names && isNews(state, progress.names, progress.healthRevision, GOALS[before.status])) {
    record({ type: NAMES_EVENT[progress.names], data: { generation, at } });
  }
  for (const zone of Object.values(state.zones)) {
    if (isRemovable(state, zone)) record({ type: 'ZoneRemoved', data: { zoneId: zone.zoneId, at } });
  }
  return [...events, ...completion(state, progress.factsSeen, at)];
};

const NAMES_EVENT = { PUBLISHED: 'NamesPublished', WITHDRAWN: 'NamesWithdrawn', REMOVED: 'NamesRemoved' } as const;

/**
 * Within one generation names only go forward, to what it wants: a late report of an earlier step, or of zones whose
 * health has changed since, says nothing.
 */
const isNews = (state: Connection, reported: Names, healthRevision: number, { names }: Goal): boolean => {
  const known = state.names?.generation === state.generation ? state.names : null;
  if (reported !== 'PUBLISHED') return names.indexOf(reported) > (known ? names.indexOf(known.state) : -1);
  const isKnown = known?.state === 'PUBLISHED' && known.healthRevision === healthRevision;
  return names.includes(reported) && healthRevision === state.healthRevision && !isKnown;
};

/** What answers in a zone that is open, and whether its limit is kept; of any other nothing is known. */
export const reportZoneHealth = (
  state: Connection,
  { zoneId, healthy, bandwidthKept }: ZoneHealth,
  at: string,
): readonly ConnectionEvent[] => {
  const zone = state.zones[zoneId];
  if (!zone || !isOpen(zone) || zoneGoal(state, zone) === 'CLOSED') return [];
  const kept = bandwidthKept ?? zone.bandwidthKept;
  return [
    ...(healthy === zone.healthy ? [] : [{ type: 'ZoneHealthChanged', data: { zoneId, healthy, at } } as const]),
    ...(kept === zone.bandwidthKept ? [] : [{ type: 'BandwidthKeepingChanged', data: { zoneId, kept, at } } as const]),
  ];
};

/** Its address may be given out again when nothing is forwarded and no name leads to it. */
export const isRemovable = (state: Connection, zone: Zone): boolean =>
  zone.removing && !isOpen(zone) && (outstandingNames(state) === null || state.status === 'SERVICE_DELETED');

const completion = (state: Connection, factsSeen: Progress['factsSeen'], at: string): readonly ConnectionEvent[] => {
  if (missing(state).length > 0) return [];
  switch (state.status) {
    case 'CONNECTING':
      if (factsSeen === null) return [];
      return [
        { type: 'ConnectionEstablished', data: { factsSeen, at, move: moveTo(state, 'confirmed', 'CONNECTED') } },
      ];
    case 'CHANGING':
      return [{ type: 'ChangeCompleted', data: { at, move: moveTo(state, 'confirmed', 'CONNECTED') } }];
    case 'DISCONNECTING':
      if (isWanted(state)) {
        return [{ type: 'ConnectingStarted', data: { at, move: moveTo(state, 'tornDown', 'CONNECTING') } }];
      }
      return [{ type: 'ConnectionDisconnected', data: { at, move: moveTo(state, 'tornDown', 'DISCONNECTED') } }];
    case 'SERVICE_DELETED':
      if (state.teardown === 'DONE') return [];
      return [{ type: 'TeardownConfirmed', data: { serviceId: state.serviceId, at } }];
    case 'DELETING': {
      const { endpointId, serviceId, latestAt } = state;
      const move = moveTo(state, 'tornDown', 'GONE');
      // Its history ends by this time, whatever clocks said before.
      const data = { endpointId, serviceId, at: at > latestAt ? at : latestAt, move };
      return [{ type: 'ConnectionDeleted', data }];
    }
    default:
      return [];
  }
};

const TRANSITIONAL: readonly (ConnectionStatus | null)[] = [
  'CONNECTING',
  'CHANGING',
  'DISCONNECTING',
  'SERVICE_DELETED',
  'DELETING',
];

/** What a transitional status still waits for; the names by which `stuck` lists it. */
export const missing = (state: Connection): readonly string[] => {
  if (state.status === null || !TRANSITIONAL.includes(state.status)) return [];
  const zones = Object.values(state.zones)
    .filter((zone) => !isConfirmed(state, zone))
    .map((zone) => `${zone.resource ? 'forwarding' : 'resource'} ${zoneGoal(state, zone)} in ${zone.zoneId}`);
  const names = outstandingNames(state);
  return names ? [...zones, `names ${names}`] : zones;
};

/** Whether the connection is as the endpoint was when it was updated last. */
export const isUpdated = ({ status, zones, formerDomains }: Connection): boolean =>
  status !== 'CHANGING' && formerDomains.length === 0 && !Object.values(zones).some((zone) => zone.removing);
