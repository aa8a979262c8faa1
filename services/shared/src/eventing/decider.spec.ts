import { expect, test } from 'vitest';
import { categoryOfStream, evolveAll, idOfStream, streamName } from './decider.ts';
import type { Ev } from './message.ts';

test('a stream is named by its category and the id of its aggregate, which may have dashes', () => {
  const stream = streamName('scopeFacts', 'epsrv-1+zone-a');
  expect(stream).toBe('scopeFacts-epsrv-1+zone-a');
  expect(categoryOfStream(stream)).toBe('scopeFacts');
  expect(idOfStream(stream)).toBe('epsrv-1+zone-a');
});

test('events are applied in their order', () => {
  const word = { evolve: (state: string, event: Ev<'Said', { letter: string }>) => state + event.data.letter };
  const events = ['a', 'b', 'c'].map((letter) => ({ type: 'Said', data: { letter } }) as const);
  expect(evolveAll(word, '>', events)).toBe('>abc');
});
