import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Ev, Recorded, StoredEvent } from '../eventing/message.ts';
import { claimCheckpoint, moveCheckpoint, NOWHERE, readCheckpoint } from '../postgres/checkpoint.ts';
import { connectPostgres, type Db } from '../postgres/connect.ts';
import {
  advanceForeign,
  defineForeignTable,
  ensureForeignTable,
  foreignPosition,
  getForeign,
  putForeign,
} from '../postgres/foreign-table.ts';
import { holdLease, LeaseLost, seizeLease } from '../postgres/lease.ts';
import { applyEvents, defineReadModel, ensureReadModel, readEvents } from '../postgres/read-model.ts';
import { countRows, queryRows, type RowQuery } from '../postgres/row-table.ts';
import { workRows } from '../postgres/work.ts';
import { systemClock } from '../runtime/clock.ts';
import { createMemoryPostgres } from './memory-postgres.ts';
import { createMemoryStore } from './memory-store.ts';
import { type PostgresServer, startPostgres } from './servers.ts';

type Tagged = Ev<'Tagged', { colour: string | null; level: number; tags: readonly string[] }> | Ev<'Torn', object>;
type Row = { colour: string | null; level: number; tags: readonly string[]; nested: object };

const labels = defineReadModel<Tagged, Row, 'colour' | 'level' | 'bright' | 'tags'>({
  ...{ name: 'labels', version: 1, prefixes: ['label-'], initial: { colour: null, level: 0, tags: [], nested: {} } },
  decode: ({ type, data, ...meta }) => ({ type, data, meta }) as unknown as Recorded<Tagged>,
  key: ({ meta }) => meta.stream.slice('label-'.length),
  evolve: (_, event) =>
    event.type === 'Tagged' ? { ...event.data, nested: { longer: 1, z: [{ b: 1, a: 2 }] } } : null,
  columns: {
    colour: { type: 'text', of: ({ colour }) => colour, indexed: true },
    level: { type: 'bigint', of: ({ level }) => BigInt(level) },
    bright: { type: 'boolean', of: ({ level }) => level > 50 },
    tags: { type: 'text[]', of: ({ tags }) => tags, indexed: true },
  },
});
const parcels = defineForeignTable<{ weight: number }>({ source: 'post', noun: 'parcel', columns: {} });
const log = pino({ level: 'silent' });

let server: PostgresServer;
let schemas = 0;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server?.stop());

const connectors: Readonly<Record<string, () => Promise<Db>>> = {
  'the real server': async () =>
    (await connectPostgres({ url: server.url, schema: `twin_${++schemas}`, poolMax: 4, log })).db,
  'the twin in memory': async () => (await createMemoryPostgres(systemClock)).connect().db,
};

/** What the simulator stands on is what production stands on, as far as our code can tell. */
describe.each(Object.entries(connectors))('%s', (_, connect) => {
  let db: Db;
  let position = 0n;
  const event = (key: string, type: 'Tagged' | 'Torn', data: object): StoredEvent => ({
    ...{ id: `id-${++position}`, type, data, metadata: {}, stream: `label-${key}`, revision: position, position },
    recordedAt: '2026-01-02T03:04:05.678Z',
  });
  const tagged = (key: string, colour: string | null, level: number, ...tags: string[]) =>
    event(key, 'Tagged', { colour, level, tags });
  const apply = async (...events: StoredEvent[]) => {
    const recorded = await readEvents(labels, events);
    await db.transaction().execute((tx) => applyEvents(tx, labels, labels.table, recorded));
  };
  const keys = async (query: RowQuery<'colour' | 'level' | 'bright' | 'tags'>) =>
    (await queryRows(db, labels, query)).map(({ key }) => key);

  beforeEach(async () => {
    db = await connect();
    position = 0n;
    await ensureReadModel(db, labels);
    await ensureReadModel(db, labels);
  });

  it('keeps rows, replaces and deletes them, and gives them as they were written', async () => {
    await apply(tagged('a', 'red', 10, 'x'), tagged('b', null, 90));
    await apply(tagged('a', 'blue', 20, 'y', 'z'), event('b', 'Torn', {}));
    const [row, ...others] = await queryRows(db, labels, { limit: 9 });
    expect(others).toEqual([]);
    expect(row).toEqual({
      ...{ key: 'a', position: 3n, revision: 3n, updatedAt: new Date('2026-01-02T03:04:05.678Z') },
      state: { colour: 'blue', level: 20, tags: ['y', 'z'], nested: { longer: 1, z: [{ b: 1, a: 2 }] } },
    });
    expect(JSON.stringify(row?.state)).toBe(
      '{"tags":["y","z"],"level":20,"colour":"blue","nested":{"z":[{"a":2,"b":1}],"longer":1}}',
    );
  });

  it('does not take an older event for a newer one', async () => {
    const old = tagged('a', 'red', 1);
    await apply(tagged('a', 'blue', 2));
    await apply(old);
    expect((await queryRows(db, labels, { limit: 9 }))[0]?.state.colour).toBe('blue');
  });

  it('filters, orders by bytes, pages and counts', async () => {
    await apply(tagged('a', 'red', 10, 'x'), tagged('B', 'red', 90, 'x', 'y'), tagged('c', null, 90, 'z'));
    expect(await keys({ limit: 2 })).toEqual(['B', 'a']);
    expect(await keys({ limit: 2, after: 'a' })).toEqual(['c']);
    expect(await keys({ limit: 9, key: 'c' })).toEqual(['c']);
    expect(await keys({ limit: 9, where: { colour: 'red', bright: true } })).toEqual(['B']);
    expect(await keys({ limit: 9, where: { colour: ['red', null], level: [10n, 90n] } })).toEqual(['B', 'a', 'c']);
    expect(await keys({ limit: 9, where: { colour: null } })).toEqual(['c']);
    expect(await keys({ limit: 9, where: { colour: [] } })).toEqual([]);
    expect(await keys({ limit: 9, where: { tags: ['y', 'z'] } })).toEqual(['B', 'c']);
    expect(await countRows(db, labels, { colour: 'red' })).toBe(2);
    expect(await countRows(db, labels, {})).toBe(3);
  });

  it('undoes a transaction that fails', async () => {
    await apply(tagged('a', 'red', 10));
    const failing = db.transaction().execute(async (tx) => {
      const recorded = await readEvents(labels, [tagged('a', 'blue', 20), tagged('b', 'blue', 20)]);
      await applyEvents(tx, labels, labels.table, recorded);
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect((await queryRows(db, labels, { limit: 9 })).map(({ state }) => state.colour)).toEqual(['red']);
  });

  it('keeps the newest of what is foreign, and how far it goes', async () => {
    await ensureForeignTable(db, parcels);
    const put = (stream: string, revision: bigint, at: bigint, weight: number) =>
      putForeign(db, parcels, [
        {
          ...{ key: 'p', sourceStream: stream, revision, position: at, state: { weight } },
          recordedAt: '2026-01-02T03:04:05.000Z',
        },
      ]);
    expect(await put('parcel-1', 2n, 20n, 2)).toBe(1);
    expect(await put('parcel-1', 1n, 30n, 1)).toBe(0);
    expect(await getForeign(db, parcels, 'p')).toMatchObject({ state: { weight: 2 }, revision: 2n });
    expect(await put('parcel-2', 0n, 40n, 3)).toBe(1);
    await advanceForeign(db, 'post', 40n);
    expect(await foreignPosition(db, 'post')).toBe(40n);
    expect(await foreignPosition(db, 'nobody')).toBeNull();
    expect(await getForeign(db, parcels, 'q')).toBeNull();
  });

  it('moves a checkpoint only from where it is, and only for its last claimant', async () => {
    const claim = (epoch: bigint) =>
      claimCheckpoint({ db, store: createMemoryStore(), log, name: 'c', epoch, drop: async () => undefined });
    const move = (from: bigint, to: bigint, epoch: bigint) => moveCheckpoint(db, { name: 'c', from, to, epoch });
    expect(await readCheckpoint(db, 'c')).toBeNull();
    expect(await claim(1n)).toBe(NOWHERE);
    await move(NOWHERE, 5n, 1n);
    expect(await readCheckpoint(db, 'c')).toBe(5n);
    await expect(move(4n, 6n, 1n)).rejects.toThrow(LeaseLost);
    await seizeLease({ db, name: 'c', holder: 'b' });
    await claim(2n);
    await expect(move(NOWHERE, 6n, 1n)).rejects.toThrow(LeaseLost);
    await expect(claim(1n)).rejects.toThrow(LeaseLost);
  });

  it('keeps work until it is done, unless somebody else has the reactor', async () => {
    const fence = { checkpoint: 'reactor.r', epoch: 1n };
    const rows = workRows(db, 'r', fence);
    await expect(rows.schedule('k', new Date(1_000), 0)).rejects.toThrow(LeaseLost);
    await claimCheckpoint({
      ...{ db, store: createMemoryStore(), log, name: 'reactor.r', epoch: 1n },
      drop: async () => undefined,
    });
    await rows.schedule('k', new Date(1_000), 0);
    await rows.schedule('k', new Date(2_000), 3);
    await rows.schedule('l', new Date(1_500), 1);
    expect(await rows.due(new Date(1_999), 9)).toEqual([{ key: 'l', attempt: 1 }]);
    expect(await rows.due(new Date(2_000), 9)).toEqual([
      { key: 'l', attempt: 1 },
      { key: 'k', attempt: 3 },
    ]);
    await workRows(db, 'r', { ...fence, epoch: 9n }).remove('k');
    await rows.remove('l');
    expect(await rows.due(new Date(9_000), 9)).toEqual([{ key: 'k', attempt: 3 }]);
  });

  it('gives a lease to one at a time, with a rising epoch', async () => {
    const stop = new AbortController();
    const held = Promise.withResolvers<bigint>();
    const options = { db, name: 'l', clock: systemClock, log, signal: stop.signal };
    const first = holdLease({ ...options, holder: 'a' }, async ({ epoch, signal }) => {
      held.resolve(epoch);
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    });
    expect(await held.promise).toBe(1n);
    const own: bigint[] = [];
    const second = holdLease({ ...options, holder: 'b' }, async ({ epoch }) => void own.push(epoch));
    expect(await seizeLease({ db, name: 'l', holder: 'c' })).toBe(2n);
    stop.abort();
    await Promise.all([first, second]);
    expect(own).toEqual([]);
  });
});
