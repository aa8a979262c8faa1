import { describe, expect, test } from 'vitest';
import { createMemoryStore } from '../testing/memory-store.ts';
import { InvalidRequest } from './errors.ts';
import { add, eventsOf, open, openCounters, reach, request } from './test-support.ts';

const addMany = async (
  { counters }: Pick<ReturnType<typeof openCounters>, 'counters'>,
  count: number,
  prefix: string,
): Promise<void> => {
  await Promise.all(Array.from({ length: count }, (_, n) => counters.execute('x', add(1), request(`${prefix}${n}`))));
};

describe.each([
  { where: 'the same instance', another: false },
  { where: 'another instance', another: true },
])('a repeated request, at $where', ({ another }) => {
  const start = async () => {
    const memory = createMemoryStore();
    const first = openCounters(memory);
    await first.counters.execute('x', open, request('open'));
    return { memory, first, second: another ? openCounters(memory) : first };
  };

  test('gives the first outcome and what is now, and appends nothing', async () => {
    const { memory, first, second } = await start();
    const once = await first.counters.execute('x', add(2), request('r1'));
    await first.counters.execute('x', add(5), request('r2'));
    const again = await second.counters.execute('x', add(2), request('r1'));
    expect(again).toMatchObject({ repeated: true, events: [], state: { value: 2 }, revision: 1n });
    expect(again).toMatchObject({ position: once.position, latest: { state: { value: 7 }, revision: 2n } });
    expect(await eventsOf(memory, 'counter-x')).toHaveLength(3);
  });

  test('gives the outcome after the last of its events', async () => {
    const { first, second } = await start();
    await first.counters.execute('x', { type: 'AddTwice', data: { by: 2 } }, request('r1'));
    await first.counters.execute('x', add(5), request('r2'));
    const again = await second.counters.execute('x', { type: 'AddTwice', data: { by: 2 } }, request('r1'));
    expect(again).toMatchObject({ repeated: true, state: { value: 4 }, revision: 2n });
  });

  test('with another body is REQUEST_ID_REUSED', async () => {
    const { first, second } = await start();
    await first.counters.execute('x', add(2), request('r1'));
    const reused = second.counters.execute('x', add(3), request('r1', { fingerprint: 'other' }));
    await expect(reused).rejects.toThrow(InvalidRequest);
    await expect(reused).rejects.toMatchObject({ reason: 'REQUEST_ID_REUSED', violations: [{ field: 'request_id' }] });
    expect((await second.counters.fold('x')).state.value).toBe(2);
  });

  test('is not done again after something else undid it', async () => {
    const { first, second } = await start();
    await first.counters.execute('x', reach(1), request('accept'));
    await first.counters.execute('x', reach(0), request('reject'));
    const late = await second.counters.execute('x', reach(1), request('accept'));
    expect(late).toMatchObject({ repeated: true, state: { value: 1 }, latest: { state: { value: 0 } } });
    expect((await second.counters.fold('x')).state.value).toBe(0);
  });

  test('is known after 255 later ones, and forgotten after 256', async () => {
    const { first, second } = await start();
    await first.counters.execute('x', add(1000), request('r1'));
    await addMany(first, 255, 'later');
    expect(await second.counters.execute('x', add(1000), request('r1'))).toMatchObject({
      repeated: true,
      revision: 1n,
    });
    await first.counters.execute('x', add(1), request('one more'));
    expect(await second.counters.execute('x', add(1000), request('r1'))).toMatchObject({
      repeated: false,
      state: { value: 2256 },
    });
  });

  test('that created is known for ever, also across a snapshot', async () => {
    const { memory, first, second } = await start();
    const created = (await first.counters.recall('x', request('open')))?.state.openedAt;
    await addMany(first, 600, 'later');
    expect((await eventsOf(memory, 'counter-x')).filter(({ type }) => type === 'counter.snapshot.v1')).toHaveLength(1);
    const again = await second.counters.execute('x', open, request('open'));
    expect(again).toMatchObject({ repeated: true, revision: 0n, state: { openedAt: created, value: 0 } });
    expect(again.latest.state.value).toBe(600);
  });

  test('is known across a snapshot', async () => {
    const { memory, first, second } = await start();
    await addMany(first, 490, 'early');
    await first.counters.execute('x', add(1000), request('r1'));
    await addMany(first, 20, 'late');
    expect((await eventsOf(memory, 'counter-x')).map(({ type }) => type)).toContain('counter.snapshot.v1');
    expect(await second.counters.execute('x', add(1000), request('r1'))).toMatchObject({
      repeated: true,
      revision: 491n,
      state: { value: 1490 },
      latest: { state: { value: 1510 } },
    });
  });
});

test('a creation that is repeated where nothing is cached shows what was created, not what would be now', async () => {
  let now = new Date('2026-01-01T00:00:00.000Z');
  const clock = { now: () => now, sleep: async () => {} };
  const memory = createMemoryStore();
  await openCounters(memory, { clock }).counters.execute('x', open, request('open'));
  now = new Date('2026-01-02T00:00:00.000Z');
  const { counters } = openCounters(memory, { clock });
  const again = await counters.execute('x', open, request('open'));
  expect(again).toMatchObject({ repeated: true, state: { openedAt: '2026-01-01T00:00:00.000Z' } });
  expect((await counters.fold('x')).state.openedAt).toBe('2026-01-01T00:00:00.000Z');
});

test('the same request twice at once is done once', async () => {
  const { memory, counters } = openCounters();
  await counters.execute('x', open, request('open'));
  const [first, second] = await Promise.all([1, 2].map(() => counters.execute('x', add(2), request('r1'))));
  expect(first).toMatchObject({ repeated: false, revision: 1n, position: 2n, state: { value: 2 } });
  expect(second).toMatchObject({ repeated: true, revision: 1n, position: 2n, state: { value: 2 } });
  expect(await eventsOf(memory, 'counter-x')).toHaveLength(2);
});

test('recall tells the first outcome without deciding anything', async () => {
  const memory = createMemoryStore();
  const [a, b] = [openCounters(memory), openCounters(memory)];
  expect(await b.counters.recall('x', request('open'))).toBeNull();
  await a.counters.execute('x', open, request('open'));
  await a.counters.execute('x', add(1), request('r1'));
  expect(await b.counters.recall('x', request('open'))).toMatchObject({ repeated: true, state: { value: 0 } });
  expect(await b.counters.recall('x', request('r1'))).toMatchObject({ state: { value: 1 }, revision: 1n });
  expect(await b.counters.recall('x', request('r2'))).toBeNull();
  await expect(b.counters.recall('x', request('r1', { fingerprint: 'other' }))).rejects.toThrow(InvalidRequest);
});
