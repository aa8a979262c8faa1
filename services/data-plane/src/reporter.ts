import { ForwardingState, type ReportForwardingRequest } from '@privatelink/proto/broker/v1/broker_service';
import type { Clock } from '@privatelink/shared/eventing/ports';
import { inSpan } from '@privatelink/shared/telemetry/trace';
import type { Logger } from 'pino';
import type { Broker } from './broker.ts';
import type { Reported, ZoneState } from './desired/zone-state.ts';

export type ReporterDeps = Readonly<{
  broker: Pick<Broker, 'reportForwarding'>;
  zoneId: string;
  forwarder: string;
  zone: Pick<ZoneState, 'isCurrent' | 'confirm' | 'traceOf'>;
  clock: Clock;
  log: Logger;
  signal: AbortSignal;
}>;

/** Tells the broker what is in place, each until it is accepted or of no interest any more. */
export type Reporter = Readonly<{
  offer: (report: Reported) => void;
  /** What was offered is not so any more. */
  withdraw: (connectionId: string) => void;
}>;

const PARALLEL = 16;
const FIRST_BACKOFF_MS = 100;
const MAX_BACKOFF_MS = 5_000;

export const createReporter = (deps: ReporterDeps): Reporter => {
  const { broker, zoneId, forwarder, zone, clock, log, signal } = deps;
  const pending = new Map<string, Reported>();
  const slots = createSlots(PARALLEL);
  let isRefused = false;

  const isWanted = (report: Reported): boolean =>
    !signal.aborted && pending.get(report.connectionId) === report && zone.isCurrent(report);

  const send = async (report: Reported): Promise<boolean> => {
    const request: ReportForwardingRequest = { ...report, zoneId, forwarder, listeners: [...report.listeners] };
    try {
      const span = { kind: 'consumer', parent: zone.traceOf(report.connectionId) } as const;
      await inSpan(`forwarding ${report.state}`, span, () => broker.reportForwarding(request, { signal }));
      isRefused = false;
      // What was told while this was on its way is not what was reported.
      if (zone.isCurrent(report)) zone.confirm(report);
      return true;
    } catch (err) {
      if (!signal.aborted && !isRefused) {
        isRefused = true;
        log.warn({ connectionId: report.connectionId, err }, 'a report was not accepted; it is repeated until it is');
      }
      return false;
    }
  };

  const deliver = async (report: Reported): Promise<void> => {
    for (let backoffMs = FIRST_BACKOFF_MS; isWanted(report); backoffMs = Math.min(2 * backoffMs, MAX_BACKOFF_MS)) {
      await slots.take(report.state === ForwardingState.CLOSED);
      const isDone = isWanted(report) ? await send(report).finally(slots.give) : slots.give();
      if (isDone ?? true) break;
      await clock.sleep(backoffMs, signal);
    }
    if (pending.get(report.connectionId) === report) pending.delete(report.connectionId);
  };

  return {
    offer: (report) => {
      const before = pending.get(report.connectionId);
      if (before && isSame(before, report)) return;
      pending.set(report.connectionId, report);
      void deliver(report);
    },
    withdraw: (connectionId) => {
      pending.delete(connectionId);
    },
  };
};

const isSame = (a: Reported, b: Reported): boolean =>
  a.generation === b.generation && a.state === b.state && sameListeners(a.listeners, b.listeners);

export const sameListeners = (a: Reported['listeners'], b: Reported['listeners']): boolean =>
  a.length === b.length &&
  a.every(({ port, address }, index) => b[index]?.port === port && b[index].address === address);

/** At most so many at a time; what is urgent first. */
const createSlots = (count: number) => {
  const waiting: Readonly<Record<'urgent' | 'others', (() => void)[]>> = { urgent: [], others: [] };
  let free = count;
  return {
    take: async (isUrgent: boolean): Promise<void> => {
      if (free > 0) {
        free--;
        return;
      }
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting[isUrgent ? 'urgent' : 'others'].push(resolve);
      await promise;
    },
    give: (): void => {
      const next = waiting.urgent.shift() ?? waiting.others.shift();
      if (next) next();
      else free++;
    },
  };
};
