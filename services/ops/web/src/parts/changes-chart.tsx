import { Area, AreaChart, Bar, BarChart, ResponsiveContainer } from 'recharts';
import type { Change, Count } from '../api.ts';
import { words } from '../format.ts';
import { levelsOf } from '../levels.ts';
import { clock, frame } from './chart-frame.tsx';

const COLOURS: Readonly<Record<string, string>> = {
  CONNECTED: 'light-dark(#2f9e5e, #4bbf80)',
  CONNECTING: 'light-dark(#4a86e8, #6ea2f5)',
  CHANGING: 'light-dark(#8f63d8, #ac8af0)',
  DISCONNECTING: 'light-dark(#e09a2b, #e8ac4c)',
  DISCONNECTED: 'light-dark(#8c96a5, #8591a1)',
  SERVICE_DELETED: 'light-dark(#d64c42, #e8756c)',
  DELETING: 'light-dark(#c25c92, #d97fae)',
  GONE: 'light-dark(#c3c9d2, #48525f)',
};

const MINUTE_MS = 60_000;

/** One row for each minute, also for those in which nothing moved. */
const rowsOf = (changes: readonly Change[], minutes: number, now: number) => {
  const last = Math.floor(now / MINUTE_MS) * MINUTE_MS;
  const rows = new Map(
    Array.from({ length: minutes }, (_, index) => {
      const time = last - (minutes - 1 - index) * MINUTE_MS;
      return [time, { minute: clock.format(time) } as Record<string, string | number>];
    }),
  );
  for (const { minute, to, count } of changes) {
    const row = rows.get(Date.parse(minute));
    if (row) row[to] = Number(row[to] ?? 0) + count;
  }
  return [...rows.values()];
};

const drawn = (status: string) => ({
  ...{ key: status, dataKey: status, name: words(status), isAnimationActive: false },
  fill: COLOURS[status] ?? 'var(--idle)',
});

type Options = Readonly<{ changes: readonly Change[]; minutes: number }>;

/** Moves of connections in each minute, by the status that they came to. */
export const ChangesChart = ({ changes, minutes }: Options) => {
  const statuses = Object.keys(COLOURS).filter((status) => changes.some(({ to }) => to === status));
  if (statuses.length === 0) return <p className="muted">Nothing moved in the last {minutes} minutes.</p>;
  return (
    <div className="chart">
      <ResponsiveContainer width="100%" height="100%">
        <BarChart data={rowsOf(changes, minutes, Date.now())} accessibilityLayer>
          {frame()}
          {statuses.map((status) => {
            const { key, ...bar } = drawn(status);
            return <Bar key={key} stackId="moves" {...bar} />;
          })}
        </BarChart>
      </ResponsiveContainer>
    </div>
  );
};

/** How many connections there were of each status. */
export const LevelsChart = ({ changes, minutes, now }: Options & Readonly<{ now: readonly Count[] }>) => {
  const levels = levelsOf(now, changes, { minutes, until: Date.now() });
  const statuses = Object.keys(COLOURS).filter((status) => levels.some(({ counts }) => (counts[status] ?? 0) > 0));
  if (statuses.length === 0) return <p className="muted">There are none.</p>;
  return (
    <div className="chart">
      <ResponsiveContainer width="100%" height="100%">
        <AreaChart
          data={levels.map(({ time, counts }) => ({ minute: clock.format(time), ...counts }))}
          accessibilityLayer
        >
          {frame()}
          {statuses.map((status) => {
            const { key, ...area } = drawn(status);
            return <Area key={key} stackId="levels" stroke={area.fill} fillOpacity={0.75} type="stepAfter" {...area} />;
          })}
        </AreaChart>
      </ResponsiveContainer>
    </div>
  );
};
