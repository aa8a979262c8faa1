import type { FactTranslation } from '@privatelink/shared/facts/public-fact';
import type { ScopeFacts } from '../scope-facts/scope-facts.ts';

/** What leaves this service on NATS of the bills: of an account on that account's subjects. */
export const paymentFacts: FactTranslation<ScopeFacts> = {
  service: 'broker',
  entity: 'payments',
  only: ['PaymentOverdueReported', 'PaymentSettledReported'],
  accountOf: (_facts, scope) => (/^\d{16}$/.test(scope) ? scope : ''),
  actorFor: () => 'service:billing',
  resourceOf: ({ payments }, _revision, scope) => ({
    $case: 'payments',
    value: {
      scope,
      payments: Object.entries(payments).map(([source, { sequence, overdue, message }]) => {
        return { source, sequence: BigInt(sequence), overdue, message };
      }),
    },
  }),
};
