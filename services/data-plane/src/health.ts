import { type Forwarding, ForwardingState } from '@privatelink/proto/broker/v1/broker_service';
import type { Logger } from 'pino';
import type { Broker } from './broker.ts';
import type { Health, ZoneState } from './desired/zone-state.ts';
import { checkName, type Forward } from './haproxy/forward.ts';

export type HealthDeps = Readonly<{
  broker: Pick<Broker, 'reportZoneHealth'>;
  zoneId: string;
  zone: Pick<ZoneState, 'desired' | 'confirmHealth'>;
  log: Logger;
  signal: AbortSignal;
}>;

/** Reports a change of health, or of whether limits are kept; what is not accepted is seen again at the next look. */
export type HealthReports = Readonly<{
  /**
   * @param checks whether targets answer, by `checkName`
   * @param unkept the connections whose bandwidth limit is not kept
   */
  look: (forwards: readonly Forward[], checks: ReadonlyMap<string, boolean>, unkept: ReadonlySet<string>) => void;
}>;

const PARALLEL = 16;

export const createHealthReports = ({ broker, zoneId, zone, log, signal }: HealthDeps): HealthReports => {
  const sending = new Set<string>();
  let isRefused = false;

  const send = async (connectionId: string, health: Health): Promise<void> => {
    try {
      await broker.reportZoneHealth({ connectionId, zoneId, ...health }, { signal });
      zone.confirmHealth(connectionId, health);
      isRefused = false;
    } catch (err) {
      if (!signal.aborted && !isRefused) log.warn({ connectionId, err }, 'a report of health was not accepted');
      isRefused = true;
    } finally {
      sending.delete(connectionId);
    }
  };

  return {
    look: (forwards, checks, unkept) => {
      const seen = healthOf(forwards, checks);
      for (const told of zone.desired().filter(isConfirmed)) {
        const { connectionId } = told;
        const healthy = seen.get(connectionId) ?? told.healthy;
        const bandwidthKept = !unkept.has(connectionId);
        const isKnown = healthy === told.healthy && bandwidthKept === told.bandwidthKept;
        if (isKnown || sending.has(connectionId) || sending.size >= PARALLEL) continue;
        sending.add(connectionId);
        void send(connectionId, { healthy, bandwidthKept });
      }
    },
  };
};

const isConfirmed = ({ state, confirmed }: Forwarding): boolean => state === ForwardingState.READY && confirmed;

/** By connection, whether each of its ports has a target that answers; of what was not looked at nothing is said. */
const healthOf = (forwards: readonly Forward[], checks: ReadonlyMap<string, boolean>): ReadonlyMap<string, boolean> => {
  const health = new Map<string, boolean>();
  const unknown = new Set<string>();
  for (const { connectionId, targets, targetNamespace } of forwards) {
    const seen = targets.map((target) => checks.get(checkName(target, targetNamespace)));
    if (seen.includes(true)) health.set(connectionId, health.get(connectionId) ?? true);
    else if (seen.includes(undefined)) unknown.add(connectionId);
    else health.set(connectionId, false);
  }
  for (const connectionId of unknown) if (health.get(connectionId)) health.delete(connectionId);
  return health;
};
