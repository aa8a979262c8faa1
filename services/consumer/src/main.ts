import { BrokerServiceClient } from '@privatelink/proto/broker/v1/broker_service';
import { ConsumerServiceService } from '@privatelink/proto/consumer/v1/consumer_service';
import { ProviderServiceClient } from '@privatelink/proto/provider/v1/provider_service';
import { allRegions } from '@privatelink/shared/app/regions';
import { factReader } from '@privatelink/shared/facts/fact-reader';
import { momentReader } from '@privatelink/shared/grpc/as-of';
import { ensureForeignTable } from '@privatelink/shared/postgres/foreign-table';
import { withGiven } from '@privatelink/shared/runtime/config';
import { defineService, runMain } from '@privatelink/shared/runtime/service-main';
import { consumerService } from './api/consumer-service.ts';
import { errors } from './api/errors.ts';
import { brokerPort } from './dispatch/broker.ts';
import { providerPort } from './dispatch/provider.ts';
import { endpointCodec } from './endpoint/endpoint.codec.ts';
import { endpoint, endpointBy } from './endpoint/endpoint.decide.ts';
import { gatewayEndpointCodec } from './gateway-endpoint/gateway-endpoint.codec.ts';
import { gatewayEndpoint } from './gateway-endpoint/gateway-endpoint.ts';
import { brokerConnectionsFeed } from './ingest/broker-connections.ts';
import { endpointLifecycle } from './processes/endpoint-lifecycle.ts';
import { gatewayEndpointLifecycle } from './processes/gateway-endpoint-lifecycle.ts';
import { reservationCleanup } from './processes/reservation-cleanup.ts';
import { endpointFacts } from './publish/endpoint-facts.ts';
import { gatewayEndpointFacts } from './publish/gateway-endpoint-facts.ts';
import { brokerConnections } from './read-models/broker-connections.ts';
import { endpoints as endpointTable } from './read-models/endpoints.ts';
import { gatewayEndpoints as gatewayTable } from './read-models/gateway-endpoints.ts';
import { vpcs as vpcTable } from './read-models/vpcs.ts';
import { consumerQuotas } from './vpc/quotas.ts';
import { vpcCodec } from './vpc/vpc.codec.ts';
import { vpcBy } from './vpc/vpc.decide.ts';

export const consumer = defineService(
  { name: 'consumer', categories: ['vpc', 'endpoint', 'gatewayEndpoint'] },
  async (config, foundation) => {
    const { clock, db, pages, store, tokens } = foundation;
    const quotas = withGiven(consumerQuotas, config.quotas);
    const repositories = {
      vpcs: foundation.repository(vpcBy(quotas), vpcCodec),
      endpoints: foundation.repository(endpointBy(quotas), endpointCodec),
      gateways: foundation.repository(gatewayEndpoint, gatewayEndpointCodec),
    };
    const { dnsSuffix } = config;
    const broker = brokerPort(foundation.client(BrokerServiceClient, config.addresses.broker));
    const provider = providerPort(foundation.client(ProviderServiceClient, config.addresses.provider));

    await ensureForeignTable(db, brokerConnections);
    await foundation.project(endpointTable);
    await foundation.project(vpcTable);
    await foundation.project(gatewayTable);
    await foundation.announce({
      endpoint: factReader(store, { decider: endpoint, codec: endpointCodec }, endpointFacts(dnsSuffix)),
      gatewayEndpoint: factReader(
        store,
        { decider: gatewayEndpoint, codec: gatewayEndpointCodec },
        gatewayEndpointFacts,
      ),
    });
    foundation.keep(brokerConnectionsFeed({ db, endpoints: repositories.endpoints, clock }));
    const lifecycle = endpointLifecycle({ ...repositories, broker, provider, clock });
    foundation.react(lifecycle.reactor);
    const gatewayLifecycle = gatewayEndpointLifecycle({ ...repositories, clock });
    foundation.react(gatewayLifecycle.reactor);
    const abandonAfterMs = config.settleAfterMs;
    foundation.react(reservationCleanup({ ...repositories, provider, clock, abandonAfterMs }));
    const lists = { db, clock, tokens, pages, service: 'consumer' };
    await foundation.serve(
      ConsumerServiceService,
      consumerService({
        ...{ ...repositories, provider, broker, lists, tokens, regions: allRegions(config), dnsSuffix, clock },
        readMoment: momentReader({ store, clock }),
      }),
      errors,
      async (rehearsal) => {
        await lifecycle.foresee(rehearsal);
        await gatewayLifecycle.foresee(rehearsal);
      },
    );
  },
);

if (import.meta.main) await runMain(consumer);
