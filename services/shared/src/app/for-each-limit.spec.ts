import { expect, test } from 'vitest';
import { forEachLimit } from './for-each-limit.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('does all of it, so many at a time', async () => {
  const done: number[] = [];
  let running = 0;
  let most = 0;
  await forEachLimit([1, 2, 3, 4, 5, 6, 7], 3, async (n) => {
    most = Math.max(most, ++running);
    await turn();
    running--;
    done.push(n);
  });
  expect(done.toSorted()).toEqual([1, 2, 3, 4, 5, 6, 7]);
  expect(most).toBe(3);
});

test('the first failure stops what has not begun', async () => {
  const begun: number[] = [];
  const work = forEachLimit([1, 2, 3, 4, 5, 6], 2, async (n) => {
    begun.push(n);
    await turn();
    if (n === 1) throw new Error('one');
  });
  await expect(work).rejects.toThrow('one');
  await turn();
  expect(begun.length).toBeLessThan(5);
});

test('of nothing does nothing', async () => {
  await forEachLimit([], 3, () => Promise.reject(new Error('never')));
});
