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
  /** `regionId`: it is closed to endpoints of this region alone; null: to all. */
  | Ev<'ServiceClosingStarted', { regionId: RegionId; revision: number; force: boolean; actor: string; at: string }>
  | Ev<'ServiceClosingRefused', { regionId: RegionId; revision: number; blockerCount: number; at: string }>
  | Ev<'ServiceClosed', { regionId: RegionId; revision: number; at: string }>
  | Ev<'ServiceTeardownCompleted', { regionId: RegionId; revision: number; connectionCount: number; at: string }>;

type RegionId = string | null;

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
  /** By region, whose endpoints the service takes no more, or did not once. */
  regionClosings: Readonly<Record<string, Closing>>;
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
  | Cmd<'StartServiceClosing', { regionId: RegionId; revision: number; force: boolean; actor: string }>
  | Cmd<'RefuseServiceClosing', { regionId: RegionId; revision: number; blockerCount: number }>
  | Cmd<'CloseService', { regionId: RegionId; revision: number }>
  | Cmd<'CompleteServiceTeardown', { regionId: RegionId; revision: number; connectionCount: number }>;

export const scopeFacts: Decider<ScopeFactsCommand, ScopeFactsEvent, ScopeFacts> = {
  category: 'facts',
  initial: {
    ...{ version: 0, payments: {}, listings: {}, waitingAccepted: null, lock: null },
    ...{ closing: null, regionClosings: {} },
  },
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
        const { regionId, revision, force, actor } = event.data;
        return withClosing(facts, regionId, { revision, force, actor, status: 'STARTED', blockerCount: 0 });
      }
      case 'ServiceClosingRefused':
        return changed(facts, event.data.regionId, { status: 'REFUSED', blockerCount: event.data.blockerCount });
      case 'ServiceClosed':
        return changed(facts, event.data.regionId, { status: 'CLOSED' });
      case 'ServiceTeardownCompleted':
        return changed(facts, event.data.regionId, { status: 'TORN_DOWN' });
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
        // Nothing brings a closed service back; a region may be supported again.
        if (command.data.regionId === null && isClosed(facts.closing)) return [];
        if (command.data.revision <= (closingOf(facts, command.data.regionId)?.revision ?? -1)) return [];
        return [{ type: 'ServiceClosingStarted', data: { ...command.data, at } }];
      case 'RefuseServiceClosing':
        if (!isClosing(facts, command.data, 'STARTED')) return [];
        return [{ type: 'ServiceClosingRefused', data: { ...command.data, at } }];
      case 'CloseService':
        if (!isClosing(facts, command.data, 'STARTED')) return [];
        return [{ type: 'ServiceClosed', data: { ...command.data, at } }];
      case 'CompleteServiceTeardown':
        if (!isClosing(facts, command.data, 'CLOSED')) return [];
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

const withClosing = (facts: ScopeFacts, regionId: RegionId, closing: Closing): ScopeFacts =>
  regionId === null
    ? { ...facts, closing }
    : { ...facts, regionClosings: { ...facts.regionClosings, [regionId]: closing } };

const changed = (facts: ScopeFacts, regionId: RegionId, change: Partial<Closing>): ScopeFacts => {
  const closing = closingOf(facts, regionId);
  return closing ? withClosing(facts, regionId, { ...closing, ...change }) : facts;
};

/** The last closing of a service, or of one of the other regions that it supported. */
export const closingOf = ({ closing, regionClosings }: ScopeFacts, regionId: RegionId): Closing | null =>
  regionId === null ? closing : (regionClosings[regionId] ?? null);

/** Whether nobody can connect any more. */
export const isClosed = (closing: Closing | null): closing is Closing =>
  closing?.status === 'CLOSED' || closing?.status === 'TORN_DOWN';

const isClosing = (
  facts: ScopeFacts,
  { regionId, revision }: Readonly<{ regionId: RegionId; revision: number }>,
  status: Closing['status'],
): boolean => {
  const closing = closingOf(facts, regionId);
  return closing?.revision === revision && closing.status === status;
};
