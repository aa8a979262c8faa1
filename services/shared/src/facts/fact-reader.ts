import { absent, advance, type Folded, loadFolded, type Rules } from '../app/fold.ts';
import { LRUCache } from '../app/lru-cache.ts';
import { noRequests } from '../app/request-log.ts';
import { isSnapshot } from '../eventing/codec.ts';
import type { AnyEvent, StoredEvent } from '../eventing/message.ts';
import type { EventStore } from '../eventing/ports.ts';
import { type FactTranslation, type PublicFact, publicFact } from './public-fact.ts';

/** Null for what is of interest to the service alone. The same for the same event, whenever it is read. */
export type FactReader = (event: StoredEvent) => Promise<PublicFact | null>;

/** Opens a reader that remembers the states of so many streams. */
export type OpenFactReader = (rememberedStreams?: number) => FactReader;

const REMEMBERED_STREAMS = 16_384;
/** Further ahead than this a stream is folded from its last snapshot. */
const MAX_STEPS = 256n;

/** Reads events as facts, each with its resource's state after it. */
export const factReader =
  <E extends AnyEvent, S>(store: EventStore, rules: Rules<E, S>, translation: FactTranslation<S>): OpenFactReader =>
  (rememberedStreams = REMEMBERED_STREAMS) => {
    const states = new LRUCache<string, Folded<S>>(rememberedStreams);
    /** Several followers of one process are given the same event. */
    const read = new WeakMap<StoredEvent, Promise<PublicFact | null>>();

    const stateAfter = async (event: StoredEvent): Promise<Folded<S>> => {
      const before = event.revision === 0n ? absent(rules.decider.initial) : states.get(event.stream);
      const folded =
        (before && (await stepTo(store, rules, before, event))) ??
        (await loadFolded(store, event.stream, rules, event.revision));
      states.set(event.stream, { ...folded, requests: noRequests });
      return folded;
    };

    const readFact = async (event: StoredEvent): Promise<PublicFact | null> => {
      const { state } = await stateAfter(event);
      if (isSnapshot(event.type)) return null;
      const recorded = rules.codec.decode(event);
      if (translation.only && !translation.only.includes(recorded.type)) return null;
      return publicFact(translation, state, event, recorded);
    };

    return (event) => {
      const known = read.get(event);
      if (known) return known;
      const reading = readFact(event);
      read.set(event, reading);
      // Another look is another try.
      reading.catch(() => read.delete(event));
      return reading;
    };
  };

/** From a state of shortly before; null when it is not. */
const stepTo = async <E extends AnyEvent, S>(
  store: EventStore,
  rules: Rules<E, S>,
  before: Folded<S>,
  event: StoredEvent,
): Promise<Folded<S> | null> => {
  const next = (before.revision ?? -1n) + 1n;
  if (next > event.revision || event.revision - next >= MAX_STEPS) return null;
  let folded = before;
  const missing = Number(event.revision - next);
  if (missing > 0) {
    const between = store.read(event.stream, { from: next, direction: 'forwards', maxCount: missing });
    for await (const earlier of between) folded = advance(rules, folded, earlier);
  }
  return advance(rules, folded, event);
};
