import { expect, test } from 'vitest';
import { rowOf } from './row-table.ts';

test('a row is the same whatever order the keys of its state are in', () => {
  const columns = { users: { type: 'text[]', of: (users: Record<string, true>) => Object.keys(users) } } as const;
  const meta = { key: 'k', position: 1n, revision: 0n, updatedAt: '2026-01-02T03:04:05.678Z' };
  const [one, other] = [{ b: true, a: true } as const, { a: true, b: true } as const];
  expect(rowOf(columns, { ...meta, state: one })).toEqual(rowOf(columns, { ...meta, state: other }));
  expect(rowOf(columns, { ...meta, state: one })).toMatchObject({ users: ['a', 'b'] });
});
