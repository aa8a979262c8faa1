import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lateStory, run, type Step, story, zoneStory } from './connection.stories.ts';
import { zoneStatus, zoneTransitions } from './zone-status.ts';

const rowOf = (from: string | null, on: string, to: string): string => `${from ?? '(none)'} --${on}--> ${to}`;
const rows = zoneTransitions.flatMap(({ from, on, to }) => from.map((status) => rowOf(status, on, to)));

/** Of each zone whose status an append moves: the rows by which any of the append's events may have moved it. */
const movesOf = ({ before, events, after }: Step): readonly (readonly string[])[] => {
  if (before.status === 'GONE') return [];
  const zoneIds = new Set([...Object.keys(before.zones), ...Object.keys(after.zones)]);
  return [...zoneIds].flatMap((zoneId) => {
    const [was, is] = [before.zones[zoneId], after.zones[zoneId]];
    const from = was ? zoneStatus(before, was) : null;
    const to = is && after.status !== 'GONE' ? zoneStatus(after, is) : 'GONE';
    if (from === to) return [];
    const own = events.filter(({ data }) => !('zoneId' in data) || data.zoneId === zoneId);
    return [own.map(({ type }) => rowOf(from, type, to)).filter((row) => rows.includes(row))];
  });
};

describe('the declared table of a zone', () => {
  it('is left by no sequence of commands, facts and reports', () => {
    fc.assert(
      fc.property(fc.oneof(story, lateStory, zoneStory), (commands) => {
        for (const step of run(commands)) for (const by of movesOf(step)) expect(by).not.toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  it('has no row that no life reaches', () => {
    const lives = [
      ...fc.sample(zoneStory, { numRuns: 6_000, seed: 3 }),
      ...fc.sample(story, { numRuns: 1_500, seed: 3 }),
    ];
    const reached = new Set(lives.flatMap((commands) => run(commands).flatMap((step) => movesOf(step).flat())));
    expect(rows.filter((row) => !reached.has(row))).toEqual([]);
  });
});
