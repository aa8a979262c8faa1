import { type Transition, type TransitionRow, transitionBy } from '@privatelink/shared/eventing/transition-table';

/** `GONE` is shown to nobody: the connection does not exist any more. */
export type ConnectionStatus =
  | 'CONNECTING'
  | 'CONNECTED'
  | 'DISCONNECTING'
  | 'DISCONNECTED'
  | 'CHANGING'
  | 'DELETING'
  | 'SERVICE_DELETED'
  | 'GONE';

/** Nothing brings it back: only its end is still recorded. */
export const isEnded = (status: ConnectionStatus | null): boolean =>
  status === 'SERVICE_DELETED' || status === 'DELETING' || status === 'GONE';

export type On =
  | 'requested'
  | 'holdPlaced'
  | 'holdLifted'
  | 'lastHoldLifted'
  | 'firstHoldPlaced'
  | 'changed'
  | 'confirmed'
  | 'tornDown'
  | 'serviceDeleted'
  | 'endpointDeleted';

/** The declared state machine: code, documents and tests read this table. */
export const connectionTransitions: readonly TransitionRow<ConnectionStatus, On>[] = [
  { from: [null], on: 'requested', to: 'CONNECTING', because: 'an endpoint was created and nothing holds it' },
  { from: [null], on: 'requested', to: 'DISCONNECTED', because: 'an endpoint was created and something holds it' },
  { from: ['DISCONNECTED'], on: 'holdPlaced', to: 'DISCONNECTED', because: 'one more hold' },
  { from: ['DISCONNECTED'], on: 'holdLifted', to: 'DISCONNECTED', because: 'one hold less, others are left' },
  { from: ['DISCONNECTED'], on: 'lastHoldLifted', to: 'CONNECTING', because: 'nothing holds it any more' },
  { from: ['CONNECTING'], on: 'confirmed', to: 'CONNECTED', because: 'zones and names confirmed this generation' },
  {
    from: ['CONNECTING'],
    on: 'changed',
    to: 'CONNECTING',
    because: 'zones, names or bandwidth have changed while being established',
  },
  { from: ['CONNECTED', 'CHANGING'], on: 'changed', to: 'CHANGING', because: 'zones, names or bandwidth have changed' },
  {
    from: ['DISCONNECTED'],
    on: 'changed',
    to: 'DISCONNECTED',
    because: 'zones, names or bandwidth have changed, kept for later',
  },
  {
    from: ['DISCONNECTING'],
    on: 'changed',
    to: 'DISCONNECTING',
    because: 'zones, names or bandwidth have changed, kept for later',
  },
  { from: ['CHANGING'], on: 'confirmed', to: 'CONNECTED', because: 'zones and names confirmed this generation' },
  {
    from: ['CONNECTING', 'CONNECTED', 'CHANGING'],
    on: 'firstHoldPlaced',
    to: 'DISCONNECTING',
    because: 'something holds it, at once',
  },
  { from: ['DISCONNECTING'], on: 'holdPlaced', to: 'DISCONNECTING', because: 'recorded while being torn down' },
  { from: ['DISCONNECTING'], on: 'holdLifted', to: 'DISCONNECTING', because: 'recorded while being torn down' },
  { from: ['DISCONNECTING'], on: 'tornDown', to: 'DISCONNECTED', because: 'names and forwarding closed, still held' },
  { from: ['DISCONNECTING'], on: 'tornDown', to: 'CONNECTING', because: 'names and forwarding closed, held no more' },
  {
    from: ['CONNECTING', 'CONNECTED', 'CHANGING', 'DISCONNECTING', 'DISCONNECTED'],
    on: 'serviceDeleted',
    to: 'SERVICE_DELETED',
    because: 'the service is being deleted, or takes endpoints of its region no more',
  },
  {
    from: ['CONNECTING', 'CONNECTED', 'CHANGING', 'DISCONNECTING', 'DISCONNECTED', 'SERVICE_DELETED'],
    on: 'endpointDeleted',
    to: 'DELETING',
    because: 'the endpoint is being deleted',
  },
  { from: [null], on: 'endpointDeleted', to: 'GONE', because: 'the endpoint was deleted before it asked' },
  { from: ['DELETING'], on: 'tornDown', to: 'GONE', because: 'names and forwarding closed' },
];

const by = transitionBy(connectionTransitions);

/** What an event records of the status: the move, what holds the connection after it, and its generation. */
export type Move = Transition<ConnectionStatus, On> & Readonly<{ holds: readonly string[]; generation: number }>;

export const moveBy = (
  from: ConnectionStatus | null,
  on: On,
  to: ConnectionStatus,
  after: Readonly<{ holds: readonly string[]; generation: number }>,
): Move => ({ ...by(from, on, to), ...after });
