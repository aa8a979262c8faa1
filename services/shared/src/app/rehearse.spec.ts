import { expect, test } from 'vitest';
import type { CommandContext } from '../eventing/command-context.ts';
import { type Rehearsal, startRehearsal } from '../eventing/rehearsal.ts';
import { foldIn, idsIn } from './rehearse.ts';
import { add, eventsOf, open, openCounters, request } from './test-support.ts';

const within = (rehearsal: Rehearsal, id: string): CommandContext => ({ ...request(id), rehearsal });

test('a rehearsal decides each command on what those before it would have led to, and appends nothing', async () => {
  const { memory, store, counters } = openCounters();
  await counters.execute('a', open, request('1'));
  store.calls.length = 0;
  const rehearsal = startRehearsal();
  await counters.execute('a', add(3), within(rehearsal, '2'));
  const outcome = await counters.execute('a', add(4), within(rehearsal, '3'));
  expect(outcome).toMatchObject({ state: { value: 7 }, revision: 2n, events: [{ type: 'Added' }], repeated: false });
  await counters.execute('b', open, within(rehearsal, '4'));
  expect(
    rehearsal.planned.map(({ resourceType, resourceId, type }) => `${resourceType} ${resourceId} ${type}`),
  ).toEqual(['counter a Added', 'counter a Added', 'counter b Opened']);
  expect(idsIn(rehearsal, 'counter')).toEqual(['a', 'b']);
  expect((await foldIn(rehearsal, counters, 'a')).state.value).toBe(7);

  expect(store.calls).not.toContain('append');
  expect(await eventsOf(memory, 'counter-a')).toHaveLength(1);
  expect((await counters.fold('a')).state.value).toBe(0);
  expect((await counters.execute('a', add(1), request('2'))).state.value).toBe(1);
});

test('a rehearsal refuses what the request itself would be refused, and plans nothing then', async () => {
  const { counters } = openCounters();
  const rehearsal = startRehearsal();
  await expect(counters.execute('a', add(1), within(rehearsal, '1'))).rejects.toThrow('COUNTER_NOT_FOUND');
  const { revision } = await counters.execute('a', open, request('1'));
  const stale = { expectedRevision: (revision ?? 0n) + 5n };
  await expect(counters.execute('a', add(1), within(rehearsal, '2'), stale)).rejects.toThrow('revision');
  expect(rehearsal.planned).toEqual([]);
});

test('of a request that was made before it plans nothing, and tells its first outcome', async () => {
  const { counters } = openCounters();
  await counters.execute('a', open, request('1'));
  await counters.execute('a', add(1), request('2'));
  await counters.execute('a', add(1), request('3'));
  const rehearsal = startRehearsal();
  const outcome = await counters.execute('a', add(1), within(rehearsal, '2'));
  expect(outcome).toMatchObject({ repeated: true, state: { value: 1 }, latest: { state: { value: 2 } } });
  expect(rehearsal.planned).toEqual([]);
});
