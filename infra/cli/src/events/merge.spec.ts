import { expect, test } from 'vitest';
import { merge, type Told } from './merge.ts';

const fact = (position: number): Told<number> => ({ kind: 'fact', position: BigInt(position), fact: position });
const synced: Told<number> = { kind: 'synced' };

async function* source(...told: readonly (Told<number> | Error)[]): AsyncIterable<Told<number>> {
  for (const each of told) {
    if (each instanceof Error) throw each;
    yield each;
  }
}

const all = async (...sources: readonly AsyncIterable<Told<number>>[]): Promise<readonly number[]> => {
  const got: number[] = [];
  for await (const each of merge(sources)) got.push(each);
  return got;
};

test('the past is in the order of positions', async () => {
  expect(
    await all(source(fact(2), fact(5), synced), source(synced), source(fact(1), fact(3), fact(9), synced)),
  ).toEqual([1, 2, 3, 5, 9]);
});

test('the present comes as it comes, each service in its own order', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const slow = (async function* () {
    yield synced;
    await promise;
    yield fact(3);
    yield fact(7);
  })();
  const got: number[] = [];
  for await (const each of merge([source(fact(1), synced, fact(4), synced, fact(5)), slow])) {
    got.push(each);
    // Nobody waits for a service of which nothing comes.
    if (each === 5) resolve();
  }
  expect(got).toEqual([1, 4, 5, 3, 7]);
});

test('ends with whoever fails', async () => {
  await expect(all(source(synced, new Error('lost')), source(synced))).rejects.toThrow('lost');
  await expect(all(source(fact(1), new Error('lost')), source(synced))).rejects.toThrow('lost');
});
