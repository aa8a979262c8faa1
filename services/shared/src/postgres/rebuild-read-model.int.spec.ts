import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import type { EventStore } from '../eventing/ports.ts';
import { systemClock } from '../runtime/clock.ts';
import { LeaseLost } from './lease.ts';
import { rebuildReadModel } from './rebuild-read-model.ts';
import {
  append,
  broken,
  dimmed,
  keysOf,
  lamps,
  lit,
  postgres,
  reached,
  run,
  shown,
  silent,
  store,
} from './test-support.ts';

describe('rebuildReadModel', () => {
  const rebuild = (on: EventStore = store, signal = new AbortController().signal) =>
    rebuildReadModel(
      {
        db: postgres.db,
        store: on,
        clock: systemClock,
        log: silent,
        signal,
        holder: 'rebuild',
      },
      lamps,
    );

  test('equals the live table, also while events come, and the live projection goes on', async () => {
    run();
    for (let i = 0; i < 200; i++) await append(store, `lamp-${i % 20}`, i < 20 ? lit('red') : dimmed(1));
    await append(store, 'lamp-7', broken);
    await reached(await store.tail());
    let appending = true;
    const noise = (async () => {
      while (appending) {
        await append(store, 'lamp-noise', dimmed(1));
        await systemClock.sleep(5);
      }
    })();
    const report = await rebuild();
    appending = false;
    await noise;
    expect(report).toMatchObject({ rows: 20, differing: [] });
    expect(report.position).toBeGreaterThanOrEqual(201n);
    await reached(await append(store, 'lamp-0', dimmed(1)));
    expect((await shown())['0']).toEqual({ colour: 'red', level: 90, changes: 11 });
    expect(Object.keys(await shown())).not.toContain('7');
  });

  test('tells which rows are not what the events say, and mends them', async () => {
    run();
    for (const key of ['wrong', 'lost', 'right']) await append(store, `lamp-${key}`, lit('red'));
    await reached(await store.tail());
    const before = await shown();
    await sql`update lamps__1 set state = '{"colour":"pink"}' where key = 'wrong'`.execute(postgres.db);
    await sql`delete from lamps__1 where key = 'lost'`.execute(postgres.db);
    await sql`insert into lamps__1 (key, state, position, revision) values ('made-up', '{}', 1, 0)`.execute(
      postgres.db,
    );
    expect((await rebuild()).differing).toEqual(['lost', 'made-up', 'wrong']);
    expect(await shown()).toEqual(before);
    expect((await rebuild()).differing).toEqual([]);
    expect(await keysOf({ where: { colour: 'red' }, limit: 9 })).toEqual(['lost', 'right', 'wrong']);
  });

  test('says that it lost, when another one has finished meanwhile and dropped what it had', async () => {
    run();
    for (const key of ['a', 'b']) await append(store, `lamp-${key}`, lit('red'));
    await reached(await store.tail());
    const overtaken: EventStore = {
      ...store,
      subscribe: async function* (options) {
        expect((await rebuild()).rows).toBe(2);
        yield* store.subscribe(options);
      },
    };
    await expect(rebuild(overtaken)).rejects.toThrow(LeaseLost);
    expect((await rebuild()).differing).toEqual([]);
  });

  test('of several at once leaves one to the end, and the others know that they lost', async () => {
    run();
    await reached(await append(store, 'lamp-a', lit('red')));
    const ends = await Promise.allSettled(Array.from({ length: 4 }, () => rebuild()));
    const lost = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason] : []));
    for (const reason of lost) expect(reason).toBeInstanceOf(LeaseLost);
    expect(lost.length).toBeLessThan(ends.length);
    expect((await rebuild()).differing).toEqual([]);
  });

  test('says that it was interrupted, and not that it lost, when its caller is gone', async () => {
    run();
    await reached(await append(store, 'lamp-a', lit('red')));
    const caller = new AbortController();
    const leaving: EventStore = {
      ...store,
      subscribe: async function* (options) {
        caller.abort();
        yield* store.subscribe(options);
      },
    };
    await expect(rebuild(leaving, caller.signal)).rejects.toMatchObject({ reason: 'REBUILD_INTERRUPTED' });
    expect((await rebuild()).differing).toEqual([]);
  });

  test('changes nothing when its lease is seized in turn', async () => {
    run();
    await reached(await append(store, 'lamp-a', lit('red')));
    const grabbing: EventStore = {
      ...store,
      subscribe: async function* (options) {
        await postgres.db.updateTable('checkpoint').set({ epoch: 99n }).where('name', '=', lamps.table).execute();
        yield* store.subscribe(options);
      },
    };
    await expect(rebuild(grabbing)).rejects.toThrow(LeaseLost);
    expect(Object.keys(await shown())).toEqual(['a']);
  });
});
