import { expect, test } from 'vitest';
import { eventId, resourceId } from './event-id.ts';

test('one id is one event: of a request, in a stream, at its place, with its content', () => {
  const id = eventId('r', 's-1', 0, { a: 1 });
  // A UUID; as it was at all times, since a repeated request must meet its own events.
  expect(id).toBe('c5e86870-09bd-5b95-af11-9c2c41eb5299');
  expect(eventId('r', 's-1', 0, { a: 1 })).toBe(id);
  const others = [
    eventId('q', 's-1', 0, { a: 1 }),
    eventId('r', 's-2', 0, { a: 1 }),
    eventId('r', 's-1', 1, { a: 1 }),
    eventId('r', 's-1', 0, { a: 2 }),
  ];
  expect(new Set([id, ...others]).size).toBe(5);
});

test('a resource is named after the request that creates it', () => {
  const id = resourceId('ep', 'r');
  expect(id).toMatch(/^ep-[0-9a-z]{20}$/);
  expect(resourceId('ep', 'r')).toBe(id);
  expect(new Set([id, resourceId('ep', 'q'), resourceId('ep', 'r', 'zone-a')]).size).toBe(3);
  // They are kept for years: they must never come out otherwise.
  expect(resourceId('ep', '1000000000000001/CreateEndpoint/7')).toBe('ep-t0f3yfrdbc7thpv1mo7r');
});

test('resource ids use all their characters evenly', () => {
  const letters = new Set<string>();
  for (let n = 0; n < 200; n++) for (const letter of resourceId('x', `${n}`).slice(2)) letters.add(letter);
  expect(letters.size).toBe(36);
});
