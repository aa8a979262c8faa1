import { BrokerServiceService } from '@privatelink/proto/broker/v1/broker_service';
import { ConsumerServiceClient } from '@privatelink/proto/consumer/v1/consumer_service';
import { DnsServiceClient } from '@privatelink/proto/dns/v1/dns_service';
import { ProviderServiceClient } from '@privatelink/proto/provider/v1/provider_service';
import { factReader } from '@privatelink/shared/facts/fact-reader';
import { momentReader } from '@privatelink/shared/grpc/as-of';
import { defineService, runMain } from '@privatelink/shared/runtime/service-main';
import { allocationCodec } from './allocation/allocation.codec.ts';
import { allocation } from './allocation/allocation.ts';
import { brokerService } from './api/broker-service.ts';
import { errors } from './api/errors.ts';
import { connectionCodec } from './connection/connection.codec.ts';
import { connection } from './connection/connection.decide.ts';
import { consumerPort } from './dispatch/consumer.ts';
import { dnsPort } from './dispatch/dns.ts';
import { providerPort } from './dispatch/provider.ts';
import { fanOutCodec } from './fan-out/fan-out.codec.ts';
import { fanOut } from './fan-out/fan-out.ts';
import { billingReports } from './ingest/billing-reports.ts';
import { connecting } from './processes/connecting.ts';
import { foreseeing } from './processes/foreseeing.ts';
import { forgetting } from './processes/forgetting.ts';
import { moving } from './processes/moving.ts';
import { telling } from './processes/telling.ts';
import { connectionFacts } from './publish/connection-facts.ts';
import { paymentFacts } from './publish/payment-facts.ts';
import { connectionHistory } from './read-models/connection-history.ts';
import { connectionsQuery, connections as connectionTable } from './read-models/connections.ts';
import { scopeFactsCodec } from './scope-facts/scope-facts.codec.ts';
import { scopeFacts } from './scope-facts/scope-facts.ts';
import { ensureTraffic, trafficIn } from './traffic/traffic.ts';

const STUCK_AFTER_MS = 60_000;

export const broker = defineService(
  { name: 'broker', categories: ['connection', 'facts', 'fanOut', 'allocation'] },
  async (config, foundation, service) => {
    const { clock, db, pages, store, tokens } = foundation;
    const repositories = {
      connections: foundation.repository(connection, connectionCodec),
      scopes: foundation.repository(scopeFacts, scopeFactsCodec),
      fanOuts: foundation.repository(fanOut, fanOutCodec),
      allocations: foundation.repository(allocation, allocationCodec),
    };
    const { dnsSuffix } = config;
    const forwarding = config.forwarding === 'none' ? ('none' as const) : ('agents' as const);
    const readMoment = momentReader({ store, clock });
    const view = { dnsSuffix, forwarder: forwarding, stuckAfterMs: STUCK_AFTER_MS, now: clock.now };
    const connectionRows = connectionsQuery(db, clock);
    const consumer = consumerPort(foundation.client(ConsumerServiceClient, config.addresses.consumer));
    const provider = providerPort(foundation.client(ProviderServiceClient, config.addresses.provider));
    const dns = dnsPort(foundation.client(DnsServiceClient, config.addresses.dns), dnsSuffix);
    const traffic = trafficIn(db);

    await ensureTraffic(db);
    await foundation.project(connectionTable);
    await foundation.project(connectionHistory);
    await foundation.announce({
      connection: factReader(store, { decider: connection, codec: connectionCodec }, connectionFacts(view)),
      facts: factReader(store, { decider: scopeFacts, codec: scopeFactsCodec }, paymentFacts),
    });
    foundation.consume(billingReports(repositories.scopes, clock));
    foundation.react(connecting({ ...repositories, dns, consumer, provider, forwarding, clock }));
    foundation.react(moving({ ...repositories, provider, clock, abandonAfterMs: config.settleAfterMs }));
    const tell = telling({ ...repositories, connectionRows, provider, clock });
    foundation.react(tell.reactor);
    foundation.react(forgetting(traffic));
    const lists = { db, clock, tokens, pages, service: 'broker' };
    await foundation.serve(
      BrokerServiceService,
      brokerService({
        ...repositories,
        connectionRows,
        lists,
        tokens,
        pages,
        follow: { store, db, clock, log: service.log },
        traffic,
        view,
        readMoment,
        consumer,
        provider,
      }),
      errors,
      foreseeing(repositories, tell, dnsSuffix),
    );
  },
);

if (import.meta.main) await runMain(broker);
