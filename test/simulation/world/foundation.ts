import { EventsServiceClient } from '@privatelink/proto/events/v1/events_service';
import { foldCache } from '@privatelink/shared/app/fold-cache';
import { createRepository } from '@privatelink/shared/app/repository';
import { shareSubscriptions } from '@privatelink/shared/app/share-subscriptions';
import { eventsReadModel, prefixesOf, readerOf } from '@privatelink/shared/facts/events';
import { consistencyTokens } from '@privatelink/shared/grpc/consistency-token';
import { pageTokens } from '@privatelink/shared/grpc/page-token';
import { errorFunnel } from '@privatelink/shared/grpc/status';
import { STORE_IDENTITY_CATEGORY, storeIdentity } from '@privatelink/shared/kurrent/store-identity';
import { runConsumer } from '@privatelink/shared/nats/consumer';
import { factAnnouncer } from '@privatelink/shared/nats/fact-announcements';
import { runFeed } from '@privatelink/shared/nats/feed';
import { runPublisher } from '@privatelink/shared/nats/publisher';
import { runLeasedReactor } from '@privatelink/shared/postgres/leased-reactor';
import { ensureReadModel } from '@privatelink/shared/postgres/read-model';
import { runReadModel } from '@privatelink/shared/postgres/run-read-model';
import type { Foundation, FoundationOptions } from '@privatelink/shared/runtime/foundation';
import type { Service } from '@privatelink/shared/runtime/lifecycle';
import type { MemoryPostgres } from '@privatelink/shared/testing/memory-postgres';
import type { MemoryStore } from '@privatelink/shared/testing/memory-store';
import type { Bus } from './bus.ts';
import { databaseOf } from './database.ts';
import { eventStoreOf } from './event-store.ts';
import type { Host } from './host.ts';
import type { Mutation } from './mutation.ts';
import type { Network } from './network.ts';
import type { Random } from './random.ts';
import type { Trouble } from './trouble.ts';
import type { Txt } from './txt.ts';

/** What all hosts share. */
export type Surroundings = Readonly<{
  memory: MemoryStore;
  databases: Readonly<Record<FoundationOptions['name'], MemoryPostgres>>;
  bus: Bus;
  network: Network;
  random: Random;
  trouble: Trouble;
  mutation: Mutation;
  /** The DNS in which providers prove their custom domains. */
  txt: Txt;
  /** Hears every line that the services log. */
  told: ((line: string) => void) | undefined;
}>;

const SECRET = Buffer.alloc(32, 7);

/** What a service stands on in production, with everything outside its process simulated. */
export const simulatedFoundation = async (
  host: Host,
  service: Service,
  { name, categories }: FoundationOptions,
  { memory, databases, bus, network, random, trouble, mutation }: Surroundings,
): Promise<Foundation> => {
  const { log, signal } = service;
  const { clock } = host;
  const own = [...categories, STORE_IDENTITY_CATEGORY];
  const prefixes = categories.map((category) => `${category}-`);
  const connected = eventStoreOf(host, memory, { categories: own, random: random.fork(host.name), trouble });
  const store = shareSubscriptions(connected, prefixes, signal);
  const db = databaseOf(host, databases[name], trouble);
  const nats = bus.connect(host);
  const storeId = await storeIdentity(store);
  const deps = { store, clock, log, signal, db, holder: host.name };
  const cache = foldCache();
  const background: Foundation['background'] = (task, run) => {
    const ended = run().catch((cause: unknown) => {
      if (!signal.aborted) service.fail(new Error(`${task} failed`, { cause }));
    });
    service.onStop(() => ended);
  };
  const project: Foundation['project'] = async (model) => {
    await ensureReadModel(db, model);
    background(model.name, () => runReadModel(deps, mutation.readModel?.(model) ?? model));
  };
  const client: Foundation['client'] = (of) => {
    const caller = { subject: name, accountId: '', roles: ['service'] } as const;
    const connected = network.client(of, { host, caller });
    return mutation.client?.(name, connected) ?? connected;
  };

  return {
    ...{ store, db, storeId, clock, deps, background },
    tokens: consistencyTokens({ secret: SECRET, storeId, service: name }),
    pages: pageTokens({ secret: SECRET, storeId }),
    repository: (decider, codec) => {
      const rules = mutation.decider?.(decider) ?? decider;
      const repository = createRepository({ store, clock, producer: name, cache }, rules, codec);
      return mutation.repository?.(repository) ?? repository;
    },
    client,
    project,
    react: (reactor) => background(reactor.name, () => runLeasedReactor(deps, mutation.reactor?.(reactor) ?? reactor)),
    consume: (consumer) =>
      background(consumer.durable, () => runConsumer({ nats, service: name, clock, log, signal }, consumer)),
    keep: (feed) => {
      const owner = client(EventsServiceClient, []);
      background(feed.name, () => runFeed({ ...deps, nats, owner, service: name }, feed));
    },
    announce: async (facts) => {
      const prefixes = prefixesOf(facts);
      const live = readerOf(facts);
      await project(eventsReadModel(prefixes, live));
      const translate = factAnnouncer(live);
      background('publisher', () => runPublisher({ ...deps, nats }, { name, service: name, prefixes, translate }));
    },
    serve: async (definition, implementation, catalogue, foresee = async () => undefined) =>
      service.onStop(
        network.serve({
          host,
          definition,
          implementation,
          funnel: errorFunnel(name, catalogue, log),
          foresee,
          stopping: signal,
        }),
      ),
  };
};
