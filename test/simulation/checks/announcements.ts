import { isSnapshot } from '@privatelink/shared/eventing/codec';
import { categoryOfStream } from '@privatelink/shared/eventing/decider';
import type { StoredEvent } from '@privatelink/shared/eventing/message';
import { paymentFacts } from '../../../services/connection-broker/src/publish/payment-facts.ts';
import { typeOf } from '../../support/event-log.ts';
import type { Bus } from '../world/bus.ts';

/** The categories that are announced on each stream. */
const ANNOUNCED_ON: Readonly<Record<string, readonly string[]>> = {
  EVT_PROVIDER: ['endpointService'],
  EVT_CONSUMER: ['endpoint', 'gatewayEndpoint'],
  EVT_BROKER: ['connection', 'facts'],
  EVT_DNS: ['nameSet'],
};

/** JetStream holds every fact, once and in order: also after it was emptied, since then it is filled again. */
export const wrongAnnouncements = (history: readonly StoredEvent[], bus: Bus): readonly string[] =>
  Object.entries(ANNOUNCED_ON).flatMap(([stream, categories]) => {
    const facts = history.filter(
      (event) => categories.includes(categoryOfStream(event.stream)) && !isSnapshot(event.type) && isForOthers(event),
    );
    const wanted = facts.map(({ id }) => `${id}:0`);
    const sent = bus.messages(stream).flatMap(({ headers }) => headers.get('Nats-Msg-Id') || []);
    const first = wanted.findIndex((id, index) => id !== sent[index]);
    if (first === -1 && wanted.length === sent.length) return [];
    return [`${stream} has ${sent.length} facts of ${wanted.length}, and differs from number ${first}`];
  });

/** Of what is known of a scope, its bills alone are announced. */
const isForOthers = (event: StoredEvent): boolean =>
  categoryOfStream(event.stream) !== 'facts' || (paymentFacts.only ?? []).includes(typeOf(event));
