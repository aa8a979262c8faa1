import type { Connection } from '../connection/connection.ts';
import type { Fact, FactReason } from '../connection/holds.ts';
import { closingOf, isClosed, type ScopeFacts } from './scope-facts.ts';

type Concerned = Pick<
  Connection,
  'endpointId' | 'endpointAccountId' | 'endpointRegion' | 'serviceId' | 'serviceAccountId' | 'serviceVersion' | 'payer'
>;

/** Scopes whose facts concern a connection: its resources, and the account that pays. */
export const scopesOf = (connection: Concerned): readonly string[] => [
  connection.serviceId,
  connection.endpointId,
  connection.payer === 'ENDPOINT' ? connection.endpointAccountId : connection.serviceAccountId,
];

/**
 * What one scope's facts mean for one connection, as they are now. A connection orders them by revision, so giving
 * them again, or an older reading late, changes nothing.
 */
export const factsForConnection = (connection: Concerned, scope: string, facts: ScopeFacts): readonly Fact[] => {
  const overdue = overdueReason(connection, scope);
  const payments = overdue
    ? Object.entries(facts.payments).map(([source, { sequence, overdue: placed, actor, message }]): Fact => {
        return {
          kind: 'hold',
          reason: overdue,
          source: `${source}:${scope}`,
          placed,
          revision: sequence,
          actor,
          message,
        };
      })
    : [];
  return scope === connection.serviceId ? [...payments, ...serviceFacts(connection, facts)] : payments;
};

/** A report on a resource acts whoever pays; a report on an account only on what that account pays for. */
const overdueReason = (connection: Concerned, scope: string): FactReason | null => {
  if (scope === connection.endpointId) return 'ENDPOINT_PAYMENT_OVERDUE';
  if (scope === connection.serviceId) return 'SERVICE_PAYMENT_OVERDUE';
  if (connection.payer === 'ENDPOINT' && scope === connection.endpointAccountId) return 'ENDPOINT_PAYMENT_OVERDUE';
  if (connection.payer === 'ENDPOINT_SERVICE' && scope === connection.serviceAccountId)
    return 'SERVICE_PAYMENT_OVERDUE';
  return null;
};

/** Facts of the service itself: only those newer than what the endpoint was admitted at. */
const serviceFacts = (connection: Concerned, facts: ScopeFacts): readonly Fact[] => {
  const { closing, lock, waitingAccepted } = facts;
  const regionClosing = closingOf(facts, connection.endpointRegion);
  const isOver = isClosed(regionClosing) && regionClosing.revision > connection.serviceVersion;
  const deletion = isClosed(closing) ? closing : isOver ? regionClosing : null;
  if (deletion) return [{ kind: 'serviceDeleted', revision: deletion.revision, actor: deletion.actor }];
  const news: Fact[] = [];
  const listing = listingOf(facts, connection.endpointAccountId);
  if (listing) {
    const { listed, revision, actor } = listing;
    news.push({
      kind: 'hold',
      reason: 'NOT_WHITELISTED',
      source: connection.serviceId,
      placed: !listed,
      revision,
      actor,
      message: '',
    });
  }
  if (lock) {
    const { locked, ...word } = lock;
    const key = { reason: 'SERVICE_SECURITY_LOCK', source: 'operator' } as const;
    news.push({ kind: 'hold', ...key, placed: locked, ...word });
  }
  if (waitingAccepted) news.push({ kind: 'waitingAccepted', ...waitingAccepted });
  return news.filter((fact) => fact.revision > connection.serviceVersion);
};

/** The newest word on an account: its own, or one on everybody that includes it. */
const listingOf = ({ listings }: ScopeFacts, accountId: string) => {
  const own = listings[accountId];
  const all = listings['*'];
  const included = all && (all.listed || !all.exceptAccountIds.includes(accountId)) ? all : undefined;
  if (!own || !included) return own ?? included;
  return own.revision > included.revision ? own : included;
};
