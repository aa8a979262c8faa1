import { expect, it } from 'vitest';
import { bytes, times } from './format.ts';

it.each([
  [1, 'once'],
  [2, '2 times'],
  [12_345, '12,345 times'],
])('%d is told as %s', (count, told) => {
  expect(times(count)).toBe(told);
});

it.each([
  [0, '0 B'],
  [999, '999 B'],
  [999.7, '1 kB'],
  ['1234', '1.23 kB'],
  [999_500, '1 MB'],
  ['18446744073709551615', '18.4 EB'],
])('%s bytes are told as %s', (count, told) => {
  expect(bytes(count)).toBe(told);
});
