import { randomBytes } from 'node:crypto';
import type { ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';
import { BrokerServiceClient, BrokerServiceService } from '@privatelink/proto/broker/v1/broker_service';
import { ConsumerServiceClient, ConsumerServiceService } from '@privatelink/proto/consumer/v1/consumer_service';
import { DnsServiceClient, DnsServiceService } from '@privatelink/proto/dns/v1/dns_service';
import { ProviderServiceClient, ProviderServiceService } from '@privatelink/proto/provider/v1/provider_service';
import { allRegions, type Region } from '@privatelink/shared/app/regions';
import { createRepository } from '@privatelink/shared/app/repository';
import type { Codec } from '@privatelink/shared/eventing/codec';
import type { Decider } from '@privatelink/shared/eventing/decider';
import type { AnyCommand, AnyEvent } from '@privatelink/shared/eventing/message';
import type { Role } from '@privatelink/shared/grpc/access';
import { momentReader } from '@privatelink/shared/grpc/as-of';
import { connect } from '@privatelink/shared/grpc/client';
import { consistencyTokens } from '@privatelink/shared/grpc/consistency-token';
import { pageTokens } from '@privatelink/shared/grpc/page-token';
import { startGrpcServer } from '@privatelink/shared/grpc/server';
import type { ErrorCatalogue } from '@privatelink/shared/grpc/status';
import { createIssuer, recordedLog } from '@privatelink/shared/grpc/test-support';
import { storeIdentity } from '@privatelink/shared/kurrent/store-identity';
import { connectPostgres, type Db } from '@privatelink/shared/postgres/connect';
import { ensureForeignTable } from '@privatelink/shared/postgres/foreign-table';
import type { ReadModel } from '@privatelink/shared/postgres/read-model';
import { waitForPosition } from '@privatelink/shared/postgres/read-position';
import { runReadModel } from '@privatelink/shared/postgres/run-read-model';
import { systemClock as clock } from '@privatelink/shared/runtime/clock';
import { createMemoryStore } from '@privatelink/shared/testing/memory-store';
import { startPostgres } from '@privatelink/shared/testing/servers';
import { allocationCodec } from '../../../services/connection-broker/src/allocation/allocation.codec.ts';
import { allocation } from '../../../services/connection-broker/src/allocation/allocation.ts';
import { brokerService } from '../../../services/connection-broker/src/api/broker-service.ts';
import { errors as brokerErrors } from '../../../services/connection-broker/src/api/errors.ts';
import { connectionCodec } from '../../../services/connection-broker/src/connection/connection.codec.ts';
import { connection } from '../../../services/connection-broker/src/connection/connection.decide.ts';
import { consumerPort as brokersConsumer } from '../../../services/connection-broker/src/dispatch/consumer.ts';
import { providerPort as brokersProvider } from '../../../services/connection-broker/src/dispatch/provider.ts';
import { fanOutCodec } from '../../../services/connection-broker/src/fan-out/fan-out.codec.ts';
import { fanOut } from '../../../services/connection-broker/src/fan-out/fan-out.ts';
import { connectionHistory } from '../../../services/connection-broker/src/read-models/connection-history.ts';
import { connections, connectionsQuery } from '../../../services/connection-broker/src/read-models/connections.ts';
import { scopeFactsCodec } from '../../../services/connection-broker/src/scope-facts/scope-facts.codec.ts';
import { scopeFacts } from '../../../services/connection-broker/src/scope-facts/scope-facts.ts';
import { ensureTraffic, trafficIn } from '../../../services/connection-broker/src/traffic/traffic.ts';
import { consumerService } from '../../../services/consumer/src/api/consumer-service.ts';
import { errors as consumerErrors } from '../../../services/consumer/src/api/errors.ts';
import { brokerPort as consumersBroker } from '../../../services/consumer/src/dispatch/broker.ts';
import { providerPort as consumersProvider } from '../../../services/consumer/src/dispatch/provider.ts';
import { endpointCodec } from '../../../services/consumer/src/endpoint/endpoint.codec.ts';
import { endpoint } from '../../../services/consumer/src/endpoint/endpoint.decide.ts';
import { gatewayEndpointCodec } from '../../../services/consumer/src/gateway-endpoint/gateway-endpoint.codec.ts';
import { gatewayEndpoint } from '../../../services/consumer/src/gateway-endpoint/gateway-endpoint.ts';
import { brokerConnections } from '../../../services/consumer/src/read-models/broker-connections.ts';
import { endpoints as endpointTable } from '../../../services/consumer/src/read-models/endpoints.ts';
import { vpcs as vpcTable } from '../../../services/consumer/src/read-models/vpcs.ts';
import { vpcCodec } from '../../../services/consumer/src/vpc/vpc.codec.ts';
import { vpc } from '../../../services/consumer/src/vpc/vpc.decide.ts';
import { dnsService } from '../../../services/dns/src/api/dns-service.ts';
import { errors as dnsErrors } from '../../../services/dns/src/api/errors.ts';
import { nameSetCodec } from '../../../services/dns/src/name-set/name-set.codec.ts';
import { nameSet } from '../../../services/dns/src/name-set/name-set.ts';
import { createAnswer } from '../../../services/dns/src/server/answer.ts';
import { createAsk } from '../../../services/dns/src/server/ask.ts';
import { createZoneFeed } from '../../../services/dns/src/zone/zone-feed.ts';
import { createZoneViews } from '../../../services/dns/src/zone/zone-views.ts';
import { accountServicesCodec } from '../../../services/provider/src/account-services/account-services.codec.ts';
import { accountServices } from '../../../services/provider/src/account-services/account-services.ts';
import { domainProof } from '../../../services/provider/src/api/domain-proof.ts';
import { errors as providerErrors } from '../../../services/provider/src/api/errors.ts';
import { providerService } from '../../../services/provider/src/api/provider-service.ts';
import { brokerPort as providersBroker } from '../../../services/provider/src/dispatch/broker.ts';
import { txtRecords } from '../../../services/provider/src/dispatch/txt-records.ts';
import { endpointServiceCodec } from '../../../services/provider/src/endpoint-service/endpoint-service.codec.ts';
import { endpointService } from '../../../services/provider/src/endpoint-service/endpoint-service.decide.ts';
import { providerQuotas } from '../../../services/provider/src/endpoint-service/quotas.ts';
import { endpointServiceLifecycle } from '../../../services/provider/src/processes/endpoint-service-lifecycle.ts';
import { endpointServices } from '../../../services/provider/src/read-models/endpoint-services.ts';
import { serviceAdmissionsCodec } from '../../../services/provider/src/service-admissions/service-admissions.codec.ts';
import { serviceAdmissions } from '../../../services/provider/src/service-admissions/service-admissions.ts';

import { startTxtServer } from '../../support/txt-server.ts';

export const dnsSuffix = 'privatelink.internal';
const region = 'cn-hangzhou';
const zones = ['cn-hangzhou-h', 'cn-hangzhou-i'];
const otherRegions: readonly Region[] = [
  { regionId: 'cn-shanghai', zoneIds: ['cn-shanghai-a', 'cn-shanghai-b', 'cn-shanghai-c'] },
  { regionId: 'cn-beijing', zoneIds: ['cn-beijing-a'] },
];
const regions = allRegions({ region, zones, otherRegions });

/** The four services' real handlers behind real gRPC, each on a store of its own in memory; nothing reacts. */
export type Services = Awaited<ReturnType<typeof startServices>>;

export const startServices = async () => {
  const undo: (() => Promise<unknown> | unknown)[] = [];
  const close = async (): Promise<void> => {
    for (let step = undo.pop(); step; step = undo.pop()) await step();
  };
  const stop = new AbortController();
  const { log } = recordedLog();
  const issuer = await createIssuer();
  undo.push(issuer.remove);
  const postgres = await startPostgres();
  undo.push(postgres.stop);
  const secret = randomBytes(32);
  const pages = pageTokens({ secret, storeId: 'contract' });
  const token = { service: await issuer.token(['service'], '', 'service:contract') };

  const openPart = async (service: string) => {
    const store = createMemoryStore();
    // As every service does when it starts: nothing else is recorded of its own accord.
    await storeIdentity(store);
    const { db, close: closeDb } = await connectPostgres({ url: postgres.url, schema: service, poolMax: 3, log });
    undo.push(closeDb);
    const tokens = consistencyTokens({ secret, storeId: 'contract', service });
    const repository = <C extends AnyCommand, E extends AnyEvent, S>(decider: Decider<C, E, S>, codec: Codec<E>) =>
      createRepository({ store, clock, producer: service }, decider, codec);
    return { store, db, tokens, repository, lists: { db, clock, tokens, pages, service } };
  };
  const serve = async (
    service: string,
    definition: ServiceDefinition,
    implementation: UntypedServiceImplementation,
    catalogue: ErrorCatalogue,
  ): Promise<readonly string[]> => {
    const server = await startGrpcServer({
      ...{ service, listen: { host: '127.0.0.1', port: 0 }, services: [{ definition, implementation }] },
      ...{ catalogue, verifier: issuer.verifier, log },
    });
    undo.push(() => server.stop(1_000));
    return [`127.0.0.1:${server.port}`];
  };
  const background = (running: Promise<void>): void => {
    undo.push(async () => {
      stop.abort();
      await running;
    });
  };
  const project = <E extends AnyEvent, R, C extends string>(
    { store, db }: Awaited<ReturnType<typeof openPart>>,
    model: ReadModel<E, R, C>,
  ): void => background(runReadModel({ store, clock, log, signal: stop.signal, db, holder: 'contract' }, model));
  const closing = <T extends { close: () => void }>(client: T): T => {
    undo.push(client.close);
    return client;
  };
  const asService = { token: () => token.service };

  const dnsPart = await openPart('dns');
  const views = createZoneViews(dnsSuffix);
  const feed = createZoneFeed(views);
  background(feed.run({ store: dnsPart.store, clock, log, signal: stop.signal }));
  const askIn = (vpcId: string | null, zoneId = '') =>
    createAsk(
      createAnswer({ table: vpcId === null ? views.everybody : views.inside(vpcId, zoneId), nextRotation: () => 0 }),
    );
  const nameSets = dnsPart.repository(nameSet, nameSetCodec);
  const dnsHandlers = dnsService({
    nameSets,
    feed,
    ask: (view) => askIn(view?.vpcId ?? null, view?.zoneId),
    resolversOf: async () => [],
    suffix: dnsSuffix,
  });
  const dnsAddresses = await serve('dns', DnsServiceService, dnsHandlers, dnsErrors);

  const brokerPart = await openPart('broker');
  const brokerRepositories = {
    connections: brokerPart.repository(connection, connectionCodec),
    scopes: brokerPart.repository(scopeFacts, scopeFactsCodec),
    fanOuts: brokerPart.repository(fanOut, fanOutCodec),
    allocations: brokerPart.repository(allocation, allocationCodec),
  };
  const { db, store, tokens, lists } = brokerPart;
  await ensureTraffic(db);
  project(brokerPart, connections);
  project(brokerPart, connectionHistory);
  const view = { dnsSuffix, forwarder: 'none' as const, stuckAfterMs: 60_000, now: clock.now };
  const connectionRows = connectionsQuery(db, clock);
  const brokerHandlers = brokerService({
    ...{ ...brokerRepositories, connectionRows, lists, tokens, pages, view },
    follow: { store, db, clock, log },
    traffic: trafficIn(db),
    readMoment: momentReader({ store, clock }),
    // Those two are opened later, and need the broker themselves.
    consumer: { getEndpoint: (...asked) => brokersPorts.consumer.getEndpoint(...asked) },
    provider: {
      explainAdmission: (...asked) => brokersPorts.provider.explainAdmission(...asked),
      resourcesOf: (...asked) => brokersPorts.provider.resourcesOf(...asked),
    },
  });
  const brokerAddresses = await serve('broker', BrokerServiceService, brokerHandlers, brokerErrors);
  const broker = closing(connect(BrokerServiceClient, brokerAddresses, asService));

  const txt = await startTxtServer();
  undo.push(txt.close);
  const providerPart = await openPart('provider');
  project(providerPart, endpointServices);
  const services = providerPart.repository(endpointService, endpointServiceCodec);
  const admissions = providerPart.repository(serviceAdmissions, serviceAdmissionsCodec);
  const accounts = providerPart.repository(accountServices, accountServicesCodec);
  const lifecycle = endpointServiceLifecycle({
    services,
    accounts,
    broker: providersBroker(broker),
    otherRegions,
    clock,
  });
  const quotas = { ...providerQuotas };
  const providerHandlers = providerService({
    ...{
      services,
      accounts,
      admissions,
      lifecycle,
      lists: providerPart.lists,
      tokens: providerPart.tokens,
      pages,
      zones,
      otherRegions,
    },
    quotas,
    readMoment: momentReader({ store: providerPart.store, clock }),
    ...{
      region,
      serviceNamePrefix: 'com.privatelink',
      dnsSuffix,
      findProof: domainProof(txtRecords([txt.address])),
    },
  });
  const providerAddresses = await serve('provider', ProviderServiceService, providerHandlers, providerErrors);
  const provider = closing(connect(ProviderServiceClient, providerAddresses, asService));

  const consumerPart = await openPart('consumer');
  const vpcs = consumerPart.repository(vpc, vpcCodec);
  const endpoints = consumerPart.repository(endpoint, endpointCodec);
  const gateways = consumerPart.repository(gatewayEndpoint, gatewayEndpointCodec);
  await ensureForeignTable(consumerPart.db, brokerConnections);
  project(consumerPart, endpointTable);
  project(consumerPart, vpcTable);
  const consumerHandlers = consumerService({
    ...{ vpcs, endpoints, gateways, lists: consumerPart.lists, tokens: consumerPart.tokens, regions, dnsSuffix, clock },
    ...{ provider: consumersProvider(provider), broker: consumersBroker(broker) },
    readMoment: momentReader({ store: consumerPart.store, clock }),
  });
  const consumerAddresses = await serve('consumer', ConsumerServiceService, consumerHandlers, consumerErrors);
  const consumer = closing(connect(ConsumerServiceClient, consumerAddresses, asService));
  const brokersPorts = { consumer: brokersConsumer(consumer), provider: brokersProvider(provider) };

  const clientsAs = async (subject: string, accountId: string, ...roles: readonly Role[]) => {
    const own = await issuer.token(roles, accountId, subject);
    return {
      provider: closing(connect(ProviderServiceClient, providerAddresses, { token: () => own })),
      consumer: closing(connect(ConsumerServiceClient, consumerAddresses, { token: () => own })),
      broker: closing(connect(BrokerServiceClient, brokerAddresses, { token: () => own })),
      dns: closing(connect(DnsServiceClient, dnsAddresses, { token: () => own })),
    };
  };

  return {
    close,
    /** Where each service is asked, and by whose tokens. */
    addresses: {
      ...{ provider: providerAddresses, consumer: consumerAddresses },
      ...{ broker: brokerAddresses, dns: dnsAddresses },
    },
    issuer,
    /** The DNS in which a provider proves its custom domains. */
    txt,
    /** Clients of each service, as another service has them. */
    clients: {
      ...{ provider, broker, consumer },
      dns: closing(connect(DnsServiceClient, dnsAddresses, asService)),
    },
    clientsAs,
    /** Clients of an account. */
    clientsOf: (accountId: string, ...roles: readonly Role[]) => clientsAs('somebody', accountId, ...roles),
    /** `quotas`: as this process has them, which may be another than was started before. */
    provider: { store: providerPart.store, db: providerPart.db, services, accounts, admissions, lifecycle, quotas },
    consumer: {
      ...{ store: consumerPart.store, db: consumerPart.db, vpcs, endpoints, gateways },
      listsReach: async () => reaches(consumerPart.db, endpointTable, await consumerPart.store.tail()),
    },
    broker: {
      ...{ store, connectionRows, ...brokerRepositories },
      historyReaches: (position: bigint) => reaches(db, connectionHistory, position),
      listsReach: (position: bigint) => reaches(db, connections, position),
    },
    dns: { store: dnsPart.store, nameSets, ask: askIn(null), askIn },
  };
};

const reaches = (db: Db, readModel: Parameters<typeof waitForPosition>[0]['readModel'], position: bigint) =>
  waitForPosition({ db, readModel, position, deadline: clock.now().getTime() + 10_000, clock });
