import { spawnSync } from 'node:child_process';
import { availableParallelism, cpus, loadavg, release, type } from 'node:os';
import { percentile, round } from './statistics.ts';
import { table } from './table.ts';
import { CHANGE_ROUNDS, type Changes } from './traffic-changes.ts';
import type { Load } from './traffic-load.ts';
import { type Costs, type PathName, ROUNDS, type Samples, SECONDS } from './traffic-paths.ts';

/** What somebody has to know of the machine to compare, with how busy it is now. */
export const describeMachine = (haproxy: string): string => {
  const version = /version (\S+)/.exec(spawnSync(haproxy, ['-v'], { encoding: 'utf8' }).stdout)?.[1];
  const processors = `${availableParallelism()} processors (${cpus()[0]?.model.trim()})`;
  const busy = round(loadavg()[0] ?? 0);
  const warning = busy > availableParallelism() / 4 ? ': too busy for figures that mean much' : '';
  return `${processors}, ${type()} ${release()}, HAProxy ${version}, Node ${process.version}, load before ${busy}${warning}`;
};

type Results = Readonly<{ machine: string; loads: readonly Load[]; costs: Costs; changes: readonly Changes[] }>;

/** The figures as text that is Markdown too. */
export const report = ({ machine, loads, costs, changes }: Results): string => {
  const median = (values: readonly number[]): number => percentile(values, 0.5);
  const rate = (value: number): string => (value < 100 ? value.toFixed(1) : Math.round(value).toLocaleString('en'));
  const ratio = (samples: Samples, other: PathName): string => {
    const ratios = samples.endpoint.map((value, index) => value / (samples[other][index] ?? Number.NaN));
    const [least, most] = [Math.min(...ratios), Math.max(...ratios)].map((value) => value.toFixed(2));
    return `${median(ratios).toFixed(2)} (${least} to ${most})`;
  };
  const ms = (values: readonly number[]): string => `${round(median(values), 1)} / ${round(Math.max(...values), 1)}`;
  return [
    machine,
    '',
    ...loads.map(({ kind, how }) => `${kind}: ${how}`),
    `Medians of ${ROUNDS} rounds of ${SECONDS} s each way, in turn; ratios are those of the rounds: median (least to most).`,
    '',
    table(
      ['', 'direct', 'hand-written', 'endpoint', 'endpoint : direct', 'endpoint : hand-written'],
      loads.map(({ kind, unit }) => {
        const samples = costs[kind];
        const rates = [samples.direct, samples.handWritten, samples.endpoint].map((values) => rate(median(values)));
        return [`${kind}, ${unit}`, ...rates, ratio(samples, 'direct'), ratio(samples, 'handWritten')];
      }),
    ),
    '',
    `Milliseconds that one change takes beside so many endpoints: p50 / max of ${CHANGE_ROUNDS}.`,
    '',
    table(
      ['', ...changes.map(({ endpoints }) => endpoints.toLocaleString('en'))],
      [
        ['opened: it accepts', ...changes.map(({ opened }) => ms(opened))],
        ['closed: its established flow is cut', ...changes.map(({ cut }) => ms(cut))],
        ['closed: known to be so', ...changes.map(({ closed }) => ms(closed))],
      ],
    ),
  ].join('\n');
};
