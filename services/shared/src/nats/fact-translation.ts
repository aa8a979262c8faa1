import { Fact } from '@privatelink/proto/events/v1/fact';
import { absent, advance, type Folded, loadFolded, type Rules } from '../app/fold.ts';
import { LRUCache } from '../app/lru-cache.ts';
import { noRequests } from '../app/request-log.ts';
import { isSnapshot } from '../eventing/codec.ts';
import { idOfStream } from '../eventing/decider.ts';
import type { AnyEvent, StoredEvent } from '../eventing/message.ts';
import type { EventStore } from '../eventing/ports.ts';
import { timestamp } from '../grpc/timestamp.ts';
import { InvalidMessage } from './consumer.ts';
import { factSubject } from './subjects.ts';

export type FactTranslation<S> = Readonly<{
  service: string;
  /** The resource's kind in subjects: `connection`. */
  entity: string;
  /** The account whose resource it is. */
  accountOf: (state: S, id: string) => string;
  /** The whole public state after the event. */
  resourceOf: (state: S, revision: bigint, id: string) => NonNullable<Fact['resource']>;
  /** Facts that leave the service; all when absent. */
  only?: readonly string[];
}>;

type Announcement = Readonly<{ subject: string; body: Uint8Array }>;

const REMEMBERED_STREAMS = 16_384;

/** Makes of each recorded event what leaves the service: the fact, with its resource's whole state after it. */
export const factTranslator = <E extends AnyEvent, S>(
  store: EventStore,
  rules: Rules<E, S>,
  { service, entity, accountOf, resourceOf, only }: FactTranslation<S>,
): ((event: StoredEvent) => Promise<readonly Announcement[]>) => {
  const remembered = new LRUCache<string, Folded<S>>(REMEMBERED_STREAMS);

  const stateAfter = async (event: StoredEvent): Promise<Folded<S>> => {
    const before = event.revision === 0n ? absent(rules.decider.initial) : remembered.get(event.stream);
    const isNext = before && (before.revision ?? -1n) === event.revision - 1n;
    const folded = isNext
      ? advance(rules, before, event)
      : await loadFolded(store, event.stream, rules, event.revision);
    remembered.set(event.stream, { ...folded, requests: noRequests });
    return folded;
  };

  return async (event) => {
    const { state } = await stateAfter(event);
    if (isSnapshot(event.type)) return [];
    const recorded = rules.codec.decode(event);
    if (only && !only.includes(recorded.type)) return [];
    const id = idOfStream(event.stream);
    const move = (recorded.data as { move?: { from: string | null; to: string; because: string } | null }).move;
    const fact = Fact.fromPartial({
      eventId: event.id,
      type: recorded.type,
      sourceStream: event.stream,
      sourceRevision: event.revision,
      position: event.position,
      recordTime: timestamp(event.recordedAt),
      correlationId: event.metadata['$correlationId'] ?? '',
      causationId: event.metadata['$causationId'] ?? '',
      actor: event.metadata['actor'] ?? '',
      transition: move ? { from: move.from ?? '', to: move.to, because: move.because } : undefined,
      resource: resourceOf(state, event.revision, id),
    });
    const subject = factSubject({ service, entity, fact: recorded.type, account: accountOf(state, id) });
    return [{ subject, body: Fact.encode(fact).finish() }];
  };
};

/** What such an announcement says. */
export const readFact = (subject: string, body: Uint8Array): Fact => {
  try {
    return Fact.decode(body);
  } catch (cause) {
    throw new InvalidMessage(`${subject} carries no fact`, { cause });
  }
};
