import type { Payment } from '../account-services/account-services.ts';
import type { EndpointService, EndpointServiceEvent } from './endpoint-service.ts';

/** A report on the service locks it whoever pays; one on its account where that account pays for the service. */
export const decideFinancialLocks = (
  { serviceId, payer, financialLocks }: EndpointService,
  { scope, payments }: Readonly<{ scope: string; payments: readonly Payment[] }>,
  at: string,
): readonly EndpointServiceEvent[] => {
  if (scope !== serviceId && payer !== 'ENDPOINT_SERVICE') return [];
  return payments.flatMap(({ source: reporter, sequence, overdue, message }): readonly EndpointServiceEvent[] => {
    const source = `${reporter}:${scope}`;
    const known = financialLocks[source];
    if (sequence <= (known?.sequence ?? 0)) return [];
    if (overdue) return [{ type: 'FinancialLockPlaced', data: { source, sequence, message, at } }];
    return known?.overdue ? [{ type: 'FinancialLockLifted', data: { source, sequence, at } }] : [];
  });
};

export type ServiceLock = Readonly<{
  kind: 'SECURITY_LOCKED' | 'FINANCIAL_LOCKED';
  source: string;
  message: string;
  at: string;
}>;

/** All that apply, an operator's first. */
export const locksOf = ({ securityLock, financialLocks }: EndpointService): readonly ServiceLock[] => [
  ...(securityLock ? [{ kind: 'SECURITY_LOCKED', source: '', ...securityLock } as const] : []),
  ...Object.entries(financialLocks)
    .filter(([, { overdue }]) => overdue)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([source, { message, at }]) => ({ kind: 'FINANCIAL_LOCKED', source, message, at }) as const),
];

export const businessStatusOf = (service: EndpointService): ServiceLock['kind'] | 'NORMAL' =>
  locksOf(service)[0]?.kind ?? 'NORMAL';
