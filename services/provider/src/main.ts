import { BrokerServiceClient } from '@privatelink/proto/broker/v1/broker_service';
import { ConsumerServiceClient } from '@privatelink/proto/consumer/v1/consumer_service';
import { ProviderServiceService } from '@privatelink/proto/provider/v1/provider_service';
import { factReader } from '@privatelink/shared/facts/fact-reader';
import { momentReader } from '@privatelink/shared/grpc/as-of';
import { withGiven } from '@privatelink/shared/runtime/config';
import { defineService, runMain } from '@privatelink/shared/runtime/service-main';
import { accountServicesCodec } from './account-services/account-services.codec.ts';
import { accountServicesBy } from './account-services/account-services.ts';
import { domainProof } from './api/domain-proof.ts';
import { errors } from './api/errors.ts';
import { providerService } from './api/provider-service.ts';
import { brokerPort } from './dispatch/broker.ts';
import { consumerPort } from './dispatch/consumer.ts';
import { txtRecords } from './dispatch/txt-records.ts';
import { endpointServiceCodec } from './endpoint-service/endpoint-service.codec.ts';
import { endpointService, endpointServiceBy } from './endpoint-service/endpoint-service.decide.ts';
import { providerQuotas } from './endpoint-service/quotas.ts';
import { paymentsFeed } from './ingest/payments.ts';
import { accountPayments } from './processes/account-payments.ts';
import { admissionCleanup } from './processes/admission-cleanup.ts';
import { customDomainRechecks } from './processes/custom-domain-rechecks.ts';
import { endpointServiceLifecycle } from './processes/endpoint-service-lifecycle.ts';
import { serviceClaimCleanup } from './processes/service-claim-cleanup.ts';
import { endpointServiceFacts } from './publish/endpoint-service-facts.ts';
import { endpointServices } from './read-models/endpoint-services.ts';
import { serviceAdmissionsCodec } from './service-admissions/service-admissions.codec.ts';
import { serviceAdmissionsBy } from './service-admissions/service-admissions.ts';

/** `openTxtRecords`: what looks up the proof of a custom domain. */
export const provider = (openTxtRecords: typeof txtRecords) =>
  defineService(
    { name: 'provider', categories: ['endpointService', 'serviceAdmissions', 'accountServices'] },
    async (config, foundation) => {
      const { clock, db, pages, store, tokens } = foundation;
      const quotas = withGiven(providerQuotas, config.quotas);
      const services = foundation.repository(endpointServiceBy(quotas), endpointServiceCodec);
      const admissions = foundation.repository(serviceAdmissionsBy(quotas), serviceAdmissionsCodec);
      const accounts = foundation.repository(accountServicesBy(quotas), accountServicesCodec);
      const broker = brokerPort(foundation.client(BrokerServiceClient, config.addresses.broker));
      const consumer = consumerPort(foundation.client(ConsumerServiceClient, config.addresses.consumer));
      const findProof = domainProof(openTxtRecords(config.txtResolvers));
      const lifecycle = endpointServiceLifecycle({
        ...{ services, accounts, broker, clock },
        otherRegions: config.otherRegions,
      });

      await foundation.project(endpointServices);
      await foundation.announce({
        endpointService: factReader(
          store,
          { decider: endpointService, codec: endpointServiceCodec },
          endpointServiceFacts,
        ),
      });
      foundation.keep(paymentsFeed({ accounts, services, clock }));
      foundation.react(lifecycle.reactor);
      foundation.react(accountPayments({ accounts, services, clock }));
      foundation.react(admissionCleanup({ admissions, consumer, clock, settleAfterMs: config.settleAfterMs }));
      foundation.react(serviceClaimCleanup({ accounts, services, clock, abandonAfterMs: config.settleAfterMs }));
      foundation.react(customDomainRechecks({ services, findProof, clock, everyMs: config.recheckDomainsMs }));
      const { region, zones, otherRegions, serviceNamePrefix, dnsSuffix } = config;
      const lists = { db, clock, tokens, pages, service: 'provider' };
      await foundation.serve(
        ProviderServiceService,
        providerService({
          services,
          accounts,
          admissions,
          lifecycle,
          lists,
          tokens,
          pages,
          region,
          zones,
          otherRegions,
          serviceNamePrefix,
          dnsSuffix,
          findProof,
          quotas,
          readMoment: momentReader({ store, clock }),
        }),
        errors,
        lifecycle.foresee,
      );
    },
  );

if (import.meta.main) await runMain(provider(txtRecords));
