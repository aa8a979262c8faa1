import type { GetConnectionTrafficResponse } from '@privatelink/proto/broker/v1/broker_service';
import type { Json } from './json.ts';

export type Traffic = Json<GetConnectionTrafficResponse>;
type Counters = NonNullable<Traffic['total']>;
type Zone = Traffic['zones'][number];

/** In a second, of what was counted between two reports. */
export type Rate = Readonly<{ bytesToService: number; bytesToEndpoint: number; flows: number }>;

/** With the rate of each zone by its id, where there have been two reports. */
export type Measured = Traffic & Readonly<{ rates: Readonly<Record<string, Rate>> }>;

/** What is known now, and how it went since what was known before. */
export const measure = (before: Measured | undefined, now: Traffic): Measured => {
  const zones = new Map(before?.zones.map((zone) => [zone.zoneId, zone]));
  const rates = now.zones.flatMap((zone) => {
    const rate = rateOf(zones.get(zone.zoneId), zone, before?.rates[zone.zoneId]);
    return rate ? [[zone.zoneId, rate] as const] : [];
  });
  return { ...now, rates: Object.fromEntries(rates) };
};

const rateOf = (before: Zone | undefined, now: Zone, last: Rate | undefined): Rate | undefined => {
  if (!before?.counters || !now.counters || !before.reportTime || !now.reportTime) return undefined;
  const seconds = (Date.parse(now.reportTime) - Date.parse(before.reportTime)) / 1_000;
  // The same report, seen again.
  if (seconds <= 0) return last;
  const [earlier, later] = [before.counters, now.counters];
  const perSecond = (name: keyof Counters): number => Number(BigInt(later[name]) - BigInt(earlier[name])) / seconds;
  return {
    bytesToService: perSecond('bytesToService'),
    bytesToEndpoint: perSecond('bytesToEndpoint'),
    flows: perSecond('flows'),
  };
};

/** Of all zones together. */
export const sumOf = (rates: readonly Rate[]): Rate | undefined =>
  rates.length === 0
    ? undefined
    : {
        bytesToService: rates.reduce((sum, rate) => sum + rate.bytesToService, 0),
        bytesToEndpoint: rates.reduce((sum, rate) => sum + rate.bytesToEndpoint, 0),
        flows: rates.reduce((sum, rate) => sum + rate.flows, 0),
      };
