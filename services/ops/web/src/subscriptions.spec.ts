import { expect, test } from 'vitest';
import { gapOf, summaryOf } from './subscriptions.ts';

const subscription = (name: string, position: string | undefined, change = {}) => ({
  ...{ name, holder: 'broker-1', epoch: '1', leaseExpireTime: undefined, failingCount: 0, failing: [] },
  ...{ position, tailPosition: position === undefined ? undefined : '9007199254740999' },
  ...change,
});

test('a gap is what is left up to the end, also of large positions', () => {
  expect(gapOf({ position: '9007199254740992', tailPosition: '9007199254740999' })).toBe(7);
  expect(gapOf({ position: '8', tailPosition: '7' })).toBe(0);
  expect(gapOf({ position: undefined, tailPosition: '7' })).toBeNull();
});

test('of a service the one furthest behind is told, and what is amiss', () => {
  const all = [
    subscription('publisher.broker', undefined),
    subscription('reactor.connecting', '9007199254740990', { failingCount: 2 }),
    subscription('reactor.closing', '9007199254740980', { failingCount: 1 }),
    subscription('projection.connections', '9007199254740999', { holder: '' }),
  ];
  expect(summaryOf(all)).toEqual({
    ...{ count: 4, furthest: { name: 'reactor.closing', gap: 19 }, unheld: 1, failing: 3 },
  });
  expect(summaryOf(all.slice(3))).toMatchObject({ count: 1, furthest: null });
});
