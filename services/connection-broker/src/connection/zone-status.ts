import type { TransitionRow } from '@privatelink/shared/eventing/transition-table';
import type { Connection, ConnectionEvent, Zone } from './connection.ts';
import { isConfirmed, isOpen, zoneGoal } from './forwarding.ts';

/** `GONE` is shown to nobody: the connection has the zone no more. */
export type ZoneStatus =
  | 'WAIT'
  | 'CONNECTING'
  | 'CONNECTED'
  | 'DISCONNECTING'
  | 'DISCONNECTED'
  | 'MIGRATING'
  | 'MIGRATED'
  | 'DELETING'
  | 'GONE';

/**
 * The declared state machine of a connection's zone. What moves it is an event of the connection, of this zone or of
 * the whole; it is stored nowhere, as it follows from what the connection wants and what was confirmed.
 */
export const zoneTransitions: readonly TransitionRow<ZoneStatus, ConnectionEvent['type']>[] = [
  { from: [null], on: 'ConnectionRequested', to: 'WAIT', because: 'something holds the connection' },
  { from: [null], on: 'ConnectionRequested', to: 'CONNECTING', because: 'nothing holds the connection' },
  { from: [null], on: 'ZoneAdded', to: 'WAIT', because: 'the connection is not connected' },
  { from: [null], on: 'ZoneAdded', to: 'CONNECTING', because: 'the connection is wanted' },
  { from: [null], on: 'ZoneAdded', to: 'DISCONNECTING', because: 'the connection is being torn down, and it with it' },
  { from: ['WAIT', 'DISCONNECTING'], on: 'ConnectingStarted', to: 'CONNECTING', because: 'the connection is wanted' },
  { from: ['CONNECTING'], on: 'ZoneConnected', to: 'CONNECTED', because: 'its agent forwards' },
  {
    from: ['CONNECTED', 'MIGRATED'],
    on: 'ZoneMigrationStarted',
    to: 'MIGRATING',
    because: 'it goes to another resource, or flows to an earlier one are to end',
  },
  {
    from: ['MIGRATING'],
    on: 'ZoneMigrationCompleted',
    to: 'MIGRATED',
    because: 'its agent forwards there, and flows to the earlier one live on',
  },
  { from: ['MIGRATING'], on: 'ZoneMigrationCompleted', to: 'CONNECTED', because: 'so it does, by force: they ended' },
  {
    from: ['CONNECTING', 'CONNECTED', 'MIGRATING', 'MIGRATED'],
    on: 'DisconnectingStarted',
    to: 'DISCONNECTING',
    because: 'something holds the connection',
  },
  {
    from: ['WAIT', 'CONNECTING', 'CONNECTED', 'MIGRATING', 'MIGRATED'],
    on: 'ServiceDeletionObserved',
    to: 'DISCONNECTING',
    because: 'the service is being deleted',
  },
  {
    from: ['CONNECTED'],
    on: 'ChangeStarted',
    to: 'CONNECTING',
    because: 'a change while the others connect',
  },
  { from: ['WAIT'], on: 'ChangeStarted', to: 'DISCONNECTING', because: 'a change while the connection is torn down' },
  { from: ['DISCONNECTING'], on: 'ZoneDisconnected', to: 'WAIT', because: 'it is closed with the connection' },
  {
    from: ['CONNECTED', 'MIGRATING', 'MIGRATED'],
    on: 'ZoneDisabled',
    to: 'DISCONNECTING',
    because: 'the provider switches it off',
  },
  {
    from: ['WAIT', 'CONNECTING', 'DISCONNECTING'],
    on: 'ZoneDisabled',
    to: 'DISCONNECTED',
    because: 'the provider wants it off, and it is not up',
  },
  { from: ['DISCONNECTING'], on: 'ZoneDisconnected', to: 'DISCONNECTED', because: 'it is closed and stays off' },
  { from: ['DISCONNECTED', 'DISCONNECTING'], on: 'ZoneEnabled', to: 'CONNECTING', because: 'it is switched on' },
  { from: ['DISCONNECTING'], on: 'ZoneEnabled', to: 'CONNECTED', because: 'it is switched on before it was closed' },
  { from: ['DISCONNECTING'], on: 'ZoneEnabled', to: 'MIGRATING', because: 'so it is, on its way to a resource' },
  { from: ['DISCONNECTING'], on: 'ZoneEnabled', to: 'MIGRATED', because: 'so it is, and was moved' },
  { from: ['DISCONNECTED'], on: 'ZoneEnabled', to: 'WAIT', because: 'it is switched on for when the connection is' },
  {
    from: ['DISCONNECTED'],
    on: 'ZoneEnabled',
    to: 'DISCONNECTING',
    because: 'so it is, while that is being torn down',
  },
  {
    from: ['WAIT', 'CONNECTING', 'CONNECTED', 'DISCONNECTING', 'DISCONNECTED', 'MIGRATING', 'MIGRATED'],
    on: 'ZoneRemovalStarted',
    to: 'DELETING',
    because: 'the endpoint has it no more',
  },
  {
    from: ['WAIT', 'CONNECTING', 'CONNECTED', 'DISCONNECTING', 'DISCONNECTED', 'MIGRATING', 'MIGRATED'],
    on: 'DeletionStarted',
    to: 'DELETING',
    because: 'the endpoint is being deleted',
  },
  {
    from: ['WAIT', 'DISCONNECTING', 'DISCONNECTED'],
    on: 'ZoneRemoved',
    to: 'GONE',
    because: 'the endpoint has it no more, and no name and no agent is to be asked',
  },
  { from: ['DELETING'], on: 'ZoneRemoved', to: 'GONE', because: 'no name leads to it and nothing is forwarded' },
  { from: ['DELETING'], on: 'ConnectionDeleted', to: 'GONE', because: 'the connection is gone' },
];

export const zoneStatus = (state: Connection, zone: Zone): Exclude<ZoneStatus, 'GONE'> => {
  const { status } = state;
  if (zone.removing || status === 'DELETING' || status === 'GONE') return 'DELETING';
  if (zoneGoal(state, zone) === 'READY') {
    const isUp = status === 'CONNECTING' ? isConfirmed(state, zone) : isOpen(zone);
    if (!isUp) return 'CONNECTING';
    if (!zone.migration) return 'CONNECTED';
    return zone.migration.done ? 'MIGRATED' : 'MIGRATING';
  }
  if (!zone.enabled) return isOpen(zone) ? 'DISCONNECTING' : 'DISCONNECTED';
  return status === 'DISCONNECTED' || isConfirmed(state, zone) ? 'WAIT' : 'DISCONNECTING';
};
