import { expect, it } from 'vitest';
import { times } from './format.ts';

it.each([
  [1, 'once'],
  [2, '2 times'],
  [12_345, '12,345 times'],
])('%d is told as %s', (count, told) => {
  expect(times(count)).toBe(told);
});
