import type { CommandContext } from '@privatelink/shared/eventing/command-context';
import type { Clock } from '@privatelink/shared/eventing/ports';
import { isAccountId, isId } from '@privatelink/shared/grpc/validate';
import { type Consumer, InvalidMessage } from '@privatelink/shared/nats/consumer';
import { readFact } from '@privatelink/shared/nats/fact-announcements';
import { unlessAbsent } from '../processes/account-payments.ts';
import type { ServiceRepository } from '../processes/endpoint-service-lifecycle.ts';
import type { AccountsRepository } from '../processes/service-claim-cleanup.ts';

type Deps = Readonly<{ accounts: AccountsRepository; services: ServiceRepository; clock: Clock }>;

const PATIENCE_MS = 30_000;

/** Follows what the broker has recorded of bills: of services, and of accounts, which may pay for services. */
export const paymentsIngest = ({ accounts, services, clock }: Deps): Consumer => ({
  durable: 'provider__payments',
  stream: 'EVT_BROKER',
  filterSubject: 'evt.broker.v1.payments.>',
  // In order, so that a report that comes again is known to be an old one.
  maxInFlight: 1,
  handle: async ({ subject, body }) => {
    const fact = readFact(subject, body);
    if (fact.resource?.$case !== 'payments') throw new InvalidMessage(`${subject} carries no payments`);
    const { scope } = fact.resource.value;
    const payments = fact.resource.value.payments.map(({ sequence, ...payment }) => {
      return { ...payment, sequence: Number(sequence) };
    });
    const requestId = `broker/payments/${scope}@${fact.sourceRevision}`;
    const context: CommandContext = {
      ...{ actor: 'service:broker', accountId: '', requestId, fingerprint: requestId },
      ...{ correlationId: fact.correlationId, causationId: fact.eventId },
      deadline: clock.now().getTime() + PATIENCE_MS,
    };
    if (isId(scope, 'epsrv')) {
      await unlessAbsent(services.execute(scope, { type: 'RecordPayments', data: { scope, payments } }, context));
    } else if (isAccountId(scope)) {
      await accounts.execute(scope, { type: 'RecordAccountPayments', data: { payments } }, context);
    }
  },
});
