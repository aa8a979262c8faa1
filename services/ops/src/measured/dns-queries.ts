import { type Counters, countersBy, increases } from './counters.ts';
import type { Process } from './processes.ts';

export const dnsMetrics: ReadonlySet<string> = new Set(['privatelink_dns_queries_total']);

export type Rate = Readonly<{ code: string; perSecond: number }>;

export type DnsQueries = Readonly<{
  processes: readonly Omit<Process, 'samples'>[];
  /** Queries answered in a second, by response code. */
  now: readonly Rate[];
  /** The same over the last half hour; times at which nothing was measured are not there. */
  history: readonly Readonly<{ time: Date; rates: readonly Rate[] }>[];
}>;

type Round = Readonly<{ time: number; rates: Counters }>;

const NOW_MS = 10_000;
const STEP_MS = 30_000;
const HISTORY_MS = 30 * 60_000;

/** How many queries DNS answers, of all its processes together, for as long as somebody has asked them. */
export const createDnsQueries = () => {
  const before = new Map<string, Readonly<{ at: number; counters: Counters }>>();
  let processes: readonly Process[] = [];
  let rounds: readonly Round[] = [];

  /** Over the time since the process was heard last: what it answered meanwhile was not answered at once. */
  const ratesOf = ({ address, heardAt, samples }: Process): Counters => {
    const counters = countersBy(samples, ({ labels }) => labels['code']);
    const at = heardAt?.getTime() ?? 0;
    const last = before.get(address);
    before.set(address, { at, counters });
    if (!last || at <= last.at) return new Map();
    const seconds = (at - last.at) / 1_000;
    return new Map([...increases(last.counters, counters)].map(([code, count]) => [code, count / seconds]));
  };

  return {
    hear: (heard: readonly Process[], time: Date): void => {
      processes = heard;
      const present = new Set(heard.map(({ address }) => address));
      for (const address of before.keys()) if (!present.has(address)) before.delete(address);
      const rates = new Map<string, number>();
      const isFirst = before.size === 0;
      for (const process of heard.filter(({ isAnswering }) => isAnswering)) {
        for (const [code, rate] of ratesOf(process)) rates.set(code, (rates.get(code) ?? 0) + rate);
      }
      // Of what nobody was there to tell nothing is known.
      if (isFirst || !heard.some(({ isAnswering }) => isAnswering)) return;
      const oldest = time.getTime() - HISTORY_MS;
      rounds = [...rounds.filter((round) => round.time > oldest), { time: time.getTime(), rates }];
    },

    show: (time: Date): DnsQueries => {
      const latest = rounds.filter((round) => round.time > time.getTime() - NOW_MS);
      const steps = Map.groupBy(rounds, (round) => Math.floor(round.time / STEP_MS) * STEP_MS);
      return {
        processes: processes.map(({ samples: _, ...process }) => process),
        now: average(latest),
        history: [...steps].map(([step, within]) => ({ time: new Date(step), rates: average(within) })),
      };
    },
  };
};

const average = (rounds: readonly Round[]): readonly Rate[] => {
  const codes = new Set(rounds.flatMap(({ rates }) => [...rates.keys()]));
  return [...codes].sort().map((code) => {
    const sum = rounds.reduce((total, { rates }) => total + (rates.get(code) ?? 0), 0);
    return { code, perSecond: sum / rounds.length };
  });
};
