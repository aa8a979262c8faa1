import { type Forwarding, ForwardingState } from '@privatelink/proto/broker/v1/broker_service';
import { forwarding as measured } from '@privatelink/shared/telemetry/metrics';
import type { AgentDeps } from './agent.ts';
import { type Interface, readInterface } from './desired/interface.ts';
import type { ZoneState } from './desired/zone-state.ts';
import type { Forward, Refusal } from './haproxy/forward.ts';
import { createHealthReports } from './health.ts';
import type { Limit, Unkept } from './limits/limits.ts';
import { measureForwarding } from './measure.ts';
import type { Placed, Placement } from './modes/mode.ts';
import { createProblems } from './problems.ts';
import { createReporter, sameListeners } from './reporter.ts';
import { createTrafficReports } from './traffic.ts';

export type Work = Readonly<{
  /** Puts in place what is desired, and reports it. False: something is not in place, and is to be tried again. */
  round: (hurry: AbortSignal) => Promise<boolean>;
  /** False: HAProxy has died, and what it did is to be done again. */
  isAlive: () => Promise<boolean>;
  /** Whether somebody has undone what was placed, or what was waited for is there. */
  isUndone: (hurry: AbortSignal) => Promise<boolean>;
  /** Reports which interfaces' targets have ceased to answer, or answer again. */
  lookAtHealth: () => Promise<void>;
  /** Reports what has gone through interfaces. */
  lookAtTraffic: () => Promise<void>;
}>;

type Desired = Readonly<{ forwarding: Forwarding; wanted: Interface | string }>;

export const createWork = (deps: AgentDeps, zone: ZoneState, signal: AbortSignal): Work => {
  const { log } = deps;
  const engine = deps.createEngine();
  const mode = deps.createMode();
  const limits = deps.createLimits();
  const reporter = createReporter({ ...deps, zone, forwarder: `haproxy/${mode.name}`, signal });
  const health = createHealthReports({ ...deps, zone, signal });
  const traffic = createTrafficReports({ ...deps, zone, meter: engine.meter, signal });
  const problems = createProblems(log);
  let applied: readonly Forward[] = [];
  let unkept: Unkept = { connectionIds: new Set(), again: false };
  /** Connection id → generation for which flows to an earlier resource have been ended. */
  const ended = new Map<string, bigint>();
  let isDead = false;
  let failure: string | undefined;

  const report = (
    { connectionId, generation, state, confirmed, listeners: told }: Forwarding,
    placed?: Placed,
  ): void => {
    const listeners = placed?.listeners ?? [];
    if (confirmed && (!placed || sameListeners(told, listeners))) return;
    reporter.offer({ connectionId, generation, state, listeners });
  };

  const reportClosed = (desired: readonly Desired[]): void => {
    for (const { forwarding } of desired) if (!isReady(forwarding)) report(forwarding);
  };

  const endsFlows = ({ connectionId, generation, endFlows, confirmed }: Forwarding): boolean =>
    endFlows && !confirmed && ended.get(connectionId) !== generation;

  /** What only closes does not wait for what is to be placed; flows end when what carries them closes once. */
  const closeFirst = async (desired: readonly Desired[]): Promise<void> => {
    const ending = desired.filter(({ forwarding }) => isReady(forwarding) && endsFlows(forwarding));
    const ready = new Set(desired.filter(({ forwarding }) => isReady(forwarding)).map(idOf));
    for (const { forwarding } of ending) ready.delete(forwarding.connectionId);
    const before = new Set(applied.map(({ connectionId }) => connectionId));
    const staying = applied.filter(({ connectionId }) => ready.has(connectionId));
    const isOnlyClosing = ending.length === 0 && [...ready].every((id) => before.has(id));
    if (staying.length === applied.length || isOnlyClosing) return;
    await engine.apply(staying);
    applied = staying;
    for (const { forwarding } of ending) ended.set(forwarding.connectionId, forwarding.generation);
    reportClosed(desired);
  };

  const apply = async (hurry: AbortSignal): Promise<boolean> => {
    const desired = zone.desired().map((forwarding): Desired => ({ forwarding, wanted: readInterface(forwarding) }));
    await closeFirst(desired);
    const interfaces = desired.flatMap(({ wanted }) => (typeof wanted === 'string' ? [] : [wanted]));
    const placements = await mode.place(interfaces, hurry);
    // Whatever is placed by now stays so; what is to be closed meanwhile comes first.
    if (hurry.aborted) return true;
    const forwards = interfaces.flatMap((wanted) => forwardsOf(wanted, placements.get(wanted.connectionId)));
    const { refused } = await engine.apply(forwards);
    applied = forwards;
    // What is closed does not wait for limits; what is new is limited before anybody knows of it.
    reportClosed(desired);
    unkept = await limits.apply(
      interfaces.flatMap((wanted) => limitOf(wanted, placements.get(wanted.connectionId))),
      hurry,
    );
    for (const { connectionId, port } of refused) mode.refuse(connectionId, port);
    const refusals = new Map(refused.map((refusal) => [refusal.connectionId, refusal]));
    for (const { forwarding, wanted } of desired) {
      const { connectionId } = forwarding;
      const placement = placements.get(connectionId);
      const problem = problemOf(wanted, placement, refusals.get(connectionId));
      problems.set(connectionId, problem);
      if (!isReady(forwarding)) continue;
      if (problem) reporter.withdraw(connectionId);
      else if (placement && 'listeners' in placement) report(forwarding, placement);
    }
    const present = new Set(desired.map(idOf));
    problems.retain(present);
    for (const connectionId of ended.keys()) if (!present.has(connectionId)) ended.delete(connectionId);
    await mode.retain(interfaces);
    return problems.count() === 0 && !unkept.again;
  };

  return {
    round: async (hurry) => {
      const end = measured.rounds.startTimer();
      try {
        const isInPlace = await apply(hurry);
        failure = undefined;
        end({ outcome: isInPlace ? 'in place' : 'incomplete' });
        return isInPlace;
      } catch (err) {
        end({ outcome: 'failed' });
        const message = String(err);
        if (message !== failure) log.error({ err }, 'what is desired cannot be put in place; it is tried again');
        failure = message;
        return false;
      }
    },
    isAlive: async () => {
      const isAlive = await engine.isAlive();
      if (!isAlive && !isDead) log.warn('HAProxy does not run any more; it is started again');
      isDead = !isAlive;
      return isAlive;
    },
    isUndone: async (hurry) => [await mode.check(hurry), await limits.check(hurry)].includes(true),
    lookAtHealth: async () => {
      const checks = await engine.checks();
      measureForwarding({ desired: zone.desired(), checks, notInPlace: problems.count() });
      health.look(applied, checks, unkept.connectionIds);
    },
    lookAtTraffic: traffic.look,
  };
};

const idOf = ({ forwarding }: Desired): string => forwarding.connectionId;

const isReady = ({ state }: Forwarding): boolean => state === ForwardingState.READY;

/** One forward for each port: connections to a port go to the targets of that port. */
const forwardsOf = (
  { connectionId, resource, ways }: Interface,
  placement: Placement | undefined,
): readonly Forward[] => {
  if (!resource || !placement || 'waitsFor' in placement) return [];
  const { binds, targetNamespace, source, ingress } = placement;
  const { proxyProtocol } = resource;
  return ways.map(({ port, targets }) => {
    const to = targets.map((target) => ({ ip: target.ip, port: target.port }));
    const where = { binds: binds.get(port) ?? [], targets: to, targetNamespace, source };
    return { connectionId, port, ...where, proxyProtocol, ingress };
  });
};

const limitOf = ({ connectionId, limitMbps }: Interface, placement: Placement | undefined): readonly Limit[] => {
  if (limitMbps === 0 || !placement || 'waitsFor' in placement || placement.binds.size === 0) return [];
  return [{ connectionId, mbps: limitMbps, binds: [...placement.binds.values()].flat() }];
};

const problemOf = (
  wanted: Interface | string,
  placement: Placement | undefined,
  refusal: Refusal | undefined,
): string | undefined => {
  if (typeof wanted === 'string') return wanted;
  if (placement && 'waitsFor' in placement) return `it waits for ${placement.waitsFor}`;
  return refusal && `port ${refusal.port}: ${refusal.reason}`;
};
