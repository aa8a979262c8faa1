import { type Forwarding, ForwardingState } from '@privatelink/proto/broker/v1/broker_service';
import { forwarding as measured } from '@privatelink/shared/telemetry/metrics';
import type { AgentDeps } from './agent.ts';

type Agent = Pick<AgentDeps, 'zoneId' | 'name'>;

/** The agent works from this moment on. */
export const measureShift = ({ zoneId: zone, name: agent }: Agent, began: Date): void =>
  measured.began.set({ zone, agent }, began.getTime() / 1_000);

/** It does not: what it knew of the zone is old. */
export const measureNoShift = ({ zoneId: zone, name: agent }: Agent): void => {
  measured.began.set({ zone, agent }, 0);
  for (const gauge of [measured.interfaces, measured.targets, measured.impaired]) gauge.reset();
};

type Seen = Readonly<{
  desired: readonly Forwarding[];
  /** Whether targets answer. */
  checks: ReadonlyMap<string, boolean>;
  notInPlace: number;
}>;

export const measureForwarding = ({ desired, checks, notInPlace }: Seen): void => {
  measured.interfaces.reset();
  for (const { state, confirmed } of desired) {
    measured.interfaces.inc({ desired: state.replace('FORWARDING_STATE_', ''), confirmed: String(confirmed) });
  }
  const up = [...checks.values()].filter(Boolean).length;
  measured.targets.set({ state: 'up' }, up);
  measured.targets.set({ state: 'down' }, checks.size - up);
  const inPlace = desired.filter(({ state, confirmed }) => state === ForwardingState.READY && confirmed);
  const unlimited = inPlace.filter(({ bandwidthKept }) => !bandwidthKept).length;
  measured.impaired.set({ problem: 'not in place' }, notInPlace);
  measured.impaired.set({ problem: 'no target' }, inPlace.filter(({ healthy }) => !healthy).length);
  measured.impaired.set({ problem: 'limit not kept' }, unlimited);
};
