import { expect, test } from 'vitest';
import { entriesOf, type Parted, valueAt, withoutKey, withValue } from './parted.ts';

const KEYS = Array.from({ length: 5_000 }, (_, index) => `ep-${index}@zone`);
const full = KEYS.reduce<Parted<number>>((parted, key, index) => withValue(parted, key, index), {});

test('has the values that were put there, and not those that were taken out', () => {
  expect(KEYS.map((key) => valueAt(full, key))).toEqual(KEYS.map((_, index) => index));
  expect(new Map(entriesOf(full))).toEqual(new Map(KEYS.map((key, index) => [key, index])));
  const less = withoutKey(withValue(full, 'ep-7@zone', -7), 'ep-8@zone');
  expect(['ep-7@zone', 'ep-8@zone', 'ep-9@zone'].map((key) => valueAt(less, key))).toEqual([-7, undefined, 9]);
  expect(entriesOf(less)).toHaveLength(4_999);
  expect(valueAt(full, 'ep-8@zone')).toBe(8);
  expect([valueAt(full, 'toString'), valueAt({}, 'x'), entriesOf(withoutKey({}, 'x'))]).toEqual([
    undefined,
    undefined,
    [],
  ]);
});

test('is the same after it was JSON', () => {
  const read: Parted<number> = JSON.parse(JSON.stringify(full));
  expect(valueAt(read, 'ep-4999@zone')).toBe(4_999);
});

test('a change copies one part, and parts are small', () => {
  const changed = withValue(full, 'ep-7@zone', -7);
  const parts = Object.keys(full);
  expect(parts.filter((part) => changed[part] !== full[part])).toHaveLength(1);
  expect(Math.max(...Object.values(full).map((part) => Object.keys(part).length))).toBeLessThan(100);
});
