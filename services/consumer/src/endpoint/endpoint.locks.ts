import type { Endpoint, EndpointCommand, EndpointEvent } from './endpoint.ts';

type RecordPayments = Extract<EndpointCommand, { type: 'RecordPayments' }>['data'];

/** Those that are overdue are all that is locked for; of an earlier revision of the connection it says nothing. */
export const decideFinancialLocks = (
  { financialLocks, paymentsRevision }: Endpoint,
  { overdue, revision }: RecordPayments,
  at: string,
): readonly EndpointEvent[] => {
  if (revision < paymentsRevision) return [];
  return [
    ...overdue
      .filter(({ source, message }) => financialLocks[source]?.message !== message)
      .map(({ source, message }): EndpointEvent => {
        return { type: 'FinancialLockPlaced', data: { source, message, revision, at } };
      }),
    ...Object.keys(financialLocks)
      .filter((source) => !overdue.some((payment) => payment.source === source))
      .map((source): EndpointEvent => ({ type: 'FinancialLockLifted', data: { source, revision, at } })),
  ];
};

type EndpointLock = Readonly<{
  kind: 'SECURITY_LOCKED' | 'FINANCIAL_LOCKED';
  source: string;
  message: string;
  at: string;
}>;

/** All that apply, an operator's first. */
export const locksOf = ({ lock, financialLocks }: Endpoint): readonly EndpointLock[] => [
  ...(lock ? [{ kind: 'SECURITY_LOCKED', source: '', ...lock } as const] : []),
  ...Object.entries(financialLocks)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([source, placed]) => ({ kind: 'FINANCIAL_LOCKED', source, ...placed }) as const),
];
