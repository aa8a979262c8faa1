import { forEachLimit } from '@privatelink/shared/app/for-each-limit';
import { processContext } from '@privatelink/shared/app/process-context';
import type { Reactor } from '@privatelink/shared/app/run-reactor';
import { idOfStream } from '@privatelink/shared/eventing/decider';
import type { Clock } from '@privatelink/shared/eventing/ports';
import { Rejected } from '@privatelink/shared/eventing/rejected';
import type { ServiceRepository } from './endpoint-service-lifecycle.ts';
import type { AccountsRepository } from './service-claim-cleanup.ts';

type Deps = Readonly<{ accounts: AccountsRepository; services: ServiceRepository; clock: Clock }>;

const CONCURRENCY = 8;

/**
 * The bills of an account are told to all services on its ledger, which are locked by them where the account pays. One
 * that is not there yet reads the ledger when it becomes active.
 */
export const accountPayments = ({ accounts, services, clock }: Deps): Reactor => ({
  name: 'accountPayments',
  prefixes: ['accountServices-'],
  key: ({ type, stream }) => (/^Account(Overdue|Settled)Recorded\./.test(type) ? idOfStream(stream) : null),
  work: async (scope) => {
    const ledger = await accounts.fold(scope);
    const data = { scope, payments: Object.values(ledger.state.payments) };
    await forEachLimit(Object.keys(ledger.state.services), CONCURRENCY, async (serviceId) => {
      const context = processContext(`payments/${serviceId}`, ledger, clock.now(), { service: 'provider' });
      await unlessAbsent(services.execute(serviceId, { type: 'RecordPayments', data }, context));
    });
    return 'settled';
  },
});

/** What is not there has no bills. */
export const unlessAbsent = async (done: Promise<unknown>): Promise<void> => {
  try {
    await done;
  } catch (error) {
    if (!(error instanceof Rejected && error.reason === 'ENDPOINT_SERVICE_NOT_FOUND')) throw error;
  }
};
