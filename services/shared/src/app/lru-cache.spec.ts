import { expect, test } from 'vitest';
import { LRUCache } from './lru-cache.ts';

test('forgets what was used longest ago', () => {
  const cache = new LRUCache<string, number>(2);
  cache.set('a', 1);
  cache.set('b', 2);
  expect(cache.get('a')).toBe(1);
  cache.set('c', 3);
  expect(cache.get('b')).toBeUndefined();
  expect([cache.get('a'), cache.get('c')]).toEqual([1, 3]);
  cache.set('a', 4);
  cache.set('d', 5);
  expect([cache.get('a'), cache.get('c'), cache.get('d')]).toEqual([4, undefined, 5]);
  cache.delete('a');
  expect(cache.get('a')).toBeUndefined();
});

test('holds fewer of what weighs more', () => {
  const cache = new LRUCache<string, string>(6, (value) => value.length);
  cache.set('a', 'xx');
  cache.set('b', 'xx');
  cache.set('c', 'xx');
  cache.set('b', 'xxxx');
  expect([cache.get('a'), cache.get('b'), cache.get('c')]).toEqual([undefined, 'xxxx', 'xx']);
  cache.delete('b');
  cache.set('d', 'xxxx');
  expect([cache.get('c'), cache.get('d')]).toEqual(['xx', 'xxxx']);
});
