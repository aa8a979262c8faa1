import { expect, test } from 'vitest';
import { type TransitionRow, transitionBy } from './transition-table.ts';

type Status = 'OPEN' | 'CLOSED' | 'GONE';
type On = 'Make' | 'Close' | 'Remove';

const table: readonly TransitionRow<Status, On>[] = [
  { from: [null], on: 'Make', to: 'OPEN', because: 'it was made' },
  { from: ['OPEN'], on: 'Close', to: 'CLOSED', because: 'it was closed' },
  { from: ['OPEN', 'CLOSED'], on: 'Remove', to: 'GONE', because: 'it was removed' },
];
const move = transitionBy(table);

test('moves by a row of the table, and says by which', () => {
  expect(move(null, 'Make', 'OPEN')).toEqual({ from: null, to: 'OPEN', because: 'Make' });
  expect(move('CLOSED', 'Remove', 'GONE')).toEqual({ from: 'CLOSED', to: 'GONE', because: 'Remove' });
});

test.each([
  [null, 'Close', 'CLOSED', '(none) --Close--> CLOSED'],
  ['CLOSED', 'Close', 'CLOSED', 'CLOSED --Close--> CLOSED'],
  ['OPEN', 'Close', 'GONE', 'OPEN --Close--> GONE'],
  ['OPEN', 'Make', 'OPEN', 'OPEN --Make--> OPEN'],
] as const)('never leaves it: from %s on %s to %s', (from, on, to, message) => {
  expect(() => move(from, on, to)).toThrow(`no row in the transition table: ${message}`);
});
