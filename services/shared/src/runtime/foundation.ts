import type { ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';
import { EventsServiceClient, EventsServiceService } from '@privatelink/proto/events/v1/events_service';
import { OperationsServiceService } from '@privatelink/proto/operations/v1/operations_service';
import { failpoint, setFailpoints } from '../app/failpoint.ts';
import { foldCache } from '../app/fold-cache.ts';
import { createRepository, type Repository } from '../app/repository.ts';
import type { Reactor } from '../app/run-reactor.ts';
import { shareSubscriptions } from '../app/share-subscriptions.ts';
import type { Codec } from '../eventing/codec.ts';
import type { Decider } from '../eventing/decider.ts';
import type { AnyCommand, AnyEvent } from '../eventing/message.ts';
import type { EventStore } from '../eventing/ports.ts';
import { eventsReadModel, type PublicFacts, prefixesOf, readerOf } from '../facts/events.ts';
import { eventsService } from '../facts/events-service.ts';
import { type Connected, connect } from '../grpc/client.ts';
import { type ConsistencyTokens, consistencyTokens } from '../grpc/consistency-token.ts';
import { readTokenSecret } from '../grpc/opaque-token.ts';
import { type PageTokens, pageTokens } from '../grpc/page-token.ts';
import { resumeTokens } from '../grpc/resume-token.ts';
import type { Foresee } from '../grpc/running-call.ts';
import { type GrpcServerOptions, startGrpcServer } from '../grpc/server.ts';
import type { ErrorCatalogue } from '../grpc/status.ts';
import { tokenVerifier } from '../grpc/tokens.ts';
import { connectEventStore } from '../kurrent/event-store.ts';
import { storeIdentity } from '../kurrent/store-identity.ts';
import { connectNats } from '../nats/connect.ts';
import { type Consumer, runConsumer } from '../nats/consumer.ts';
import { deadLetters } from '../nats/dead-letters.ts';
import { factAnnouncer } from '../nats/fact-announcements.ts';
import { checkpointOf, type Feed, runFeed, tailOf, takeInAgain } from '../nats/feed.ts';
import { runPublisher } from '../nats/publisher.ts';
import { connectPostgres, type Db } from '../postgres/connect.ts';
import { leaseOfReactor, runLeasedReactor } from '../postgres/leased-reactor.ts';
import type { LeasedSubscriptionDeps } from '../postgres/leased-subscription.ts';
import type { ReadModel } from '../postgres/read-model.ts';
import { ensureReadModel } from '../postgres/read-model.ts';
import { leaseOf, runReadModel } from '../postgres/run-read-model.ts';
import { type Look, serveMetrics } from '../telemetry/serve-metrics.ts';
import { startTracing } from '../telemetry/start-tracing.ts';
import { systemClock } from './clock.ts';
import type { ServiceConfig } from './config.ts';
import { failpointsFrom } from './failpoints.ts';
import type { Service } from './lifecycle.ts';
import { lookAtConnections, lookAtDeadLetters, lookAtRows, lookAtStore, lookAtWork } from './looks.ts';
import { operationsErrors, operationsService, type Projected, projected } from './operations.ts';
import type { Running } from './subscription-operations.ts';

export type FoundationOptions = Readonly<{
  /** Short name: schema in PostgreSQL, domain of errors, writer of consistency tokens. */
  name: 'provider' | 'consumer' | 'broker' | 'dns';
  /** The stream categories that this service owns. */
  categories: readonly string[];
}>;

type Served = GrpcServerOptions['services'][number];

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
  /** Makes facts public, by category of their streams: announces them on NATS, and keeps an index of them. */
  announce: (facts: PublicFacts) => Promise<void>;
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
/** A page of facts is of few streams at a time. */
const PAST_STREAMS = 1_024;

export const openFoundation = async (
  service: Service,
  config: ServiceConfig,
  { name, categories }: FoundationOptions,
): Promise<Foundation> => {
  const { log, signal } = service;
  startTracing(name, service, config);
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
  const cache = foldCache();
  const background = (task: string, run: () => Promise<void>): void => {
    const ended = run().catch((cause: unknown) => {
      if (!signal.aborted) service.fail(new Error(`${task} failed`, { cause }));
    });
    service.onStop(() => ended);
  };
  const deps: LeasedSubscriptionDeps = { store, clock, log, signal, db, holder: config.instance };
  const readModels: Projected[] = [];
  const looks: Look[] = [lookAtConnections({ nats, postgres }), lookAtStore({ store })];
  if (config.metricsListen) {
    const metrics = await serveMetrics({ listen: config.metricsListen, looks, log });
    service.onStop(metrics.close);
  }
  const pages = pageTokens({ secret, storeId });
  const tokens = consistencyTokens({ secret, storeId, service: name });
  const letters = deadLetters({ nats, service: name, clock });
  const handlers = new Map<string, Consumer['handle']>();
  looks.push(lookAtDeadLetters(letters, handlers));
  const running: Running[] = [];
  const identity = { service: name, instance: config.instance };
  const operations = operationsService({ db, letters, handlers, pages, log, running, process: identity }, readModels);
  /** Beside the service's own. */
  const served: Served[] = [{ definition: OperationsServiceService, implementation: operations }];

  const client: Foundation['client'] = (of, addresses) => {
    const connected = connect(of, addresses, { token: { file: config.tokenFile } });
    service.onStop(connected.close);
    return connected;
  };

  const project: Foundation['project'] = async (model) => {
    await ensureReadModel(db, model);
    readModels.push(projected(deps, model));
    looks.push(lookAtRows(deps, model));
    running.push({ name: leaseOf(model), checkpoint: model.table, tail: store.tail });
    background(model.name, () => runReadModel(deps, model));
  };

  return {
    store,
    db,
    storeId,
    clock,
    deps,
    tokens,
    pages,
    repository: (decider, codec) => createRepository({ store, clock, producer: name, cache }, decider, codec),
    client,
    background,
    project,
    react: (reactor) => {
      const checkpoint = leaseOfReactor(reactor);
      running.push({ name: checkpoint, checkpoint, reactor: reactor.name, tail: store.tail });
      looks.push(lookAtWork(deps, reactor));
      background(reactor.name, () => runLeasedReactor(deps, reactor));
    },
    consume: (consumer) => {
      const handle: Consumer['handle'] = async (message) => {
        await failpoint(`${consumer.durable}:before-handling`);
        await consumer.handle(message);
      };
      handlers.set(consumer.durable, handle);
      const consuming = { nats, service: name, clock, log, signal };
      background(consumer.durable, () => runConsumer(consuming, { ...consumer, handle }));
    },
    keep: (feed) => {
      handlers.set(feed.name, (message) => takeInAgain(deps, feed, message));
      const checkpoint = checkpointOf(feed);
      running.push({ name: checkpoint, checkpoint, tail: () => tailOf(nats, feed) });
      const owner = client(EventsServiceClient, config.addresses[feed.source]);
      background(feed.name, () => runFeed({ ...deps, nats, owner, service: name }, feed));
    },
    announce: async (facts) => {
      const prefixes = prefixesOf(facts);
      const live = readerOf(facts);
      const events = eventsReadModel(prefixes, live);
      await project(events);
      const translate = factAnnouncer(live);
      running.push({ name: `publisher.${name}` });
      background('publisher', () => runPublisher({ ...deps, nats }, { name, service: name, prefixes, translate }));
      const lists = { db, clock, tokens, pages, service: name };
      const openPast = () => readerOf(facts, PAST_STREAMS);
      const ofEvents = { store, db, clock, events, live, openPast, lists };
      served.push({
        definition: EventsServiceService,
        implementation: eventsService({ ...ofEvents, resumeTokens: resumeTokens({ secret, storeId, service: name }) }),
      });
    },
    serve: async (definition, implementation, catalogue, foresee) => {
      const server = await startGrpcServer({
        service: name,
        listen: config.grpcListen,
        services: [{ definition, implementation }, ...served],
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
