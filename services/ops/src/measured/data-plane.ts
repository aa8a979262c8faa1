import { type Counters, countersBy, increases } from './counters.ts';
import type { Sample } from './open-metrics.ts';
import type { Process } from './processes.ts';

const BEGAN = 'privatelink_forwarding_shift_start_time_seconds';
const INTERFACES = 'privatelink_forwarding_interfaces';
const IMPAIRED = 'privatelink_forwarding_impaired_interfaces';
const TARGETS = 'privatelink_forwarding_targets';
const RELOADS = 'privatelink_forwarding_reloads_total';
const ROUNDS = 'privatelink_forwarding_round_duration_seconds_count';

export const agentMetrics: ReadonlySet<string> = new Set([BEGAN, INTERFACES, IMPAIRED, TARGETS, RELOADS, ROUNDS]);

/** What an agent does that works. */
export type Work = Readonly<{
  since: Date;
  /** Interfaces that are forwarded. */
  forwards: number;
  /** Interfaces that do not do yet what they should. */
  pending: number;
  /** Of those, the ones that could not be placed. */
  notInPlace: number;
  withoutTarget: number;
  limitsNotKept: number;
  targetsDown: number;
  /** Within the last half hour, as far as somebody has asked. */
  reloads: number;
  failedRounds: number;
}>;

export type Agent = Readonly<{
  address: string;
  /** Of one that was not heard yet, empty. */
  name: string;
  isAnswering: boolean;
  heardAt: Date | null;
  /** Of one that answers, if it is its turn. */
  work: Work | null;
}>;

export type DataPlane = Readonly<{
  /** Those that there should be, and those that agents say they are of. */
  zones: readonly Readonly<{ zoneId: string; agents: readonly Agent[] }>[];
  /** Agents that have not said yet of which zone they are. */
  unknown: readonly Agent[];
}>;

type Rise = Readonly<{ time: number; counters: Counters }>;
type Counted = Readonly<{ counters: Counters; rises: readonly Rise[] }>;

const RECENT_MS = 30 * 60_000;

/** What the agents of these zones, and of any others, say of themselves. */
export const createDataPlane = (zoneIds: readonly string[]) => {
  let processes: readonly Process[] = [];
  const counted = new Map<string, Counted>();

  const count = ({ address, samples }: Process, time: number): void => {
    const counters = countersBy(samples, counterOf);
    const before = counted.get(address);
    const risen = before ? increases(before.counters, counters) : new Map<string, number>();
    const recent = (before?.rises ?? []).filter((rise) => rise.time > time - RECENT_MS);
    const hasRisen = [...risen.values()].some((by) => by > 0);
    counted.set(address, { counters, rises: hasRisen ? [...recent, { time, counters: risen }] : recent });
  };

  const recently = (address: string, key: string): number =>
    (counted.get(address)?.rises ?? []).reduce((sum, { counters }) => sum + (counters.get(key) ?? 0), 0);

  const agentOf = ({ address, isAnswering, heardAt, samples }: Process): Agent => {
    const began = samples.find(({ name }) => name === BEGAN);
    const sum = (name: string, labels: Sample['labels'] = {}): number =>
      samples
        .filter((sample) => sample.name === name && Object.entries(labels).every(([l, v]) => sample.labels[l] === v))
        .reduce((total, { value }) => total + value, 0);
    const work = {
      since: new Date((began?.value ?? 0) * 1_000),
      forwards: sum(INTERFACES, { desired: 'READY', confirmed: 'true' }),
      pending: sum(INTERFACES, { confirmed: 'false' }),
      notInPlace: sum(IMPAIRED, { problem: 'not in place' }),
      withoutTarget: sum(IMPAIRED, { problem: 'no target' }),
      limitsNotKept: sum(IMPAIRED, { problem: 'limit not kept' }),
      targetsDown: sum(TARGETS, { state: 'down' }),
      reloads: recently(address, RELOADS),
      failedRounds: recently(address, ROUNDS),
    };
    const isAtWork = isAnswering && began !== undefined && began.value > 0;
    return { address, name: began?.labels['agent'] ?? '', isAnswering, heardAt, work: isAtWork ? work : null };
  };

  return {
    hear: (heard: readonly Process[], time: Date): void => {
      processes = heard;
      const present = new Set(heard.map(({ address }) => address));
      for (const address of counted.keys()) if (!present.has(address)) counted.delete(address);
      for (const process of heard.filter(({ isAnswering }) => isAnswering)) count(process, time.getTime());
    },

    show: (): DataPlane => {
      const byZone = Map.groupBy(processes, zoneOf);
      const told = [...byZone.keys()].filter((zoneId) => zoneId !== '' && !zoneIds.includes(zoneId)).sort();
      const agentsOf = (zoneId: string) => (byZone.get(zoneId) ?? []).map(agentOf).sort(byName);
      return {
        zones: [...zoneIds, ...told].map((zoneId) => ({ zoneId, agents: agentsOf(zoneId) })),
        unknown: agentsOf(''),
      };
    },
  };
};

const zoneOf = ({ samples }: Process): string => samples.find(({ name }) => name === BEGAN)?.labels['zone'] ?? '';

const byName = (a: Agent, b: Agent): number => (a.name < b.name ? -1 : 1);

const counterOf = ({ name, labels }: Sample): string | undefined =>
  name === RELOADS || (name === ROUNDS && labels['outcome'] === 'failed') ? name : undefined;
