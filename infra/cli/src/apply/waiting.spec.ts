import { expect, it } from 'vitest';
import { StillWaiting } from './failures.ts';
import { until } from './waiting.ts';

const waitingFor = () => {
  const said: string[] = [];
  return { said, progress: { done: () => undefined, waiting: (line: string) => void said.push(line) } };
};

it('says what it waits for until it is so', async () => {
  const { said, progress } = waitingFor();
  const seen = ['CREATING', 'CREATING', true] as const;
  let at = 0;
  await until(
    'Endpoint e',
    { progress, deadline: Number.POSITIVE_INFINITY, pollMs: 0 },
    async () => seen[at++] ?? true,
  );
  expect(said).toEqual(['Endpoint e CREATING', 'Endpoint e CREATING', '']);
});

it('gives up after the deadline, with what it saw last', async () => {
  const { progress } = waitingFor();
  const waiting = until('Endpoint e', { progress, deadline: 0, pollMs: 0 }, async () => 'CREATING');
  await expect(waiting).rejects.toThrow(StillWaiting);
  await expect(waiting).rejects.toThrow('Endpoint e is still CREATING');
});
