import { expect, it } from 'vitest';
import type { StoredEvent } from '../storage/records.ts';
import { createCommits } from './commits.ts';

const committed = (stream: string): StoredEvent[] => [{ stream } as StoredEvent];

/** Whether the subscriber has something to do already. */
function isDue(next: Promise<void>): Promise<boolean> {
  return Promise.race([next.then(() => true), new Promise<false>((resolve) => setImmediate(resolve, false))]);
}

it('remembers a commit that came while the subscriber was busy, once', async () => {
  const commits = createCommits();
  const subscriber = commits.subscribe();
  commits.publish(committed('a'));
  commits.publish(committed('a'));
  expect(await isDue(subscriber.next())).toBe(true);
  const next = subscriber.next();
  expect(await isDue(next)).toBe(false);
  commits.publish(committed('b'));
  expect(await isDue(next)).toBe(true);
});

it('wakes the subscriber of a stream for that stream only, and a closed one for good', async () => {
  const commits = createCommits();
  const subscriber = commits.subscribe('a');
  const next = subscriber.next();
  commits.publish(committed('b'));
  expect(await isDue(next)).toBe(false);
  commits.publish([...committed('b'), ...committed('a')]);
  expect(await isDue(next)).toBe(true);
  const last = subscriber.next();
  subscriber.close();
  expect(await isDue(last)).toBe(true);
});
