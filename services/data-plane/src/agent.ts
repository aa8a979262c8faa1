import { ForwardingState, type WatchZoneResponse } from '@privatelink/proto/broker/v1/broker_service';
import type { Clock } from '@privatelink/shared/eventing/ports';
import type { Logger } from 'pino';
import type { Broker } from './broker.ts';
import { createZoneState, type ZoneState } from './desired/zone-state.ts';
import type { Lock } from './directory-lock.ts';
import type { Engine } from './haproxy/engine.ts';
import type { Limits } from './limits/limits.ts';
import { measureNoShift } from './measure.ts';
import type { Mode } from './modes/mode.ts';
import { startShift } from './shift.ts';

export type AgentDeps = Readonly<{
  zoneId: string;
  /** The agent's own name among those of the zone. */
  name: string;
  broker: Broker;
  /** All are asked for at the start of each shift: another agent may have worked in between. */
  createEngine: () => Engine;
  createMode: () => Mode;
  createLimits: () => Limits;
  lock: Lock;
  /** What becomes of HAProxy when the agent is told to stop. */
  onStop: 'keep' | 'stop';
  clock: Clock;
  log: Logger;
  signal: AbortSignal;
}>;

const FIRST_BACKOFF_MS = 50;
const MAX_BACKOFF_MS = 2_000;
const STOP_TIMEOUT_MS = 5_000;

/**
 * Makes that what the broker desires of one zone is in place, until the signal aborts. Whatever it is not told to do it
 * does not do: a broker that is away, or that lets another agent work, leaves everything as it is.
 */
export const runAgent = async (deps: AgentDeps): Promise<void> => {
  const { clock, log, signal } = deps;
  const zone = createZoneState();
  let failures = 0;
  measureNoShift(deps);
  const onSynced = (): void => {
    failures = 0;
  };
  while (!signal.aborted) {
    await follow(deps, zone, onSynced).catch((err: unknown) => {
      if (failures === 0) log.warn({ err }, 'the broker does not tell what is desired; everything stays as it is');
    });
    await clock.sleep(Math.min(FIRST_BACKOFF_MS * 2 ** failures++, MAX_BACKOFF_MS), signal);
  }
  if (deps.onStop === 'stop') await stopForwarding(deps);
};

/** One stream. Nothing is done before everything has been told: what is not told is taken away. */
const follow = async (deps: AgentDeps, zone: ZoneState, onSynced: () => void): Promise<void> => {
  const { broker, zoneId, name, log, signal } = deps;
  zone.begin();
  let shift: ReturnType<typeof startShift> | undefined;
  try {
    // Always the whole: a stream that only tells what changes would not say either that it is our turn.
    for await (const response of broker.watchZone({ zoneId, agent: name }, { signal })) {
      const isNews = !isConfirmation(response, zone);
      zone.tell(response);
      if (!zone.isSynced()) continue;
      if (!shift) {
        onSynced();
        log.info({ interfaces: zone.desired().length }, 'everything has been told');
        shift = startShift(deps, zone);
      } else if (isNews && response.told?.$case === 'forwarding') {
        shift.changed({ isUrgent: response.told.value.state !== ForwardingState.READY });
      }
    }
    if (!signal.aborted) log.info('the broker has ended the stream');
  } finally {
    await shift?.end();
  }
};

/** What we have reported is told again as confirmed. */
const isConfirmation = ({ told }: WatchZoneResponse, zone: ZoneState): boolean =>
  told?.$case === 'forwarding' && told.value.confirmed && zone.isCurrent(told.value);

/** Unless another agent is at work here. */
const stopForwarding = async ({ lock, createEngine, createMode, createLimits, log }: AgentDeps): Promise<void> => {
  const release = await lock({ wait: false, signal: AbortSignal.timeout(STOP_TIMEOUT_MS) });
  if (!release) return;
  try {
    await createEngine().stop();
    await createLimits().apply([], AbortSignal.timeout(STOP_TIMEOUT_MS));
    await createMode().retain([]);
    log.info('nothing is forwarded any more');
  } finally {
    release();
  }
};
