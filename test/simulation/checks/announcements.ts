import { isSnapshot } from '@privatelink/shared/eventing/codec';
import { categoryOfStream } from '@privatelink/shared/eventing/decider';
import type { StoredEvent } from '@privatelink/shared/eventing/message';
import { eventsReadModel } from '@privatelink/shared/facts/events';
import type { Db } from '@privatelink/shared/postgres/connect';
import { queryRows } from '@privatelink/shared/postgres/row-table';
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
    const wanted = publicEvents(history, categories).map(({ id }) => id);
    const sent = bus
      .messages(stream)
      .filter(({ subject }) => subject.startsWith('evt.'))
      .flatMap(({ headers }) => headers.get('Nats-Msg-Id')?.split(':')[0] || []);
    const first = wanted.findIndex((id, index) => id !== sent[index]);
    if (first === -1 && wanted.length === sent.length) return [];
    return [`${stream} has ${sent.length} facts of ${wanted.length}, and differs from number ${first}`];
  });

const ALL = 1_000_000;
const { table, columns } = eventsReadModel([], async () => null);

/** The index of each service has every fact of its own, in order, and none besides. */
export const wrongIndexes = async (
  history: readonly StoredEvent[],
  databases: Readonly<Record<string, Db>>,
): Promise<readonly string[]> => {
  const wrong: string[] = [];
  for (const [stream, categories] of Object.entries(ANNOUNCED_ON)) {
    const service = stream.replace('EVT_', '').toLowerCase();
    const db = databases[service];
    if (!db) throw new Error(`${service} has no database`);
    const rows = await queryRows(db, { table, columns }, { limit: ALL });
    const wanted = publicEvents(history, categories).map(({ id }) => id);
    const first = wanted.findIndex((id, index) => id !== rows[index]?.state.eventId);
    if (first === -1 && wanted.length === rows.length) continue;
    wrong.push(
      `the index of ${service} has ${rows.length} facts of ${wanted.length}, and differs from number ${first}`,
    );
  }
  return wrong;
};

const publicEvents = (history: readonly StoredEvent[], categories: readonly string[]): readonly StoredEvent[] =>
  history.filter(
    (event) => categories.includes(categoryOfStream(event.stream)) && !isSnapshot(event.type) && isForOthers(event),
  );

/** Of what is known of a scope, its bills alone are announced. */
const isForOthers = (event: StoredEvent): boolean =>
  categoryOfStream(event.stream) !== 'facts' || (paymentFacts.only ?? []).includes(typeOf(event));
