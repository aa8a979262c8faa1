import type {
  BrokerServiceServer,
  ReportTrafficRequest,
  TrafficCounters,
  ZoneTraffic,
} from '@privatelink/proto/broker/v1/broker_service';
import { Rejected } from '@privatelink/shared/eventing/rejected';
import { timestamp } from '@privatelink/shared/grpc/timestamp';
import { unary } from '@privatelink/shared/grpc/unary';
import { checkCount, checkId, checkName, isId, violations } from '@privatelink/shared/grpc/validate';
import { type Connection, isReverse } from '../connection/connection.ts';
import type { Repositories } from '../repositories.ts';
import type { Counted, Traffic } from '../traffic/traffic.ts';
import { notFound, visibleIn } from './visible.ts';

type TrafficRpcs = Pick<BrokerServiceServer, 'getConnectionTraffic' | 'reportTraffic'>;

export type TrafficRejection = 'REPORT_OUT_OF_TURN';

const MAX_RUNS = 1_000;
const MAX_READINGS = 1_000;
const MAX_UINT64 = 2n ** 64n - 1n;

/** What has gone through connections: agents report it, and both sides read it. */
export const trafficHandlers = (
  traffic: Pick<Traffic, 'of' | 'take'>,
  connections: Repositories['connections'],
): TrafficRpcs => {
  const visible = visibleIn(connections);
  return {
    getConnectionTraffic: unary(async ({ connectionId }, rpc) => {
      if (!isId(connectionId, 'ep')) throw notFound(connectionId);
      const { state } = await visible(connectionId, rpc);
      const own = Object.keys(state.zones);
      const counted = await traffic.of(connectionId, own);
      const inZones = new Map(counted.map((zone) => [zone.zoneId, toZone(state, zone)]));
      const zones = [...new Set([...own, ...inZones.keys()])]
        .sort()
        .map(
          (zoneId) =>
            inZones.get(zoneId) ?? { zoneId, counters: undefined, sinceTime: undefined, reportTime: undefined },
        );
      return { zones, total: counted.length > 0 ? toCounters(state, counted) : undefined };
    }),

    reportTraffic: unary(async (request) => {
      check(request);
      const { number, taken } = await traffic.take(request);
      if (!taken) throw new Rejected<TrafficRejection>('REPORT_OUT_OF_TURN', { number: String(number) });
      return { number };
    }),
  };
};

const check = ({ zoneId, meterId, after, runs, readings }: ReportTrafficRequest): void => {
  const v = violations();
  checkName(v, 'zone_id', zoneId);
  checkName(v, 'meter_id', meterId);
  checkCount(v, 'after', after);
  v.check('runs', runs.length <= MAX_RUNS, `must be at most ${MAX_RUNS}`);
  for (const [index, run] of runs.slice(0, MAX_RUNS).entries()) checkName(v, `runs[${index}]`, run);
  v.check('readings', readings.length <= MAX_READINGS, `must be at most ${MAX_READINGS}`);
  const known = new Set(runs);
  const read = new Set<string>();
  for (const [index, { connectionId, run }] of readings.slice(0, MAX_READINGS).entries()) {
    const key = `${connectionId} ${run}`;
    checkId(v, `readings[${index}].connection_id`, connectionId, 'ep') &&
      v.check(`readings[${index}].connection_id`, !read.has(key), 'must not be there twice of one run');
    v.check(`readings[${index}].run`, known.has(run), 'must be one of the runs');
    read.add(key);
  }
  v.throwIfAny();
};

const toZone = (connection: Connection, zone: Counted): ZoneTraffic => ({
  zoneId: zone.zoneId,
  counters: toCounters(connection, [zone]),
  // Whoever counts in the zone may have begun before there was anything to be counted.
  sinceTime: timestamp(latest(connection.createdAt, zone.sinceTime.toISOString())),
  reportTime: timestamp(zone.reportTime.toISOString()),
});

const latest = (a: string, b: string): string => (Date.parse(a) > Date.parse(b) ? a : b);

/** Flows of a reverse endpoint come from the service's side. */
const toCounters = (connection: Connection, zones: readonly Counted[]): TrafficCounters => {
  const sum = (of: (zone: Counted) => bigint): bigint => {
    const exact = zones.reduce((total, zone) => total + of(zone), 0n);
    return exact < MAX_UINT64 ? exact : MAX_UINT64;
  };
  const [received, sent] = [sum((zone) => zone.receivedBytes), sum((zone) => zone.sentBytes)];
  const [bytesToService, bytesToEndpoint] = isReverse(connection) ? [sent, received] : [received, sent];
  return {
    ...{ bytesToService, bytesToEndpoint, flows: sum((zone) => zone.flows) },
    ...{ openFlows: sum((zone) => zone.openFlows), failedFlows: sum((zone) => zone.failedFlows) },
  };
};
