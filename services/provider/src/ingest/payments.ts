import type { Fact, Payments } from '@privatelink/proto/events/v1/fact';
import type { CommandContext } from '@privatelink/shared/eventing/command-context';
import type { Clock } from '@privatelink/shared/eventing/ports';
import { isAccountId, isId } from '@privatelink/shared/grpc/validate';
import { InvalidMessage } from '@privatelink/shared/nats/consumer';
import { readFact } from '@privatelink/shared/nats/fact-announcements';
import type { Feed } from '@privatelink/shared/nats/feed';
import { advanceForeign } from '@privatelink/shared/postgres/foreign-table';
import { unlessAbsent } from '../processes/account-payments.ts';
import type { ServiceRepository } from '../processes/endpoint-service-lifecycle.ts';
import type { AccountsRepository } from '../processes/service-claim-cleanup.ts';

type Deps = Readonly<{ accounts: AccountsRepository; services: ServiceRepository; clock: Clock }>;

/** How far the broker has announced; what it says of bills, if it is about some. */
type Announced = Readonly<{ position: bigint; told: Told | null }>;
type Told = Readonly<{ fact: Fact; payments: Payments }>;

const PATIENCE_MS = 30_000;

/** Follows what the broker has recorded of bills: of services, and of accounts, which may pay for services. */
export const paymentsFeed = ({ accounts, services, clock }: Deps): Feed<Announced> => {
  const record = async ({ fact, payments: { scope, payments } }: Told): Promise<void> => {
    const reported = payments.map(({ sequence, ...payment }) => ({ ...payment, sequence: Number(sequence) }));
    const requestId = `broker/payments/${scope}@${fact.sourceRevision}`;
    const context: CommandContext = {
      ...{ actor: 'service:broker', accountId: '', requestId, fingerprint: requestId },
      ...{ correlationId: fact.correlationId, causationId: fact.eventId },
      deadline: clock.now().getTime() + PATIENCE_MS,
    };
    if (isId(scope, 'epsrv')) {
      const data = { scope, payments: reported };
      await unlessAbsent(services.execute(scope, { type: 'RecordPayments', data }, context));
    } else if (isAccountId(scope)) {
      await accounts.execute(scope, { type: 'RecordAccountPayments', data: { payments: reported } }, context);
    }
  };

  return {
    name: 'provider__payments',
    source: 'broker',
    filterSubject: 'evt.broker.v1.payments.>',
    filter: 'resource_type = payments',
    read: ({ subject, headers, body }) => {
      if (subject.endsWith('.heartbeat')) return { position: BigInt(headers['source-position'] ?? 0), told: null };
      const fact = readFact(subject, body);
      if (fact.resource?.$case !== 'payments') throw new InvalidMessage(`${subject} carries no payments`);
      return { position: fact.position, told: { fact, payments: fact.resource.value } };
    },
    // In order, so that a report that comes again is known to be an old one.
    record: async (announced) => {
      for (const { told } of announced) if (told) await record(told);
    },
    write: async (tx, announced) => {
      const [highest] = announced.map(({ position }) => position).sort((a, b) => (a > b ? -1 : 1));
      if (highest !== undefined) await advanceForeign(tx, 'broker', highest);
    },
  };
};
