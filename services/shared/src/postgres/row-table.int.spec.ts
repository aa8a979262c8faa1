import { beforeEach, describe, expect, test } from 'vitest';
import { append, dimmed, keysOf, lit, reached, run, store } from './test-support.ts';

describe('queryRows', () => {
  beforeEach(async () => {
    for (const [key, colour, by] of [
      ['a', 'red', 0],
      ['B', 'red', 60],
      ['c', 'blue', 60],
      ['d', '', 0],
    ] as const) {
      await append(store, `lamp-${key}`, lit(colour), dimmed(by));
    }
    run();
    await reached(8n);
  });

  test('pages in the order of bytes, each key once', async () => {
    expect(await keysOf({ limit: 3 })).toEqual(['B', 'a', 'c']);
    expect(await keysOf({ limit: 3, after: 'c' })).toEqual(['d']);
    expect(await keysOf({ limit: 3, after: 'd' })).toEqual([]);
  });

  test('filters by one value, several, none and absent', async () => {
    expect(await keysOf({ where: { colour: 'red' }, limit: 9 })).toEqual(['B', 'a']);
    expect(await keysOf({ where: { colour: ['red', 'blue'], bright: false }, limit: 9 })).toEqual(['B', 'c']);
    expect(await keysOf({ where: { level: 40n, colour: 'blue' }, limit: 9 })).toEqual(['c']);
    expect(await keysOf({ where: { colour: null }, limit: 9 })).toEqual(['d']);
    expect(await keysOf({ where: { colour: ['blue', null] }, limit: 9 })).toEqual(['c', 'd']);
    expect(await keysOf({ where: { colour: [] }, limit: 9 })).toEqual([]);
    expect(await keysOf({ where: { colour: 'red' }, after: 'B', limit: 9 })).toEqual(['a']);
  });
});
