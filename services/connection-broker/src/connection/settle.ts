import { evolveAll } from '@privatelink/shared/eventing/decider';
import { evolve } from './connection.evolve.ts';
import type { Connection, ConnectionEvent } from './connection.ts';
import { type ConnectionStatus, type Move, moveBy, type On } from './connection-status.ts';
import { holdsOf, isWanted } from './holds.ts';

/** What is recorded of holds, the decision and zones; it moves the status by what it leaves. */
export type ChangeEvent = Extract<
  ConnectionEvent,
  {
    type:
      | 'ConnectionAccepted'
      | 'ConnectionRejected'
      | 'ApprovalExpired'
      | 'HoldPlaced'
      | 'HoldLifted'
      | 'ConnectionUpdated'
      | ZoneEvent['type'];
  }
>;

/** What changes what is to be forwarded or named. */
type ZoneEvent = Extract<
  ConnectionEvent,
  {
    type:
      | 'ZoneAdded'
      | 'ZoneAddressesChanged'
      | 'ZoneRemovalStarted'
      | 'ZoneEnabled'
      | 'ZoneDisabled'
      | 'ZoneMigrationStarted'
      | 'CustomDomainsChanged'
      | 'ZoneAffinityChanged'
      | 'BandwidthChanged'
      | 'TargetsChanged'
      | 'IngressChanged';
  }
>;

const ZONES: readonly ChangeEvent['type'][] = [
  'ZoneAdded',
  'ZoneAddressesChanged',
  'ZoneRemovalStarted',
  'ZoneEnabled',
  'ZoneDisabled',
  'ZoneMigrationStarted',
  'CustomDomainsChanged',
  'ZoneAffinityChanged',
  'BandwidthChanged',
  'TargetsChanged',
  'IngressChanged',
];
const PLACES: readonly ChangeEvent['type'][] = ['HoldPlaced', 'ConnectionRejected', 'ApprovalExpired'];

export const reasons = (state: Connection): readonly string[] => [
  ...new Set(holdsOf(state).map((hold) => hold.reason)),
];

/** A move of the status; a new generation for whatever forwards and names, and with every change of zones. */
export const moveTo = (state: Connection, on: On, to: ConnectionStatus): Move => {
  const isSettled = to === 'CONNECTED' || to === 'DISCONNECTED' || to === 'GONE';
  const generation = on === 'changed' || !isSettled ? state.generation + 1 : state.generation;
  return moveBy(state.status, on, to, { holds: reasons(state), generation });
};

/** Records changes together and moves the status at most once, by what they leave. */
export const settle = (before: Connection, changes: readonly ChangeEvent[], at: string): readonly ConnectionEvent[] => {
  const state = evolveAll({ evolve }, before, changes);
  const hasZones = changes.some(({ type }) => ZONES.includes(type));
  const changed = (to: ConnectionStatus): readonly ConnectionEvent[] => [
    ...changes,
    { type: 'ChangeStarted', data: { at, move: moveTo(state, 'changed', to) } },
  ];
  switch (before.status) {
    case 'CONNECTING':
    case 'CONNECTED':
    case 'CHANGING': {
      if (isWanted(state))
        return hasZones ? changed(before.status === 'CONNECTING' ? 'CONNECTING' : 'CHANGING') : changes;
      const move = moveTo(state, 'firstHoldPlaced', 'DISCONNECTING');
      return [...changes, { type: 'DisconnectingStarted', data: { at, move } }];
    }
    case 'DISCONNECTED': {
      if (!isWanted(state)) return hasZones ? changed('DISCONNECTED') : staying(before, state, changes);
      const move = moveTo(state, 'lastHoldLifted', 'CONNECTING');
      return [...changes, { type: 'ConnectingStarted', data: { at, move } }];
    }
    case 'DISCONNECTING':
      return hasZones ? changed('DISCONNECTING') : staying(before, state, changes);
    default:
      return changes;
  }
};

/** The status stays: the last change that can says so, with what then holds the connection. */
const staying = (
  { status, generation }: Connection,
  after: Connection,
  changes: readonly ChangeEvent[],
): readonly ConnectionEvent[] => {
  const last = changes.findLastIndex(({ data }) => 'move' in data);
  return changes.map((change, index) => {
    if (index !== last || status === null) return change;
    const on = PLACES.includes(change.type) ? 'holdPlaced' : 'holdLifted';
    const move = moveBy(status, on, status, { holds: reasons(after), generation });
    return { ...change, data: { ...change.data, move } } as ChangeEvent;
  });
};
