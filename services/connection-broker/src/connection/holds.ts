export type Decision = 'AWAITING' | 'ACCEPTED' | 'REJECTED' | 'EXPIRED';

export type HoldReason =
  | 'AWAITING_ACCEPTANCE'
  | 'REJECTED'
  | 'APPROVAL_EXPIRED'
  | 'ENDPOINT_PAYMENT_OVERDUE'
  | 'SERVICE_PAYMENT_OVERDUE'
  | 'ENDPOINT_SECURITY_LOCK'
  | 'SERVICE_SECURITY_LOCK'
  | 'NOT_WHITELISTED'
  | 'PAUSED_BY_CONSUMER'
  | 'PAUSED_BY_PROVIDER'
  | 'NO_ZONE';

/** Holds of the decision's register are values of it; all others are facts that somebody places and lifts. */
export type FactReason = Exclude<HoldReason, 'AWAITING_ACCEPTANCE' | 'REJECTED' | 'APPROVAL_EXPIRED'>;

/** What the broker knows of a service or a billing scope, for one key; `revision` orders the facts of that key. */
export type HoldFact = Readonly<{
  kind: 'hold';
  reason: FactReason;
  source: string;
  placed: boolean;
  revision: number;
  actor: string;
  message: string;
}>;
export type Fact =
  | HoldFact
  | Readonly<{ kind: 'waitingAccepted'; revision: number; actor: string }>
  | Readonly<{ kind: 'serviceDeleted'; revision: number; actor: string }>;

export type Hold = Readonly<{ reason: HoldReason; source: string; actor: string; message: string; at: string }>;

export type Held = Readonly<{
  /** The hold of the decision's register; null once accepted. */
  decisionHold: Hold | null;
  /** `<reason>|<source>` → hold. */
  holds: Readonly<Record<string, Hold>>;
}>;

export const factKey = (reason: string, source: string): string => `${reason}|${source}`;

/** Reasons that hold the connection, sorted. */
export const holdsOf = ({ decisionHold, holds }: Held): readonly Hold[] =>
  [...(decisionHold ? [decisionHold] : []), ...Object.values(holds)].sort((a, b) =>
    factKey(a.reason, a.source) < factKey(b.reason, b.source) ? -1 : 1,
  );

export const isWanted = ({ decisionHold, holds }: Held): boolean =>
  decisionHold === null && Object.keys(holds).length === 0;
