import { processContext } from '@privatelink/shared/app/process-context';
import type { Reactor } from '@privatelink/shared/app/run-reactor';
import { idOfStream } from '@privatelink/shared/eventing/decider';
import type { Clock } from '@privatelink/shared/eventing/ports';
import { Rejected } from '@privatelink/shared/eventing/rejected';
import { type CustomDomainFailure, customDomainOf } from '../endpoint-service/endpoint-service.ts';
import type { ServiceRepository } from './endpoint-service-lifecycle.ts';

/**
 * A custom domain that was proven is looked at again from time to time. Where its proof is gone nobody gets it anew;
 * whoever has it keeps it. While DNS does not say whether it is there, nothing is concluded and it is asked again.
 */
type Deps = Readonly<{
  services: ServiceRepository;
  /** What stands against a name's being the provider's own; throws when that is not known. */
  findProof: (domainName: string, token: string) => Promise<CustomDomainFailure | null>;
  clock: Clock;
  everyMs: number;
}>;

export const customDomainRechecks = ({ services, findProof, clock, everyMs }: Deps): Reactor => ({
  name: 'customDomainRechecks',
  prefixes: ['endpointService-'],
  key: (event) =>
    event.type.startsWith('CustomDomainVerified.')
      ? `${idOfStream(event.stream)}/${(event.data as { domainName: string }).domainName}`
      : null,
  work: async (key, revision) => {
    const [serviceId = '', domainName = ''] = key.split('/');
    const service = await services.fold(serviceId, revision);
    const domain = customDomainOf(service.state, domainName);
    if (domain?.status !== 'VERIFIED' || service.state.status === 'GONE') return 'settled';
    const tooEarlyMs = Date.parse(domain.statusAt) + everyMs - clock.now().getTime();
    if (tooEarlyMs > 0) return { againMs: tooEarlyMs };
    const failure = await findProof(domainName, domain.token);
    const data = { domainName, failure, asOf: service.state.version };
    const context = processContext(`recheck/${key}`, service, clock.now(), { service: 'provider' });
    try {
      await services.execute(serviceId, { type: 'RecordCustomDomainCheck', data }, context);
    } catch (error) {
      // Locked, or being deleted: nobody gets the name meanwhile.
      if (!(error instanceof Rejected)) throw error;
    }
    return { againMs: everyMs };
  },
});
