import type { Change, Count } from './api.ts';

const MINUTE_MS = 60_000;

/** Connections of each status at the end of a minute. */
export type Level = Readonly<{ time: number; counts: Readonly<Record<string, number>> }>;

/** How many there were of each status, minute by minute: from those that there are, back over the moves since. */
export const levelsOf = (
  now: readonly Count[],
  changes: readonly Change[],
  { minutes, until }: Readonly<{ minutes: number; until: number }>,
): readonly Level[] => {
  const last = Math.floor(until / MINUTE_MS) * MINUTE_MS;
  const byMinute = Map.groupBy(changes, ({ minute }) => Date.parse(minute));
  const counts: Record<string, number> = Object.fromEntries(now.map(({ name, count }) => [name, count]));
  const levels: Level[] = [];
  for (let time = last; time > last - minutes * MINUTE_MS; time -= MINUTE_MS) {
    levels.push({ time, counts: { ...counts } });
    for (const { from, to, count } of byMinute.get(time) ?? []) {
      counts[to] = (counts[to] ?? 0) - count;
      counts[from] = (counts[from] ?? 0) + count;
    }
  }
  return levels.reverse();
};
