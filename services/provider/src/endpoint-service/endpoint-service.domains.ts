import { assertNever } from '@privatelink/shared/eventing/never';
import { quota, reject, requireChangeable } from './endpoint-service.rejections.ts';
import {
  customDomainOf,
  type EndpointService,
  type EndpointServiceCommand,
  type EndpointServiceEvent,
} from './endpoint-service.ts';

export type DomainCommand = Extract<
  EndpointServiceCommand,
  Readonly<{ type: 'DeclareCustomDomain' | 'RecordCustomDomainCheck' | 'RemoveCustomDomain' }>
>;

const MAX_DOMAINS = 20;

/** Names of the provider's own, which endpoints may have. What becomes of a name does not concern those that have it. */
export const decideDomains = (
  command: DomainCommand,
  service: EndpointService,
  at: string,
): readonly EndpointServiceEvent[] => {
  requireChangeable(service);
  const { domainName } = command.data;
  const domain = customDomainOf(service, domainName);
  switch (command.type) {
    case 'DeclareCustomDomain': {
      if (domain) return [];
      const { serviceType } = service;
      if (serviceType !== 'INTERFACE') {
        throw reject('SERVICE_TYPE_MISMATCH', { required: 'INTERFACE', service_type: serviceType });
      }
      const current = Object.keys(service.customDomains).length;
      if (current >= MAX_DOMAINS) throw quota('custom domains per service', MAX_DOMAINS, current, 'domain_name');
      return [{ type: 'CustomDomainDeclared', data: { ...command.data, at } }];
    }

    case 'RecordCustomDomainCheck': {
      if (!domain) throw reject('CUSTOM_DOMAIN_NOT_FOUND', { domain_name: domainName, field: 'domain_name' });
      const { failure, asOf } = command.data;
      // Another check was recorded while this one looked, or the name declared anew: that is the newer word.
      if (domain.version > asOf) return [];
      if (failure === null) {
        return domain.status === 'VERIFIED' ? [] : [{ type: 'CustomDomainVerified', data: { domainName, at } }];
      }
      if (domain.status === 'FAILED' && domain.failure === failure) return [];
      return [{ type: 'CustomDomainVerificationFailed', data: { domainName, failure, at } }];
    }

    case 'RemoveCustomDomain':
      return domain ? [{ type: 'CustomDomainRemoved', data: { domainName, at } }] : [];

    default:
      return assertNever(command);
  }
};
