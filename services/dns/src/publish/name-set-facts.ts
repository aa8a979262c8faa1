import type { FactTranslation } from '@privatelink/shared/facts/public-fact';
import type { NameSet } from '../name-set/name-set.ts';

/** What leaves this service on NATS. Names belong to endpoints, and concern their owner alone. */
export const nameSetFacts: FactTranslation<NameSet> = {
  service: 'dns',
  entity: 'endpointNames',
  accountOf: () => '',
  audienceOf: ({ accountId }) => [accountId],
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
