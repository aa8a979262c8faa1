import type { TrafficReading } from '@privatelink/proto/broker/v1/broker_service';
import { RemoteError } from '@privatelink/shared/grpc/remote-error';
import type { Logger } from 'pino';
import type { Broker } from './broker.ts';
import type { ZoneState } from './desired/zone-state.ts';
import type { Counters } from './haproxy/cli.ts';
import type { Engine } from './haproxy/engine.ts';

export type TrafficDeps = Readonly<{
  broker: Pick<Broker, 'reportTraffic'>;
  zoneId: string;
  zone: Pick<ZoneState, 'desired'>;
  meter: Engine['meter'];
  log: Logger;
  signal: AbortSignal;
}>;

/** Reports what HAProxy has counted. What is not accepted is in the next report, for each reading is of everything. */
export type TrafficReports = Readonly<{ look: () => Promise<void> }>;

const MAX_READINGS = 1_000;

export const createTrafficReports = ({ broker, zoneId, zone, meter, log, signal }: TrafficDeps): TrafficReports => {
  /** Number of the meter's last report, as far as we know. */
  let last = 0n;
  /** What the broker has taken, by run and connection. */
  let taken = new Map<string, TrafficReading>();
  let isRefused = false;

  /** False: somebody has reported since, or the broker does not know what it was told. Then all is told again. */
  const send = async (runs: readonly string[], readings: readonly TrafficReading[]): Promise<boolean> => {
    const request = { zoneId, meterId: await meter.id(), after: last, runs: [...runs], readings: [...readings] };
    try {
      last = (await broker.reportTraffic(request, { signal })).number;
    } catch (error) {
      if (!(error instanceof RemoteError) || !error.is('REPORT_OUT_OF_TURN')) throw error;
      last = BigInt(error.facts['number'] ?? 0);
      taken = new Map();
      return false;
    }
    for (const reading of readings) taken.set(keyOf(reading), reading);
    return true;
  };

  const report = async (): Promise<boolean> => {
    const runs = await meter.look();
    if (!runs) return true;
    const exists = new Set(zone.desired().map(({ connectionId }) => connectionId));
    const changed = runs.flatMap(({ id: run, counters }) =>
      [...counters].flatMap(([connectionId, counted]): TrafficReading[] => {
        const reading = { connectionId, run, ...counted };
        return exists.has(connectionId) && !isSame(reading, taken.get(keyOf(reading))) ? [reading] : [];
      }),
    );
    const ids = runs.map(({ id }) => id);
    // Also when there is nothing new: that is known then.
    for (let from = 0; from === 0 || from < changed.length; from += MAX_READINGS) {
      if (!(await send(ids, changed.slice(from, from + MAX_READINGS)))) return false;
    }
    const over = new Set(runs.filter(({ isOver }) => isOver).map(({ id }) => id));
    meter.forget(over);
    for (const [key, { run }] of taken) if (over.has(run)) taken.delete(key);
    return true;
  };

  return {
    look: async () => {
      try {
        // Once more, now that the number is known.
        if (!(await report())) await report();
        isRefused = false;
      } catch (err) {
        if (!signal.aborted && !isRefused) log.warn({ err }, 'a report of traffic was not accepted');
        isRefused = true;
      }
    },
  };
};

const keyOf = ({ run, connectionId }: Pick<TrafficReading, 'run' | 'connectionId'>): string => `${run} ${connectionId}`;

const isSame = (a: Counters, b: Counters | undefined): boolean =>
  a.flows === b?.flows &&
  a.openFlows === b.openFlows &&
  a.receivedBytes === b.receivedBytes &&
  a.sentBytes === b.sentBytes &&
  a.failedFlows === b.failedFlows;
