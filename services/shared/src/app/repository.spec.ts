import { expect, test, vi } from 'vitest';
import { Rejected } from '../eventing/rejected.ts';
import { systemClock } from '../runtime/clock.ts';
import { createMemoryStore } from '../testing/memory-store.ts';
import { Conflict, Unavailable } from './errors.ts';
import { absent } from './fold.ts';
import { foldCache } from './fold-cache.ts';
import { createRepository } from './repository.ts';
import { add, counter, counterCodec, eventsOf, LIMIT, open, openCounters, reach, request } from './test-support.ts';

const outcomes = async (promises: readonly Promise<unknown>[]): Promise<unknown[]> =>
  (await Promise.allSettled(promises)).map((result) => (result.status === 'fulfilled' ? 'done' : result.reason));

test('a creation takes one append and no read; a later command of the same instance one append', async () => {
  const { store, counters } = openCounters();
  const created = await counters.execute('a', open, request('1'));
  expect(created).toMatchObject({ revision: 0n, position: 1n, repeated: false, events: [{ type: 'Opened' }] });
  expect(store.calls).toEqual(['append']);
  const added = await counters.execute('a', add(3), request('2'));
  expect(added).toMatchObject({ state: { value: 3 }, revision: 1n, position: 2n });
  expect(added.latest).toMatchObject({ state: { value: 3 }, revision: 1n, position: 2n });
  expect(store.calls).toEqual(['append', 'append']);
});

test('what is recorded tells who asked, why and by which request', async () => {
  const { memory, counters } = openCounters();
  await counters.execute('a', open, request('1'));
  await counters.execute('a', { type: 'AddTwice', data: { by: 1 } }, request('2'));
  const events = await eventsOf(memory, 'counter-a');
  expect(events.map((event) => event.type)).toEqual(['Opened.v1', 'Added.v1', 'Added.v1']);
  expect(new Set(events.map((event) => event.id)).size).toBe(3);
  expect(events[2]?.metadata).toEqual({
    $correlationId: 'correlation-2',
    $causationId: 'cause-2',
    accountId: '1000000000000001',
    actor: 'user:alice',
    requestId: '1000000000000001/Counter/2',
    fingerprint: 'body',
    producer: 'spec',
  });
});

test('a stale cache loses the race, and the command is decided again on what is there', async () => {
  const memory = createMemoryStore();
  const [a, b] = [openCounters(memory), openCounters(memory)];
  await a.counters.execute('x', open, request('1'));
  await b.counters.execute('x', add(LIMIT - 1), request('2'));
  const last = await a.counters.execute('x', add(1), request('3'));
  expect(last.state.value).toBe(LIMIT);
  expect(last.revision).toBe(2n);
  await expect(b.counters.execute('x', add(1), request('4'))).rejects.toThrow('LIMIT_REACHED');
});

test('what all repositories of a process remember is bounded; what is forgotten is read again', async () => {
  const [store, cache] = [createMemoryStore(), foldCache(170)];
  const repository = () =>
    createRepository({ store, clock: systemClock, producer: 'spec', cache }, counter, counterCodec());
  const [one, other] = [repository(), repository()];
  const reads = vi.spyOn(store, 'read');
  await one.execute('a', open, request('1'));
  await other.execute('b', open, request('2'));
  await one.fold('a', 0n);
  for (const id of ['c', 'd', 'e', 'f']) await other.execute(id, open, request(id));
  for (const id of ['a', 'c', 'd', 'e', 'f']) await one.fold(id, 0n);
  expect(reads).not.toHaveBeenCalled();
  expect((await one.fold('b', 0n)).state.value).toBe(0);
  expect(reads).toHaveBeenCalledTimes(1);
});

test('a stream of many events weighs as many that are young', async () => {
  const cache = foldCache(1_000);
  const folded = (revision: bigint) => ({ ...absent(null), revision });
  for (const id of ['a', 'b', 'c']) cache.set(id, folded(9n));
  cache.set('ledger', folded(1_180n));
  expect(['a', 'b', 'c', 'ledger'].map((id) => cache.get(id)?.revision)).toEqual([undefined, undefined, 9n, 1_180n]);
});

test('a fold that is to reach a revision reads only where what is known does not', async () => {
  const memory = createMemoryStore();
  const [a, b] = [openCounters(memory), openCounters(memory)];
  await a.counters.execute('x', open, request('1'));
  const before = a.store.calls.length;
  expect(await a.counters.fold('x', 0n)).toMatchObject({ revision: 0n, state: { value: 0 } });
  expect(a.store.calls.length).toBe(before);
  await b.counters.execute('x', add(2), request('2'));
  expect(await a.counters.fold('x', 1n)).toMatchObject({ revision: 1n, state: { value: 2 } });
  expect(a.store.calls.length).toBeGreaterThan(before);
  await b.counters.execute('x', add(3), request('3'));
  expect(await a.counters.fold('x')).toMatchObject({ revision: 2n, state: { value: 5 } });
});

test('a refusal is never given from a stale cache', async () => {
  const memory = createMemoryStore();
  const [a, b] = [openCounters(memory), openCounters(memory)];
  await a.counters.execute('x', open, request('1'));
  await a.counters.execute('x', add(LIMIT), request('2'));
  await b.counters.execute('x', add(-10), request('3'));
  expect((await a.counters.execute('x', add(10), request('4'))).state.value).toBe(LIMIT);
  await expect(openCounters(memory).counters.execute('x', add(1), request('5'))).rejects.toMatchObject({
    reason: 'LIMIT_REACHED',
    facts: { value: String(LIMIT) },
  });
});

test('that something is done already is never said from a stale cache', async () => {
  const memory = createMemoryStore();
  const [a, b] = [openCounters(memory), openCounters(memory)];
  await a.counters.execute('x', open, request('1'));
  await a.counters.execute('x', add(5), request('2'));
  await b.counters.execute('x', add(1), request('3'));
  expect(await a.counters.execute('x', reach(5), request('4'))).toMatchObject({ state: { value: 5 }, revision: 3n });
  const nothing = await b.counters.execute('x', reach(5), request('5'));
  expect(nothing).toMatchObject({ events: [], repeated: false, revision: 3n, position: 4n });
  expect(await eventsOf(memory, 'counter-x')).toHaveLength(4);
});

test('commands of one stream are decided in order and go out in one append', async () => {
  const { store, counters } = openCounters();
  const amounts = [1, 2, 3, 4];
  const created = counters.execute('a', open, request('0'));
  const done = await Promise.all(amounts.map((by) => counters.execute('a', add(by), request(`${by}`))));
  expect((await created).state.value).toBe(0);
  expect(done.map(({ state }) => state.value)).toEqual([1, 3, 6, 10]);
  expect(done.map(({ revision }) => revision)).toEqual([1n, 2n, 3n, 4n]);
  expect(done.map(({ events }) => events.length)).toEqual([1, 1, 1, 1]);
  expect(store.calls).toEqual(['append']);
});

test('commands that come while an append is under way go out together after it', async () => {
  const first = Promise.withResolvers<void>();
  const { store, counters } = openCounters(createMemoryStore(), { after: () => first.promise });
  const all = [counters.execute('a', open, request('0'))];
  while (store.calls.length === 0) await null;
  for (let n = 1; n <= 200; n++) all.push(counters.execute('a', add(1), request(`${n}`)));
  first.resolve();
  const last = (await Promise.all(all)).at(-1);
  expect(last).toMatchObject({ state: { value: 200 }, revision: 200n });
  // 64 at a time.
  expect(store.calls).toHaveLength(5);
});

test('streams do not wait for each other', async () => {
  const held = Promise.withResolvers<void>();
  let calls = 0;
  const { counters } = openCounters(createMemoryStore(), {
    before: () => (++calls === 1 ? held.promise : Promise.resolve()),
  });
  const slow = counters.execute('slow', open, request('1'));
  expect((await counters.execute('fast', open, request('2'))).revision).toBe(0n);
  held.resolve();
  expect((await slow).revision).toBe(0n);
});

test('a refused command does not fail its batch, nor one that has nothing to do', async () => {
  const { store, memory, counters } = openCounters();
  const all = [open, add(LIMIT), add(1), reach(LIMIT), add(-1)].map((command, n) =>
    counters.execute('a', command, request(`${n}`)),
  );
  expect(await outcomes(all)).toEqual(['done', 'done', expect.any(Rejected), 'done', 'done']);
  // Its position is that of the append it rests on: a list that has passed it shows what the caller was told.
  expect(await all[3]).toMatchObject({ events: [], state: { value: LIMIT }, revision: 1n, position: 3n });
  expect(store.calls).toEqual(['append']);
  expect((await eventsOf(memory, 'counter-a')).map((event) => event.type)).toEqual([
    'Opened.v1',
    'Added.v1',
    'Added.v1',
  ]);
});

test('an expected revision counts what others of the same batch do', async () => {
  const { counters } = openCounters();
  await counters.execute('a', open, request('0'));
  const all = [0n, 0n, 1n].map((expectedRevision, n) =>
    counters.execute('a', add(1), request(`r${n}`), { expectedRevision }),
  );
  expect(await outcomes(all)).toEqual(['done', expect.any(Conflict), 'done']);
  await expect(all[1]).rejects.toMatchObject({ currentRevision: 1n });
  expect((await counters.fold('a')).state.value).toBe(2);
});

test('an expected revision of an absent stream, and one of the future, are conflicts', async () => {
  const { counters } = openCounters();
  await expect(counters.execute('a', open, request('0'), { expectedRevision: 0n })).rejects.toMatchObject({
    name: 'Conflict',
    currentRevision: null,
  });
  await counters.execute('a', open, request('1'));
  await expect(counters.execute('a', add(1), request('2'), { expectedRevision: 4n })).rejects.toMatchObject({
    currentRevision: 0n,
  });
});

test('a refusal that rests on a batch-mate whose append lost is decided again', async () => {
  const memory = createMemoryStore();
  const [a, b] = [openCounters(memory), openCounters(memory)];
  await a.counters.execute('x', open, request('1'));
  await b.counters.execute('x', add(-10), request('2'));
  // On the stale 0 the first would leave no room for the second; on the -10 of the stream there is room for both.
  const both = [add(LIMIT), add(10)].map((command, n) => a.counters.execute('x', command, request(`r${n}`)));
  expect(await outcomes(both)).toEqual(['done', 'done']);
  expect((await b.counters.fold('x')).state.value).toBe(LIMIT);
});

test('the guard sees the aggregate as it is, also when the cache does not', async () => {
  const memory = createMemoryStore();
  const [a, b] = [openCounters(memory), openCounters(memory)];
  const guard = (folded: { state: { openedAt: string | null } }) => {
    if (folded.state.openedAt === null) throw new Rejected('HIDDEN');
  };
  await expect(a.counters.execute('x', open, request('1'), { guard })).rejects.toThrow('HIDDEN');
  await b.counters.execute('x', open, request('2'));
  expect((await a.counters.execute('x', add(1), request('3'), { guard })).state.value).toBe(1);
});

test('after the deadline nothing is decided any more', async () => {
  let now = 1_000;
  const clock = { now: () => new Date(now), sleep: async () => {} };
  const memory = createMemoryStore();
  const other = openCounters(memory);
  await other.counters.execute('x', open, request('1'));
  let attempts = 0;
  const { counters } = openCounters(memory, {
    clock,
    before: async (step) => {
      if (step !== 'append') return;
      attempts++;
      now += 100;
      await other.counters.execute('x', add(1), request(`other-${attempts}`));
    },
  });
  const late = counters.execute('x', add(1), request('2', { deadline: 1_350 }));
  const patient = counters.execute('x', reach(0), request('3', { deadline: 1_250 }));
  await expect(patient).rejects.toThrow(Unavailable);
  await expect(late).rejects.toMatchObject({ reason: 'CONFLICTS_PERSIST' });
  expect(attempts).toBe(4);
  expect((await other.counters.fold('x')).state.value).toBe(4);
});

test('a failure of the store is that of all who wait, and the next command goes on', async () => {
  let down = true;
  const { counters } = openCounters(createMemoryStore(), {
    before: async () => {
      if (down) throw new Unavailable('EVENT_STORE_UNAVAILABLE', 'down');
    },
  });
  const all = [open, add(1)].map((command, n) => counters.execute('a', command, request(`${n}`)));
  expect(await outcomes(all)).toEqual([expect.any(Unavailable), expect.any(Unavailable)]);
  down = false;
  expect((await counters.execute('a', open, request('2'))).revision).toBe(0n);
});

test('one command that the store will not take does not fail the others of its batch', async () => {
  const memory = createMemoryStore();
  const store: typeof memory = {
    ...memory,
    append: async (stream, events, expected) => {
      if (events.length > 2) throw new Error('too large');
      return memory.append(stream, events, expected);
    },
  };
  const counters = createRepository({ store, clock: systemClock, producer: 'spec' }, counter, counterCodec());
  const all = [open, add(1), add(2)].map((command, n) => counters.execute('a', command, request(`${n}`)));
  expect(await outcomes(all)).toEqual(['done', 'done', 'done']);
  expect((await counters.fold('a')).state.value).toBe(3);
});

test('a command whose event cannot be written leaves nothing of itself behind', async () => {
  const memory = createMemoryStore();
  const codec = counterCodec();
  const broken = {
    ...codec,
    encode: (event: Parameters<typeof codec.encode>[0]) => {
      if (event.type === 'Added' && event.data.by === 13) throw new Error('cannot be written');
      return codec.encode(event);
    },
  };
  const decider: typeof counter = {
    ...counter,
    decide: (command, state, now) =>
      command.type === 'AddTwice'
        ? [
            { type: 'Added', data: { by: 1, note: '' } },
            { type: 'Added', data: { by: 13, note: '' } },
          ]
        : counter.decide(command, state, now),
  };
  const counters = createRepository({ store: memory, clock: systemClock, producer: 'spec' }, decider, broken);
  const all = [open, { type: 'AddTwice', data: { by: 1 } } as const, add(5)].map((command, n) =>
    counters.execute('a', command, request(`${n}`)),
  );
  expect(await outcomes(all)).toEqual(['done', expect.objectContaining({ message: 'cannot be written' }), 'done']);
  expect((await counters.fold('a')).state.value).toBe(5);
});

test('a store that was restored to an earlier time is noticed', async () => {
  const memory = createMemoryStore();
  const restored = createMemoryStore();
  let current = memory;
  const store: typeof memory = {
    ...memory,
    append: (...args) => current.append(...args),
    read: (...args) => current.read(...args),
  };
  const counters = createRepository({ store, clock: systemClock, producer: 'spec' }, counter, counterCodec());
  await counters.execute('a', open, request('1'));
  await counters.execute('a', add(1), request('2'));
  await openCounters(restored).counters.execute('a', open, request('1'));
  current = restored;
  expect(await counters.fold('a')).toMatchObject({ state: { value: 0 }, revision: 0n });
  expect((await counters.execute('a', add(7), request('3'))).state.value).toBe(7);
});

test('history shows the events from a revision on', async () => {
  const { counters } = openCounters();
  for (const [n, command] of [open, add(1), add(2), add(3)].entries()) {
    await counters.execute('a', command, request(`${n}`));
  }
  const events = await counters.history('a', 1n, 2);
  expect(events.map(({ data }) => data)).toEqual([
    { by: 1, note: '' },
    { by: 2, note: '' },
  ]);
  expect(await counters.history('absent', 0n, 10)).toEqual([]);
});
