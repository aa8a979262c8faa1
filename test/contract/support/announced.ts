import { type FactReader, factReader } from '@privatelink/shared/facts/fact-reader';
import { factAnnouncer } from '@privatelink/shared/nats/fact-announcements';
import type { Feed } from '@privatelink/shared/nats/feed';
import type { IncomingMessage } from '@privatelink/shared/nats/incoming-message';
import type { Db } from '@privatelink/shared/postgres/connect';
import { systemClock as clock } from '@privatelink/shared/runtime/clock';
import { connectionCodec } from '../../../services/connection-broker/src/connection/connection.codec.ts';
import { connection } from '../../../services/connection-broker/src/connection/connection.decide.ts';
import { connectionFacts } from '../../../services/connection-broker/src/publish/connection-facts.ts';
import { paymentFacts } from '../../../services/connection-broker/src/publish/payment-facts.ts';
import { scopeFactsCodec } from '../../../services/connection-broker/src/scope-facts/scope-facts.codec.ts';
import { scopeFacts } from '../../../services/connection-broker/src/scope-facts/scope-facts.ts';
import { brokerConnectionsFeed } from '../../../services/consumer/src/ingest/broker-connections.ts';
import { paymentsFeed } from '../../../services/provider/src/ingest/payments.ts';
import { accountPayments } from '../../../services/provider/src/processes/account-payments.ts';
import { dnsSuffix, type Services } from './services.ts';

/** As the service's own feed does with what has come. */
export const takeIn = async <T>(db: Db, feed: Feed<T>, messages: readonly IncomingMessage[]): Promise<void> => {
  const items = messages.map(feed.read);
  await feed.record?.(items);
  await db.transaction().execute((tx) => feed.write(tx, items));
};

/** Lets the other services hear what the broker announces of one stream: all of it, also what they have heard before. */
export const announcements = ({ broker: { store }, provider, consumer }: Services) => {
  const view = { dnsSuffix, forwarder: 'none' as const, stuckAfterMs: 60_000, now: clock.now };
  const tell = async (
    stream: string,
    read: FactReader,
    take: (message: IncomingMessage) => Promise<void>,
  ): Promise<void> => {
    for await (const event of store.read(stream, { from: 'start', direction: 'forwards', maxCount: 1_000 })) {
      for (const fact of await factAnnouncer(read)(event)) {
        if (fact.subject.startsWith('evt.')) await take({ ...fact, headers: {}, deliveryCount: 1 });
      }
    }
  };
  return {
    payments: async (scope: string): Promise<void> => {
      const read = factReader(store, { decider: scopeFacts, codec: scopeFactsCodec }, paymentFacts)();
      const feed = paymentsFeed({ ...provider, clock });
      await tell(`facts-${scope}`, read, (message) => takeIn(provider.db, feed, [message]));
      await accountPayments({ ...provider, clock }).work(scope, null);
    },
    connection: async (connectionId: string): Promise<void> => {
      const read = factReader(store, { decider: connection, codec: connectionCodec }, connectionFacts(view))();
      const feed = brokerConnectionsFeed({ ...consumer, clock });
      await tell(`connection-${connectionId}`, read, (message) => takeIn(consumer.db, feed, [message]));
    },
  };
};
