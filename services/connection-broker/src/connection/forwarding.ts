import { type Bandwidth, type Connection, type Forwarding, hasNames, type Names, type Zone } from './connection.ts';
import type { ConnectionStatus } from './connection-status.ts';

/** What a status wants of the zones that are on, and of names in steps whose last completes it. */
export type Goal = Readonly<{ forwarding: Forwarding; names: readonly Names[] }>;
const OPEN: Goal = { forwarding: 'READY', names: ['WITHDRAWN', 'PUBLISHED'] };
const CLOSED: Goal = { forwarding: 'CLOSED', names: ['WITHDRAWN'] };

export const GOALS: Readonly<Record<ConnectionStatus, Goal>> = {
  CONNECTING: OPEN,
  CONNECTED: OPEN,
  CHANGING: OPEN,
  DISCONNECTING: CLOSED,
  DISCONNECTED: CLOSED,
  SERVICE_DELETED: CLOSED,
  DELETING: { forwarding: 'CLOSED', names: ['WITHDRAWN', 'REMOVED'] },
  GONE: { forwarding: 'CLOSED', names: ['REMOVED'] },
};

/** On, and not about to go: what the names answer when the connection is up. */
export const isServing = ({ enabled, removing }: Zone): boolean => enabled && !removing;

export const isOpen = ({ forwarding }: Zone): boolean => forwarding?.state === 'READY';

/** The zones to which the endpoint's name leads: those that answer, or all where none does. */
export const namedZones = (zones: readonly Zone[]): readonly Zone[] => {
  const serving = zones.filter(isServing);
  const healthy = serving.filter((zone) => zone.healthy);
  return healthy.length > 0 ? healthy : serving;
};

/** Whether a zone that serves does not answer. */
export const isDegraded = ({ zones }: Connection): boolean =>
  Object.values(zones).some((zone) => isServing(zone) && !zone.healthy);

/** What each zone may carry: those that are on share what the connection may. */
export const zoneBandwidth = ({ bandwidth, zones }: Connection): Bandwidth | null => {
  if (!bandwidth) return null;
  const serving = Object.values(zones).filter(isServing).length;
  return { ...bandwidth, limitMbps: Math.ceil(bandwidth.limitMbps / Math.max(1, serving)) };
};

/** What this status wants of a zone in the end. */
export const zoneGoal = ({ status }: Connection, zone: Zone): Forwarding =>
  status !== null && GOALS[status].forwarding === 'READY' && isServing(zone) ? 'READY' : 'CLOSED';

/** Whether that was confirmed for this generation. */
export const isConfirmed = (state: Connection, zone: Zone): boolean =>
  zone.forwarding?.generation === state.generation && zone.forwarding.state === zoneGoal(state, zone);

/** Whether every zone that serves is forwarded. */
export const isForwarded = (state: Connection): boolean =>
  Object.values(state.zones).every((zone) => zoneGoal(state, zone) === 'CLOSED' || isConfirmed(state, zone));

/**
 * What zone agents are told. Forwarding closes after the names are gone, or when their grace is over; until then new
 * flows of those who have looked the name up already still arrive.
 */
export const desiredForwarding = (state: Connection, zone: Zone): Forwarding =>
  zoneGoal(state, zone) === 'READY' || (isOpen(zone) && waitsForNames(state)) ? 'READY' : 'CLOSED';

/** Whether zones are to close, and only the names are still in the way. */
export const waitsForNames = (state: Connection): boolean => {
  const { status, generation, names, namesGraceOver } = state;
  if (status !== 'DISCONNECTING' && status !== 'DELETING' && status !== 'CHANGING') return false;
  if (!hasNames(state) || isUrgent(state)) return false;
  const isClosing = Object.values(state.zones).some((zone) => isOpen(zone) && zoneGoal(state, zone) === 'CLOSED');
  return isClosing && names?.generation !== generation && namesGraceOver !== generation;
};

/** Security locks and deleted services close forwarding without a word to anybody's resolver. */
const isUrgent = ({ holds }: Connection): boolean =>
  Object.values(holds).some((hold) => hold.reason.endsWith('_SECURITY_LOCK'));

/** What this status still wants of names; null when that is confirmed for its generation. */
export const outstandingNames = (state: Connection): Names | null => {
  if (state.status === null || !hasNames(state)) return null;
  const last = GOALS[state.status].names.at(-1) ?? null;
  return state.names?.generation === state.generation && state.names.state === last ? null : last;
};

/** Whether names answer by an earlier health of the zones than is known. */
export const areNamesOutdated = ({ names, generation, healthRevision }: Connection): boolean =>
  names?.state === 'PUBLISHED' && names.generation === generation && names.healthRevision < healthRevision;
