import { expect, test } from 'vitest';
import { settle } from '../testing/fake-clock.ts';
import { setUpReactor } from './reactor.test-support.ts';
import type { WorkResult } from './run-reactor.ts';

test('when a row cannot be written the checkpoint stays, and the work is done again', async () => {
  let isDown = true;
  let tried = 0;
  const { clock, rows, saved, append, start } = setUpReactor(async () => {
    tried++;
    return { againMs: 60_000 };
  });
  await append('a');
  start({
    rows: {
      schedule: async (key, due, attempt) => {
        if (isDown) throw new Error('no database');
        rows.set(key, { due, attempt });
      },
    },
  });
  await clock.advance(1_000);
  expect(tried).toBe(5);
  expect(saved).toEqual([]);
  isDown = false;
  await clock.advance(1_000);
  expect(rows.size).toBe(1);
  expect(saved).toEqual([1n]);
});

test('rows that cannot be read, and a checkpoint that cannot be saved for a while, do not end it', async () => {
  let isDown = true;
  const { clock, saved, append, start } = setUpReactor(async () => 'settled');
  const down = async () => {
    if (isDown) throw new Error('no database');
  };
  const { ended } = start({
    rows: {
      due: async () => {
        await down();
        return [];
      },
    },
    checkpoint: {
      save: async (position) => {
        await down();
        saved.push(position);
      },
    },
  });
  await append('a');
  await clock.advance(2_000);
  expect(saved).toEqual([]);
  isDown = false;
  await clock.advance(500);
  expect(saved).toEqual([1n]);
  isDown = true;
  await append('b');
  const failure = expect(ended).rejects.toThrow('no database');
  await clock.advance(10_000);
  await failure;
});

test('a stop waits for the work under way, which then leaves rows and checkpoint alone', async () => {
  const works = new Map<string, PromiseWithResolvers<WorkResult>>();
  const { clock, rows, saved, append, start } = setUpReactor((key) => {
    const work = Promise.withResolvers<WorkResult>();
    works.set(key, work);
    return work.promise;
  });
  for (const key of ['fails', 'waits', 'settles']) await append(key);
  const { ended, signal } = start();
  await settle();
  signal.abort();
  let isOver = false;
  void ended.then(() => {
    isOver = true;
  });
  await settle();
  expect(isOver).toBe(false);
  works.get('fails')?.reject(new Error('stopped'));
  works.get('waits')?.resolve({ againMs: 1 });
  works.get('settles')?.resolve('settled');
  await ended;
  expect(rows.size).toBe(0);
  expect(saved).toEqual([]);
  expect(clock.sleeping()).toBe(0);
});

test('a stop does not wait for ever', async () => {
  const { clock, append, start } = setUpReactor(() => new Promise(() => undefined));
  await append('a');
  const { ended, signal } = start();
  await settle();
  signal.abort();
  await clock.advance(5_000);
  await ended;
  expect(clock.sleeping()).toBe(0);
});

test('rows are not touched before the checkpoint has been claimed', async () => {
  const claim = Promise.withResolvers<bigint | null>();
  const looked: string[] = [];
  const { clock, rows, start } = setUpReactor(async (key) => {
    looked.push(key);
    return 'settled';
  });
  rows.set('a', { due: new Date(0), attempt: 3 });
  start({ checkpoint: { load: () => claim.promise } });
  await clock.advance(1_000);
  expect(looked).toEqual([]);
  claim.resolve(null);
  await clock.advance(1_000);
  expect(looked).toEqual(['a']);
  expect(rows.size).toBe(0);
});
