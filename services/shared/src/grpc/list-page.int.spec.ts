import { randomBytes } from 'node:crypto';
import { beforeEach, expect, test } from 'vitest';
import { InvalidRequest, Unavailable } from '../app/errors.ts';
import { ensureReadModel } from '../postgres/read-model.ts';
import { append, lamps, lit, postgres, run, store } from '../postgres/test-support.ts';
import { systemClock } from '../runtime/clock.ts';
import { consistencyTokens } from './consistency-token.ts';
import type { RpcContext } from './context.ts';
import { listPage } from './list-page.ts';
import { pageTokens } from './page-token.ts';

const secret = randomBytes(32);
const tokensOf = (service: string, storeId = 'store') => consistencyTokens({ secret, storeId, service });

const list = (
  request: { pageSize?: number; pageToken?: string; consistencyToken?: string } = {},
  { accountId = 'a', where = {}, method = 'List', within = 5_000, storeId = 'store' } = {},
) =>
  listPage(
    {
      db: postgres.db,
      clock: systemClock,
      tokens: tokensOf('lamps', storeId),
      pages: pageTokens({ secret, storeId }),
      service: 'lamps',
    },
    lamps,
    { pageSize: 0, pageToken: '', consistencyToken: '', ...request },
    { caller: { accountId }, method, deadline: Date.now() + within } as RpcContext,
    where,
  );
const keys = ({ rows }: Awaited<ReturnType<typeof list>>) => rows.map(({ key }) => key);

beforeEach(() => ensureReadModel(postgres.db, lamps));

const light = async (count: number): Promise<string> => {
  let position = 0n;
  for (let n = 0; n < count; n++) position = await append(store, `lamp-${n}`, lit(n % 2 ? 'red' : 'blue'));
  return tokensOf('lamps').issue(position);
};

test('pages follow each other without a gap, and the last one has no token', async () => {
  run();
  const consistencyToken = await light(5);
  const first = await list({ pageSize: 2, consistencyToken });
  const second = await list({ pageSize: 2, pageToken: first.nextPageToken });
  const third = await list({ pageSize: 3, pageToken: second.nextPageToken });
  expect([keys(first), keys(second), keys(third)]).toEqual([['0', '1'], ['2', '3'], ['4']]);
  expect(third.nextPageToken).toBe('');
  const exact = await list({ pageSize: 5 });
  expect([keys(exact).length, exact.nextPageToken]).toEqual([5, '']);
  expect(keys(await list({}, { where: { colour: 'red' } }))).toEqual(['1', '3']);
});

test('waits until it shows what the caller has written', async () => {
  const consistencyToken = await light(3);
  let isAnswered = false;
  const listed = list({ consistencyToken }).finally(() => {
    isAnswered = true;
  });
  // Others that are asked later, and wait for nothing, are answered meanwhile.
  for (let other = 0; other < 5; other++) expect(keys(await list())).toEqual([]);
  expect(isAnswered).toBe(false);
  run();
  expect(keys(await listed)).toEqual(['0', '1', '2']);
});

test('its own token covers what it has shown', async () => {
  run();
  const shown = await list({ consistencyToken: await light(2) });
  expect(tokensOf('lamps').read(shown.consistencyToken)).toEqual({ service: 'lamps', position: await store.tail() });
});

test('of a read model that has not begun is empty', async () => {
  const empty = await list();
  expect([keys(empty), empty.nextPageToken]).toEqual([[], '']);
  expect(tokensOf('lamps').read(empty.consistencyToken)?.position).toBe(0n);
});

test('is Unavailable when it does not get there in time', async () => {
  const late = list({ consistencyToken: await light(1) }, { within: 50 });
  await expect(late).rejects.toThrow(Unavailable);
  await expect(late).rejects.toMatchObject({ reason: 'READ_MODEL_BEHIND' });
});

test('does not wait for what another service has written', async () => {
  const consistencyToken = tokensOf('provider').issue(1_000_000n);
  expect(keys(await list({ consistencyToken }))).toEqual([]);
});

test('refuses page tokens of another caller, list, filter or store, and what is no token', async () => {
  run();
  const consistencyToken = await light(3);
  const { nextPageToken: pageToken } = await list({ pageSize: 1, consistencyToken });
  expect(keys(await list({ pageToken }))).toEqual(['1', '2']);
  const foreign = [
    list({ pageToken }, { accountId: 'b' }),
    list({ pageToken }, { method: 'Search' }),
    list({ pageToken }, { where: { colour: 'red' } }),
    list({ pageToken }, { storeId: 'restored' }),
    list({ pageToken: `${pageToken}x` }),
    list({ pageToken: 'made up' }),
    list({ pageToken: consistencyToken }),
  ];
  for (const refused of foreign) {
    await expect(refused).rejects.toThrow(InvalidRequest);
    await expect(refused).rejects.toMatchObject({ reason: 'PAGE_TOKEN_INVALID' });
  }
});

test('refuses consistency tokens of another store, and a negative page size', async () => {
  const consistencyToken = tokensOf('lamps', 'before the restore').issue(1n);
  await expect(list({ consistencyToken })).rejects.toMatchObject({ reason: 'CONSISTENCY_TOKEN_INVALID' });
  await expect(list({ pageSize: -1 })).rejects.toMatchObject({ violations: [{ field: 'page_size' }] });
});
