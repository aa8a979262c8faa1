import {
  type Bandwidth as BandwidthMessage,
  type BandwidthTerms as BandwidthTermsMessage,
  TrafficControlMode,
} from '@privatelink/proto/common/v1/common';
import { type EnumName, enumName } from './enums.ts';
import type { Violations } from './validate.ts';

type Mode = EnumName<typeof TrafficControlMode>;
type Bandwidth = Readonly<{ mode: Mode; limitMbps: number }>;
type BandwidthTerms = Readonly<{
  connectBandwidth: Bandwidth;
  modes: readonly Mode[];
  minMbps: number;
  maxMbps: number;
}>;

/** Of a shape that is one: what a kind of resource can have is for its service to say. */
export const checkBandwidth = (v: Violations, field: string, bandwidth: BandwidthMessage | undefined): void => {
  if (!bandwidth) return;
  const mode = enumName(TrafficControlMode, bandwidth.trafficControlMode);
  v.check(`${field}.traffic_control_mode`, mode !== undefined, 'must be SCALABILITY or BANDWIDTH_LIMIT');
  const isLimited = mode === 'BANDWIDTH_LIMIT';
  const rule = isLimited ? 'is required' : 'must be 0 without a limit';
  v.check(`${field}.limit_mbps`, bandwidth.limitMbps > 0 === isLimited, rule);
};

export const toBandwidth = (bandwidth: Bandwidth | null): BandwidthMessage | undefined =>
  bandwidth ? { trafficControlMode: TrafficControlMode[bandwidth.mode], limitMbps: bandwidth.limitMbps } : undefined;

export const fromBandwidth = (bandwidth: BandwidthMessage | undefined): Bandwidth | null => {
  const mode = bandwidth && enumName(TrafficControlMode, bandwidth.trafficControlMode);
  return mode ? { mode, limitMbps: bandwidth.limitMbps } : null;
};

export const toBandwidthTerms = (terms: BandwidthTerms | null): BandwidthTermsMessage | undefined =>
  terms
    ? {
        connectBandwidth: toBandwidth(terms.connectBandwidth),
        trafficControlModes: terms.modes.map((mode) => TrafficControlMode[mode]),
        minMbps: terms.minMbps,
        maxMbps: terms.maxMbps,
      }
    : undefined;

export const fromBandwidthTerms = (terms: BandwidthTermsMessage | undefined): BandwidthTerms | null => {
  const connectBandwidth = fromBandwidth(terms?.connectBandwidth);
  if (!terms || !connectBandwidth) return null;
  const { minMbps, maxMbps } = terms;
  const modes = terms.trafficControlModes.flatMap((mode) => enumName(TrafficControlMode, mode) ?? []);
  return { connectBandwidth, modes, minMbps, maxMbps };
};
