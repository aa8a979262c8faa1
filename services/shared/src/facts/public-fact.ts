import type { Fact } from '@privatelink/proto/events/v1/fact';
import { idOfStream } from '../eventing/decider.ts';
import type { AnyEvent, Recorded, StoredEvent } from '../eventing/message.ts';
import { timestamp } from '../grpc/timestamp.ts';

type Resource = NonNullable<Fact['resource']>;

/** What becomes public of an aggregate's events, and what each account sees of it. */
export type FactTranslation<S> = Readonly<{
  service: string;
  /** The resource's kind: `gatewayEndpoint`, in subjects and filters `gateway-endpoint`. */
  entity: string;
  /** The account whose resource it is. */
  accountOf: (state: S, id: string) => string;
  /** The whole public state after the event. */
  resourceOf: (state: S, revision: bigint, id: string) => Resource;
  /** Facts that leave the service; all when absent. */
  only?: readonly string[];
  /** The accounts that are shown a fact of this type, an empty one is nobody; that of `accountOf`, unless said. */
  audienceOf?: (state: S, type: string) => readonly string[];
  /** The resource as one of them sees it, or an operator, whose account is null; as `resourceOf`, unless said. */
  resourceFor?: (accountId: string | null, state: S, revision: bigint) => Resource;
  /** Who did it, as one of them may know; its own people, unless said, and of others what they are. */
  actorFor?: (accountId: string, state: S, event: Recorded<AnyEvent>) => string;
}>;

/** A recorded event that is of interest outside of its service. */
export type PublicFact = Readonly<{
  event: StoredEvent;
  service: string;
  type: string;
  /** As in subjects: `gateway-endpoint`. */
  resourceType: string;
  resourceId: string;
  /** The account whose resource it is; empty where the service does not know. */
  accountId: string;
  /** The accounts that are shown it. */
  audience: readonly string[];
  /** With the whole public state, as services tell each other. */
  whole: () => Fact;
  /** As one of the audience sees it, or, without an account, an operator. */
  seenBy: (accountId: string | null) => Fact;
}>;

export const kebab = (name: string): string => name.replace(/(?<=[a-z0-9])(?=[A-Z])/g, '-').toLowerCase();

export const publicFact = <S>(
  translation: FactTranslation<S>,
  state: S,
  event: StoredEvent,
  recorded: Recorded<AnyEvent>,
): PublicFact => {
  const { service, entity, accountOf, resourceOf, audienceOf, resourceFor, actorFor } = translation;
  const resourceId = idOfStream(event.stream);
  const accountId = accountOf(state, resourceId);
  const audience = audienceOf?.(state, recorded.type) ?? [accountId];
  const { actor = '', $correlationId = '', $causationId = '' } = event.metadata;
  const { move } = recorded.data as { move?: { from: string | null; to: string; because: string } | null };
  const said = (seenActor: string, resource: Resource): Fact => ({
    eventId: event.id,
    type: recorded.type,
    sourceStream: event.stream,
    sourceRevision: event.revision,
    position: event.position,
    recordTime: timestamp(event.recordedAt),
    correlationId: $correlationId,
    causationId: $causationId,
    actor: seenActor,
    transition: move ? { from: move.from ?? '', to: move.to, because: move.because } : undefined,
    resource,
  });
  return {
    ...{ event, service, type: recorded.type, resourceType: kebab(entity), resourceId, accountId },
    whole: () => said(actor, resourceOf(state, event.revision, resourceId)),
    audience: [...new Set(audience)].filter((account) => account !== ''),
    seenBy: (seer) => {
      const resource = resourceFor?.(seer, state, event.revision) ?? resourceOf(state, event.revision, resourceId);
      if (seer === null) return said(actor, resource);
      return said(actorFor?.(seer, state, recorded) ?? ownersActor(event.metadata, seer), resource);
    },
  };
};

/** Who did it, as the resource's owner may know: its own people, and of others only what they are. */
const ownersActor = ({ actor = '', accountId, requestId = '' }: StoredEvent['metadata'], owner: string): string => {
  if (accountId === owner || actor.startsWith('service:')) return actor;
  const [told] = requestId.split('/');
  return told?.startsWith('service:') ? told : 'operator';
};
