import { expect, it } from 'vitest';
import { systemClock } from './clock.ts';

it('sleeps as long as it is told, or until it is woken', async () => {
  const started = performance.now();
  await systemClock.sleep(20);
  expect(performance.now() - started).toBeGreaterThanOrEqual(19);
  const waking = new AbortController();
  const sleeping = systemClock.sleep(60_000, waking.signal);
  waking.abort();
  await sleeping;
  await systemClock.sleep(60_000, waking.signal);
  expect(performance.now() - started).toBeLessThan(30_000);
  expect(Math.abs(systemClock.now().getTime() - Date.now())).toBeLessThan(1_000);
});
