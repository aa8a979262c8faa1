import { expect, test } from 'vitest';
import { levelsOf } from './levels.ts';

const at = (minute: string) => `2026-01-02T03:${minute}:00.000Z`;
const move = (minute: string, from: string, to: string, count: number) => ({
  ...{ minute: at(minute), from, to, because: 'so it was', count },
});

test('counts of each minute follow from those of now and the moves since', () => {
  const now = [
    { name: 'CONNECTED', count: 7 },
    { name: 'DISCONNECTED', count: 3 },
  ];
  const changes = [
    move('05', '', 'CONNECTING', 10),
    move('05', 'CONNECTING', 'CONNECTED', 10),
    move('07', 'CONNECTED', 'DISCONNECTED', 3),
  ];
  const levels = levelsOf(now, changes, { minutes: 4, until: Date.parse(at('07')) + 30_000 });
  expect(levels.map(({ time }) => new Date(time).toISOString())).toEqual([at('04'), at('05'), at('06'), at('07')]);
  expect(levels.map(({ counts }) => counts['CONNECTED'])).toEqual([0, 10, 10, 7]);
  expect(levels.map(({ counts }) => counts['DISCONNECTED'])).toEqual([0, 0, 0, 3]);
});
