import fc from 'fast-check';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StoredEvent } from '../eventing/message.ts';
import { systemClock } from '../runtime/clock.ts';
import { createMemoryPostgres } from '../testing/memory-postgres.ts';
import { type PostgresServer, startPostgres } from '../testing/servers.ts';
import { type Condition, fulfils } from './condition.ts';
import { connectPostgres, type Db } from './connect.ts';
import { applyEvents, defineReadModel, ensureReadModel, readEvents } from './read-model.ts';
import { afterPlace, inOrder, type Ordering, placeOf, totalOrder } from './row-order.ts';
import { queryRows } from './row-table.ts';

type State = Readonly<{
  colour: string | null;
  level: string | null;
  bright: boolean | null;
  madeAt: string | null;
  tags: readonly string[];
  name: string;
  rank: string;
  at: string;
}>;
type Column = 'colour' | 'level' | 'bright' | 'made_at' | 'tags' | 'name' | 'rank' | 'at';
type Put = Readonly<{ type: 'Put'; data: State }>;

const table = (name: string) =>
  defineReadModel<Put, State, Column>({
    ...{ name, version: 1, prefixes: ['thing-'] },
    initial: { colour: null, level: null, bright: null, madeAt: null, tags: [], name: '', rank: '0', at: '' },
    decode: ({ type, data, ...meta }) => ({ type, data, meta }) as never,
    key: ({ meta }) => meta.stream.slice('thing-'.length),
    evolve: (_, event) => event.data,
    columns: {
      colour: { type: 'text', of: ({ colour }) => colour, indexed: true },
      level: { type: 'bigint', of: ({ level }) => (level === null ? null : BigInt(level)) },
      bright: { type: 'boolean', of: ({ bright }) => bright },
      made_at: { type: 'timestamptz', of: ({ madeAt }) => madeAt },
      tags: { type: 'text[]', of: ({ tags }) => tags, indexed: true },
      name: { type: 'text', of: (state) => state.name },
      rank: { type: 'bigint', of: ({ rank }) => BigInt(rank) },
      at: { type: 'timestamptz', of: ({ at }) => at },
    },
  });

// What somebody writes who wants more than to filter.
const NASTY = [
  "'",
  '"',
  '\\',
  "' or 1=1 --",
  '$1',
  '%',
  '_',
  '{a}',
  '{"a":1}',
  '["a"]',
  'É',
  '🙂',
  '',
  ' ',
  'null',
  '?1',
];
const text = fc.oneof(fc.constantFrom('a', 'B', 'b', 'c'), fc.constantFrom(...NASTY));
const number = fc.constantFrom(-(2n ** 62n), -1n, 0n, 1n, 9_007_199_254_740_993n, 2n ** 63n - 1n);
const ms = fc.constantFrom(
  0,
  1,
  999,
  1_000,
  Date.parse('2026-01-02T03:04:05.678Z'),
  Date.parse('9999-01-01T00:00:00Z'),
);
const instant = ms.map((value) => new Date(value).toISOString());
const state: fc.Arbitrary<State> = fc.record({
  ...{ colour: fc.option(text), level: fc.option(number.map(String)), bright: fc.option(fc.boolean()) },
  ...{ madeAt: fc.option(instant), tags: fc.array(text, { maxLength: 3 }) },
  ...{ name: text, rank: number.map(String), at: instant },
});
const things = fc.uniqueArray(fc.tuple(fc.stringMatching(/^[a-zA-Z0-9-]{1,3}$/), state), {
  ...{ selector: ([key]) => key, maxLength: 10 },
});

const by = fc.constantFrom('=' as const, '<', '<=', '>', '>=');
const compared = fc.oneof(
  fc.record({
    is: fc.constant('compared' as const),
    column: fc.constantFrom('colour' as const, 'name', 'key'),
    by,
    to: text,
  }),
  fc.record({
    is: fc.constant('compared' as const),
    column: fc.constantFrom('level' as const, 'rank'),
    by,
    to: number,
  }),
  fc.record({ is: fc.constant('compared' as const), column: fc.constant('bright' as const), by, to: fc.boolean() }),
  fc.record({
    ...{ is: fc.constant('compared' as const), column: fc.constantFrom('made_at' as const, 'at'), by },
    to: fc.oneof(
      instant,
      ms.map((value) => new Date(value)),
    ),
  }),
);
const { condition } = fc.letrec<{ condition: Condition<Column> }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 3 },
    compared,
    fc.record({ is: fc.constant('containing' as const), column: fc.constant('tags' as const), value: text }),
    fc.record({ is: fc.constant('absent' as const), column: fc.constantFrom('colour' as const, 'level', 'made_at') }),
    fc.record({
      is: fc.constantFrom('all' as const, 'any' as const),
      of: fc.array(tie('condition'), { maxLength: 3 }),
    }),
    fc.record({ is: fc.constant('not' as const), of: tie('condition') }),
  ),
}));
const order: fc.Arbitrary<readonly Ordering<Column>[]> = fc.uniqueArray(
  fc.record({ column: fc.constantFrom('name' as const, 'rank', 'at', 'key'), descending: fc.boolean() }),
  { selector: ({ column }) => column, maxLength: 3 },
);

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server?.stop());

const servers: Readonly<Record<string, () => Promise<Db>>> = {
  'the real server': async () =>
    (await connectPostgres({ url: server.url, schema: 'conditions', poolMax: 4, log: pino({ level: 'silent' }) })).db,
  'the twin in memory': async () => (await createMemoryPostgres(systemClock)).connect().db,
};

describe.each(Object.entries(servers))('%s', (_, connect) => {
  let db: Db;
  let tables = 0;
  beforeAll(async () => {
    db = await connect();
  });
  const fill = async (rows: readonly (readonly [string, State])[]) => {
    const model = table(`things${++tables}`);
    await ensureReadModel(db, model);
    const events = rows.map(
      ([key, data], index): StoredEvent => ({
        ...{ id: `${index}`, type: 'Put', data, metadata: {}, stream: `thing-${key}`, revision: 0n },
        ...{ position: BigInt(index + 1), recordedAt: '2026-01-02T03:04:05.678Z' },
      }),
    );
    const recorded = await readEvents(model, events);
    await db.transaction().execute((tx) => applyEvents(tx, model, model.table, recorded));
    return model;
  };

  it('selects by a condition what fulfils it', async () => {
    await fc.assert(
      fc.asyncProperty(things, fc.array(condition, { minLength: 1, maxLength: 8 }), async (rows, conditions) => {
        const model = await fill(rows);
        for (const also of conditions) {
          const found = (await queryRows(db, model, { also, limit: 99 })).map(({ key }) => key);
          const wanted = rows.filter(([key, of]) => fulfils(model.columns, also, { key, state: of }));
          expect(found.sort()).toEqual(wanted.map(([key]) => key).sort());
        }
      }),
      { numRuns: 40 },
    );
  });

  it('gives pages in any order, each row once, whatever is equal', async () => {
    await fc.assert(
      fc.asyncProperty(things, order, fc.integer({ min: 1, max: 3 }), async (rows, wanted, limit) => {
        const model = await fill(rows);
        const total = totalOrder(wanted);
        const whole = await queryRows(db, model, { order: total, limit: 99 });
        const paged: string[] = [];
        for (let place: string | undefined; ; ) {
          const also = place === undefined ? undefined : afterPlace(model.columns, total, place);
          const page = await queryRows(db, model, { also, order: total, limit });
          paged.push(...page.map(({ key }) => key));
          const last = page.at(-1);
          if (page.length < limit || !last) break;
          place = placeOf(model.columns, total, last);
        }
        expect(paged).toEqual(whole.map(({ key }) => key));
        const sorted = rows.map(([key, of]) => ({ key, state: of })).sort(inOrder(model.columns, total));
        expect(paged).toEqual(sorted.map(({ key }) => key));
      }),
      { numRuns: 30 },
    );
  });
});
