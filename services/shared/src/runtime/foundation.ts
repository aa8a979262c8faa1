import type { ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';
import { OperationsServiceService } from '@privatelink/proto/operations/v1/operations_service';
import { setFailpoints } from '../app/failpoint.ts';
import { createRepository, type Repository } from '../app/repository.ts';
import type { Reactor } from '../app/run-reactor.ts';
import { shareSubscriptions } from '../app/share-subscriptions.ts';
import type { Codec } from '../eventing/codec.ts';
import { categoryOfStream, type Decider } from '../eventing/decider.ts';
import type { AnyCommand, AnyEvent, StoredEvent } from '../eventing/message.ts';
import type { EventStore } from '../eventing/ports.ts';
import { type Connected, connect } from '../grpc/client.ts';
import { type ConsistencyTokens, consistencyTokens } from '../grpc/consistency-token.ts';
import { readTokenSecret } from '../grpc/opaque-token.ts';
import { type PageTokens, pageTokens } from '../grpc/page-token.ts';
import type { Foresee } from '../grpc/running-call.ts';
import { startGrpcServer } from '../grpc/server.ts';
import type { ErrorCatalogue } from '../grpc/status.ts';
import { tokenVerifier } from '../grpc/tokens.ts';
import { connectEventStore } from '../kurrent/event-store.ts';
import { storeIdentity } from '../kurrent/store-identity.ts';
import { connectNats } from '../nats/connect.ts';
import { type Consumer, runConsumer } from '../nats/consumer.ts';
import { type Feed, runFeed } from '../nats/feed.ts';
import { type Announcement, runPublisher } from '../nats/publisher.ts';
import { connectPostgres, type Db } from '../postgres/connect.ts';
import { runLeasedReactor } from '../postgres/leased-reactor.ts';
import type { LeasedSubscriptionDeps } from '../postgres/leased-subscription.ts';
import type { ReadModel } from '../postgres/read-model.ts';
import { ensureReadModel } from '../postgres/read-model.ts';
import { runReadModel } from '../postgres/run-read-model.ts';
import { systemClock } from './clock.ts';
import type { ServiceConfig } from './config.ts';
import { failpointsFrom } from './failpoints.ts';
import type { Service } from './lifecycle.ts';
import { operationsErrors, operationsService, type Projected, projected } from './operations.ts';

export type FoundationOptions = Readonly<{
  /** Short name: schema in PostgreSQL, domain of errors, writer of consistency tokens. */
  name: 'provider' | 'consumer' | 'broker' | 'dns';
  /** The stream categories that this service owns. */
  categories: readonly string[];
}>;

type Translate = (event: StoredEvent) => Promise<readonly Announcement[]>;

type Client<Definition> = Parameters<typeof connect<Definition & object>>[0];

/** What every service stands on. `main.ts` opens it, constructs its own parts on it, and serves. */
export type Foundation = Readonly<{
  store: EventStore;
  db: Db;
  storeId: string;
  clock: typeof systemClock;
  tokens: ConsistencyTokens;
  pages: PageTokens;
  /** For subscriptions of any kind. */
  deps: LeasedSubscriptionDeps;
  repository: <C extends AnyCommand, E extends AnyEvent, S>(
    decider: Decider<C, E, S>,
    codec: Codec<E>,
  ) => Repository<C, E, S>;
  /** A client of another service, with this service's own identity. */
  client: <D extends object>(client: Client<D>, addresses: readonly string[]) => Connected<D>;
  /** Runs for as long as the service does; its failure ends the service. */
  background: (name: string, run: () => Promise<void>) => void;
  project: <E extends AnyEvent, R, C extends string>(model: ReadModel<E, R, C>) => Promise<void>;
  react: (reactor: Reactor) => void;
  /** Announces on NATS what the translations make of the events, by category of their streams. */
  announce: (translations: Readonly<Record<string, Translate>>) => void;
  /** Takes in what others announce, message by message. */
  consume: (consumer: Consumer) => void;
  /** Keeps what other services announce. */
  keep: <T>(feed: Feed<T>) => void;
  serve: (
    definition: ServiceDefinition,
    implementation: UntypedServiceImplementation,
    catalogue: ErrorCatalogue,
    foresee?: Foresee,
  ) => Promise<void>;
}>;

const POOL_MAX = 8;
const DRAIN_MS = 5_000;

export const openFoundation = async (
  service: Service,
  config: ServiceConfig,
  { name, categories }: FoundationOptions,
): Promise<Foundation> => {
  const { log, signal } = service;
  if (config.failpoints) setFailpoints(failpointsFrom(config.failpoints, log));
  const connected = connectEventStore(config.eventStore, categories);
  service.onStop(() => connected.close());
  const prefixes = categories.map((category) => `${category}-`);
  const store = shareSubscriptions(connected, prefixes, signal);
  const postgres = await connectPostgres({ url: config.postgres, schema: name, poolMax: POOL_MAX, log });
  service.onStop(() => postgres.close());
  const { db } = postgres;
  const nats = await connectNats({ url: config.nats, name: config.instance, log });
  service.onStop(nats.close);
  const storeId = await storeIdentity(store);
  const secret = readTokenSecret(config.tokenSecretFile);
  const clock = systemClock;
  const background = (task: string, run: () => Promise<void>): void => {
    const ended = run().catch((cause: unknown) => {
      if (!signal.aborted) service.fail(new Error(`${task} failed`, { cause }));
    });
    service.onStop(() => ended);
  };
  const deps: LeasedSubscriptionDeps = { store, clock, log, signal, db, holder: config.instance };
  const readModels: Projected[] = [];

  return {
    store,
    db,
    storeId,
    clock,
    deps,
    tokens: consistencyTokens({ secret, storeId, service: name }),
    pages: pageTokens({ secret, storeId }),
    repository: (decider, codec) => createRepository({ store, clock, producer: name }, decider, codec),
    client: (client, addresses) => {
      const connected = connect(client, addresses, { token: { file: config.tokenFile } });
      service.onStop(connected.close);
      return connected;
    },
    background,
    project: async (model) => {
      await ensureReadModel(db, model);
      readModels.push(projected(deps, model));
      background(model.name, () => runReadModel(deps, model));
    },
    react: (reactor) => background(reactor.name, () => runLeasedReactor(deps, reactor)),
    consume: (consumer) =>
      background(consumer.durable, () => runConsumer({ nats, service: name, clock, log, signal }, consumer)),
    keep: (feed) => background(feed.name, () => runFeed({ ...deps, nats, service: name }, feed)),
    announce: (translations) => {
      const prefixes = Object.keys(translations).map((category) => `${category}-`);
      const translate: Translate = async (event) => translations[categoryOfStream(event.stream)]?.(event) ?? [];
      background('publisher', () => runPublisher({ ...deps, nats }, { name, service: name, prefixes, translate }));
    },
    serve: async (definition, implementation, catalogue, foresee) => {
      const server = await startGrpcServer({
        service: name,
        listen: config.grpcListen,
        services: [
          { definition, implementation },
          { definition: OperationsServiceService, implementation: operationsService(deps, readModels) },
        ],
        catalogue: { ...catalogue, ...operationsErrors },
        verifier: tokenVerifier({ jwksFile: config.jwksFile }),
        log,
        reflection: config.reflection,
        foresee,
      });
      service.onStop(() => server.stop(DRAIN_MS));
    },
  };
};
