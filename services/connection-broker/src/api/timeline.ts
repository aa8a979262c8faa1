import { type ConnectionEvent as ConnectionEventMessage, HoldReason } from '@privatelink/proto/broker/v1/connection';
import type { Recorded } from '@privatelink/shared/eventing/message';
import { timestamp } from '@privatelink/shared/grpc/timestamp';
import { type Connection, type ConnectionEvent, isReverse } from '../connection/connection.ts';
import type { HoldReason as Reason } from '../connection/holds.ts';
import type { View } from './connection-view.ts';

type Side = Pick<Connection, 'endpointAccountId' | 'serviceAccountId' | 'endpointType'>;
type Fields = Readonly<Record<string, unknown>>;

/** How the provider serves a zone is no affair of the consumer's. */
export const isShown = ({ type }: Readonly<{ type: string }>, view: View): boolean =>
  view !== 'consumer' || !type.startsWith('ZoneMigration');

/** One recorded fact, as a side may see it. Holds and generation are those of the last move up to it. */
export const toTimelineEvent = (event: Recorded<ConnectionEvent>, view: View, sides: Side): ConnectionEventMessage => {
  const { type, data, meta } = event;
  const move = 'move' in data ? data.move : null;
  return {
    revision: meta.revision,
    eventId: meta.id,
    type,
    // The store's own times are cut to seconds where a stream is read.
    recordTime: timestamp(data.at),
    actor: actorFor(event, view, sides),
    transition: move ? { from: move.from ?? '', to: move.to, because: move.because } : undefined,
    holds: (move?.holds ?? []).map((reason) => HoldReason[reason as Reason]),
    generation: BigInt(move?.generation ?? 0),
    details: detailsFor(data, view, sides),
    position: meta.position,
  };
};

/** What the consumer service tells the broker of: the actor is then the endpoint's owner. */
const BY_CONSUMER: readonly string[] = [
  ...(['ConnectionRequested', 'ConnectionUpdated', 'DeletionStarted'] as const),
  ...(['ZoneAdded', 'ZoneAddressesChanged', 'ZoneRemovalStarted', 'TargetsChanged', 'IngressChanged'] as const),
  ...(['CustomDomainsChanged', 'ZoneAffinityChanged'] as const),
] satisfies ConnectionEvent['type'][];

/** A change that the consumer service tells of, and not the provider. */
const isConsumersChange = (type: string, requestId: string): boolean =>
  type === 'ChangeStarted' && requestId.startsWith('service:consumer/');

/** What the broker accepts of its own accord is its own act, whoever made the request that it comes with. */
const doerOf = ({ type, data, meta }: Recorded<ConnectionEvent>): string =>
  type === 'ConnectionAccepted' && data.automatic && data.actor.startsWith('service:')
    ? data.actor
    : (meta.metadata['actor'] ?? '');

/** The other side's people are only known as that side. */
export const actorFor = (event: Recorded<ConnectionEvent>, view: View, sides: Side): string => {
  const { type, meta } = event;
  const { accountId = '', requestId = '' } = meta.metadata;
  const actor = doerOf(event);
  if (view === 'everything' || actor.startsWith('service:')) return actor;
  const isTold = BY_CONSUMER.includes(type) || isConsumersChange(type, requestId);
  const byConsumer = isTold || (accountId !== '' && accountId === sides.endpointAccountId);
  const side = byConsumer ? 'consumer' : accountId === sides.serviceAccountId ? 'provider' : 'operator';
  return side === view ? actor : side;
};

const HIDDEN_ALWAYS = ['move', 'at'];
const HIDDEN: Readonly<Record<View, readonly string[]>> = {
  provider: ['actor', 'source', 'ingress', 'targets'],
  consumer: ['actor', 'source', 'resource', 'resources', 'placement', 'factsSeen'],
  everything: [],
};

const detailsFor = (data: object, view: View, sides: Side): { [key: string]: unknown } => {
  // Where to connect is for the side that starts connections.
  const starting = isReverse(sides) ? 'provider' : 'consumer';
  const places = view === 'everything' || view === starting ? [] : ['listeners'];
  const hidden = [...HIDDEN_ALWAYS, ...HIDDEN[view], ...places];
  const shown = Object.entries(data as Fields).filter(([field]) => !hidden.includes(field));
  const overdue =
    typeof (data as { reason?: string }).reason === 'string' &&
    /PAYMENT|LOCK/.test((data as { reason: string }).reason);
  return Object.fromEntries(view !== 'everything' && overdue ? shown.filter(([field]) => field !== 'message') : shown);
};
