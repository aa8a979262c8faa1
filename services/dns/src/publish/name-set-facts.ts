import type { FactTranslation } from '@privatelink/shared/nats/fact-translation';
import type { NameSet } from '../name-set/name-set.ts';

/** What leaves this service on NATS. Names belong to endpoints; whose endpoint it is, this service does not know. */
export const nameSetFacts: FactTranslation<NameSet> = {
  service: 'dns',
  entity: 'endpointNames',
  accountOf: () => '',
  resourceOf: ({ endpointId, generation, state, names }) => ({
    $case: 'endpointNames',
    value: {
      endpointId,
      generation: BigInt(generation),
      state: state ?? '',
      domainNames: names.map(({ domainName }) => domainName),
    },
  }),
};
