import type { Decider } from '@privatelink/shared/eventing/decider';
import type { Cmd, Ev } from '@privatelink/shared/eventing/message';
import { assertNever } from '@privatelink/shared/eventing/never';

/**
 * What is known of one scope that concerns its connections: a service, an endpoint or an account. Recorded here
 * first; then every connection of the scope is told, and a new connection asks.
 */
export type ScopeFactsEvent =
  | Ev<'PaymentOverdueReported', { source: string; sequence: number; actor: string; message: string; at: string }>
  | Ev<'PaymentSettledReported', { source: string; sequence: number; actor: string; message: string; at: string }>
  | Ev<'ServiceUserListed', { accountId: string; revision: number; actor: string; at: string }>
  | Ev<
      'ServiceUserUnlisted',
      { accountId: string; exceptAccountIds: readonly string[]; revision: number; actor: string; at: string }
    >
  | Ev<'ServiceLocked', { revision: number; actor: string; message: string; at: string }>
  | Ev<'ServiceUnlocked', { revision: number; actor: string; at: string }>
  | Ev<'WaitingConnectionsAccepted', { revision: number; actor: string; at: string }>
  | Ev<'ServiceClosingStarted', { revision: number; force: boolean; actor: string; at: string }>
  | Ev<'ServiceClosingRefused', { revision: number; blockerCount: number; at: string }>
  | Ev<'ServiceClosed', { revision: number; at: string }>
  | Ev<'ServiceTeardownCompleted', { revision: number; connectionCount: number; at: string }>;

type Payment = Readonly<{ sequence: number; overdue: boolean; actor: string; message: string }>;
type Listing = Readonly<{ revision: number; listed: boolean; exceptAccountIds: readonly string[]; actor: string }>;
export type Closing = Readonly<{
  revision: number;
  force: boolean;
  actor: string;
  status: 'STARTED' | 'REFUSED' | 'CLOSED' | 'TORN_DOWN';
  /** How many connections stood in the way of a refused one. */
  blockerCount: number;
}>;

export type ScopeFacts = Readonly<{
  /** Counts the events: a fan-out of version N has told every connection all facts up to N. */
  version: number;
  /** By source of the reports. */
  payments: Readonly<Record<string, Payment>>;
  /** By account or `*`. */
  listings: Readonly<Record<string, Listing>>;
  waitingAccepted: Readonly<{ revision: number; actor: string }> | null;
  closing: Closing | null;
  /** An operator's last word on the service. */
  lock: Readonly<{ revision: number; locked: boolean; actor: string; message: string }> | null;
}>;

export type ScopeFactsCommand =
  | Cmd<'ReportPayment', { overdue: boolean; source: string; sequence: number; actor: string; message: string }>
  | Cmd<'ListServiceUser', { accountId: string; revision: number; actor: string }>
  | Cmd<
      'UnlistServiceUser',
      { accountId: string; exceptAccountIds: readonly string[]; revision: number; actor: string }
    >
  | Cmd<'AcceptWaitingConnections', { revision: number; actor: string }>
  | Cmd<'SetServiceLock', { locked: boolean; revision: number; actor: string; message: string }>
  | Cmd<'StartServiceClosing', { revision: number; force: boolean; actor: string }>
  | Cmd<'RefuseServiceClosing', { revision: number; blockerCount: number }>
  | Cmd<'CloseService', { revision: number }>
  | Cmd<'CompleteServiceTeardown', { revision: number; connectionCount: number }>;

export const scopeFacts: Decider<ScopeFactsCommand, ScopeFactsEvent, ScopeFacts> = {
  category: 'facts',
  initial: { version: 0, payments: {}, listings: {}, waitingAccepted: null, closing: null, lock: null },
  evolve: (before, event) => {
    const facts = { ...before, version: before.version + 1 };
    switch (event.type) {
      case 'PaymentOverdueReported':
      case 'PaymentSettledReported': {
        const { source, sequence, actor, message } = event.data;
        const payment = { sequence, overdue: event.type === 'PaymentOverdueReported', actor, message };
        return { ...facts, payments: { ...facts.payments, [source]: payment } };
      }
      case 'ServiceUserListed': {
        const { accountId, revision, actor } = event.data;
        return withListing(facts, accountId, { revision, listed: true, exceptAccountIds: [], actor });
      }
      case 'ServiceUserUnlisted': {
        const { accountId, exceptAccountIds, revision, actor } = event.data;
        return withListing(facts, accountId, { revision, listed: false, exceptAccountIds, actor });
      }
      case 'WaitingConnectionsAccepted': {
        const { revision, actor } = event.data;
        return { ...facts, waitingAccepted: { revision, actor } };
      }
      case 'ServiceLocked':
        return { ...facts, lock: { ...lockOf(event.data), locked: true, message: event.data.message } };
      case 'ServiceUnlocked':
        return { ...facts, lock: { ...lockOf(event.data), locked: false, message: '' } };
      case 'ServiceClosingStarted': {
        const { revision, force, actor } = event.data;
        return { ...facts, closing: { revision, force, actor, status: 'STARTED', blockerCount: 0 } };
      }
      case 'ServiceClosingRefused':
        return withClosing(facts, { status: 'REFUSED', blockerCount: event.data.blockerCount });
      case 'ServiceClosed':
        return withClosing(facts, { status: 'CLOSED' });
      case 'ServiceTeardownCompleted':
        return withClosing(facts, { status: 'TORN_DOWN' });
      default:
        return assertNever(event);
    }
  },
  decide: (command, facts, at) => {
    switch (command.type) {
      case 'ReportPayment': {
        const { overdue, ...data } = command.data;
        if (data.sequence <= (facts.payments[data.source]?.sequence ?? 0)) return [];
        return [{ type: overdue ? 'PaymentOverdueReported' : 'PaymentSettledReported', data: { ...data, at } }];
      }
      case 'ListServiceUser':
        if (command.data.revision <= (facts.listings[command.data.accountId]?.revision ?? -1)) return [];
        return [{ type: 'ServiceUserListed', data: { ...command.data, at } }];
      case 'UnlistServiceUser':
        if (command.data.revision <= (facts.listings[command.data.accountId]?.revision ?? -1)) return [];
        return [{ type: 'ServiceUserUnlisted', data: { ...command.data, at } }];
      case 'AcceptWaitingConnections':
        if (command.data.revision <= (facts.waitingAccepted?.revision ?? -1)) return [];
        return [{ type: 'WaitingConnectionsAccepted', data: { ...command.data, at } }];
      case 'SetServiceLock': {
        const { locked, message, ...data } = command.data;
        if (data.revision <= (facts.lock?.revision ?? -1)) return [];
        return [
          locked
            ? { type: 'ServiceLocked', data: { ...data, message, at } }
            : { type: 'ServiceUnlocked', data: { ...data, at } },
        ];
      }
      case 'StartServiceClosing':
        // Nothing brings a closed service back.
        if (facts.closing?.status === 'CLOSED' || facts.closing?.status === 'TORN_DOWN') return [];
        if (command.data.revision <= (facts.closing?.revision ?? -1)) return [];
        return [{ type: 'ServiceClosingStarted', data: { ...command.data, at } }];
      case 'RefuseServiceClosing':
        if (!isClosing(facts, command.data.revision, 'STARTED')) return [];
        return [{ type: 'ServiceClosingRefused', data: { ...command.data, at } }];
      case 'CloseService':
        if (!isClosing(facts, command.data.revision, 'STARTED')) return [];
        return [{ type: 'ServiceClosed', data: { ...command.data, at } }];
      case 'CompleteServiceTeardown':
        if (!isClosing(facts, command.data.revision, 'CLOSED')) return [];
        return [{ type: 'ServiceTeardownCompleted', data: { ...command.data, at } }];
      default:
        return assertNever(command);
    }
  },
};

const lockOf = ({ revision, actor }: Readonly<{ revision: number; actor: string }>) => ({ revision, actor });

const withListing = (facts: ScopeFacts, accountId: string, listing: Listing): ScopeFacts => ({
  ...facts,
  listings: { ...facts.listings, [accountId]: listing },
});

const withClosing = (facts: ScopeFacts, change: Partial<Closing>): ScopeFacts =>
  facts.closing ? { ...facts, closing: { ...facts.closing, ...change } } : facts;

const isClosing = ({ closing }: ScopeFacts, revision: number, status: Closing['status']): boolean =>
  closing?.revision === revision && closing.status === status;
