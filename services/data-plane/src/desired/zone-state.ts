import {
  type Forwarding,
  ForwardingState,
  type ReportForwardingRequest,
  type WatchZoneResponse,
} from '@privatelink/proto/broker/v1/broker_service';
import type { Listener } from '@privatelink/proto/broker/v1/connection';

/** Within one generation an interface only goes forward. */
const STEPS: readonly ForwardingState[] = [ForwardingState.READY, ForwardingState.CLOSED, ForwardingState.REMOVED];

export type Reported = Readonly<
  Pick<ReportForwardingRequest, 'connectionId' | 'generation' | 'state'> & { listeners: readonly Listener[] }
>;

export type Health = Readonly<Pick<Forwarding, 'healthy' | 'bandwidthKept'>>;

/** What is desired in one zone, folded from what the broker tells. It outlives the streams on which that is told. */
export type ZoneState = Readonly<{
  /** A stream begins that will tell everything. */
  begin: () => void;
  tell: (response: WatchZoneResponse) => void;
  /** Whether this stream has told everything. */
  isSynced: () => boolean;
  /** The interfaces that exist. */
  desired: () => readonly Forwarding[];
  /** Whether a report is still about what is desired. */
  isCurrent: (report: Reported) => boolean;
  /** The broker has taken the report. */
  confirm: (report: Reported) => void;
  /** ... or that of an interface's health. */
  confirmHealth: (connectionId: string, health: Health) => void;
  /** Of what led to what is desired of an interface (W3C Trace Context); empty where that was not traced. */
  traceOf: (connectionId: string) => string;
}>;

type Known = Readonly<{ forwarding: Forwarding; position: bigint; traceparent: string }>;

export const createZoneState = (): ZoneState => {
  const known = new Map<string, Known>();
  let told = new Set<string>();
  let isSynced = false;

  const fold = (forwarding: Forwarding, position: bigint, traceparent: string): void => {
    const { connectionId } = forwarding;
    if (!STEPS.includes(forwarding.state)) return;
    told.add(connectionId);
    const before = known.get(connectionId);
    if (before && compare(forwarding, before.forwarding) < 0) return;
    known.set(connectionId, { forwarding, position, traceparent });
  };

  /** What was told at a later position than this stream's whole is newer than that. */
  const forgetUntold = (position: bigint): void => {
    for (const [connectionId, { position: at }] of known) {
      if (!told.has(connectionId) && at <= position) known.delete(connectionId);
    }
    told = new Set();
  };

  return {
    begin: () => {
      told = new Set();
      isSynced = false;
    },
    tell: ({ told: message, position, traceparent = '' }) => {
      if (message?.$case === 'forwarding') fold(message.value, position, traceparent);
      if (message?.$case !== 'synced' || isSynced) return;
      forgetUntold(position);
      isSynced = true;
    },
    isSynced: () => isSynced,
    desired: () => [...known.values()].map(({ forwarding }) => forwarding).filter(exists),
    isCurrent: ({ connectionId, generation, state }) => {
      const forwarding = known.get(connectionId)?.forwarding;
      return forwarding?.generation === generation && forwarding.state === state;
    },
    confirm: ({ connectionId, state, listeners }) => {
      const before = known.get(connectionId);
      if (!before) return;
      const { forwarding } = before;
      const kept = state === ForwardingState.READY ? [...listeners] : forwarding.listeners;
      known.set(connectionId, { ...before, forwarding: { ...forwarding, confirmed: true, listeners: kept } });
    },
    traceOf: (connectionId) => known.get(connectionId)?.traceparent ?? '',
    confirmHealth: (connectionId, health) => {
      const before = known.get(connectionId);
      if (before) known.set(connectionId, { ...before, forwarding: { ...before.forwarding, ...health } });
    },
  };
};

const compare = (a: Forwarding, b: Forwarding): number => {
  if (a.generation !== b.generation) return a.generation > b.generation ? 1 : -1;
  return STEPS.indexOf(a.state) - STEPS.indexOf(b.state);
};

const exists = ({ state }: Forwarding): boolean => state !== ForwardingState.REMOVED;
