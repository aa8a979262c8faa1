import { recordedLog } from '@privatelink/shared/grpc/test-support';
import { connectPostgres, type Postgres } from '@privatelink/shared/postgres/connect';
import { type PostgresServer, startPostgres } from '@privatelink/shared/testing/servers';
import fc from 'fast-check';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureTraffic, type Reading, type Report, type Traffic, trafficIn } from './traffic.ts';

let server: PostgresServer;
let postgres: Postgres;
let traffic: Traffic;
beforeAll(async () => {
  server = await startPostgres();
  const { log } = recordedLog();
  postgres = await connectPostgres({ url: server.url, schema: 'traffic_spec', poolMax: 5, log });
  // As two replicas start.
  await Promise.all([ensureTraffic(postgres.db), ensureTraffic(postgres.db)]);
  traffic = trafficIn(postgres.db);
});
afterAll(async () => {
  await postgres?.close();
  await server?.stop();
});

let made = 0;
/** Of a test's own. */
const fresh = () => ({ zoneId: `zone-${++made}`, meterId: `meter-${made}`, connectionId: `ep-${made}` });

const reading = (connectionId: string, run: string, count: number | bigint, openFlows = 0n): Reading => ({
  ...{ connectionId, run, receivedBytes: 10n * BigInt(count), sentBytes: 100n * BigInt(count) },
  ...{ flows: BigInt(count), openFlows, failedFlows: 1n },
});

const totalOf = async (connectionId: string, ...zoneIds: readonly string[]) =>
  (await traffic.of(connectionId, zoneIds)).map(({ zoneId, sinceTime: _since, reportTime: _at, ...counters }) => ({
    ...{ zoneId, counters: Object.values(counters).map(Number) },
  }));

describe('what a meter reads', () => {
  it('is what was reported last of a run, and what is over is added up', async () => {
    const { zoneId, meterId, connectionId } = fresh();
    const take = (after: bigint, runs: readonly string[], ...readings: readonly Reading[]) =>
      traffic.take({ zoneId, meterId, after, runs, readings });
    expect(await traffic.of(connectionId, [zoneId])).toEqual([]);
    expect(await take(0n, ['a'], reading(connectionId, 'a', 3, 2n))).toEqual({ number: 1n, taken: true });
    expect(await totalOf(connectionId, zoneId)).toEqual([{ zoneId, counters: [30, 300, 3, 2, 1] }]);
    await take(1n, ['a', 'b'], reading(connectionId, 'a', 5, 1n), reading(connectionId, 'b', 2, 1n));
    expect(await totalOf(connectionId, zoneId)).toEqual([{ zoneId, counters: [70, 700, 7, 2, 2] }]);
    await take(2n, ['b']);
    expect(await totalOf(connectionId, zoneId)).toEqual([{ zoneId, counters: [70, 700, 7, 1, 2] }]);
    await take(3n, ['c'], reading(connectionId, 'c', 1));
    expect(await totalOf(connectionId, zoneId)).toEqual([{ zoneId, counters: [80, 800, 8, 0, 3] }]);
    const { rows } = await sql<{
      run: string;
    }>`select run from traffic where connection_id = ${connectionId} order by run`.execute(postgres.db);
    expect(rows.map(({ run }) => run)).toEqual(['', 'c']);
  });

  it('is taken once, in its turn: a repeat, a late one and one of a meter that is not known change nothing', async () => {
    const { zoneId, meterId, connectionId } = fresh();
    const report: Report = { zoneId, meterId, after: 0n, runs: ['a'], readings: [reading(connectionId, 'a', 1)] };
    expect(await traffic.take({ ...report, after: 7n })).toEqual({ number: 0n, taken: false });
    expect(await traffic.of(connectionId, [zoneId])).toEqual([]);
    const both = await Promise.all([traffic.take(report), traffic.take(report)]);
    expect(both.map(({ taken }) => taken).sort()).toEqual([false, true]);
    expect(both.map(({ number }) => number)).toEqual([1n, 1n]);
    const [before] = await traffic.of(connectionId, [zoneId]);
    expect(await traffic.take({ ...report, runs: [], readings: [] })).toEqual({ number: 1n, taken: false });
    expect(await traffic.of(connectionId, [zoneId])).toEqual([before]);
  });

  it('never counts back', async () => {
    const { zoneId, meterId, connectionId } = fresh();
    for (const [index, count] of [5, 2].entries()) {
      const readings = [reading(connectionId, 'a', count)];
      await traffic.take({ zoneId, meterId, after: BigInt(index), runs: ['a'], readings });
    }
    expect(await totalOf(connectionId, zoneId)).toEqual([{ zoneId, counters: [50, 500, 5, 0, 1] }]);
  });

  it('is exact beyond what any integer of a database holds', async () => {
    const { zoneId, meterId, connectionId } = fresh();
    const most = 2n ** 64n - 1n;
    for (const [index, run] of ['a', 'b', 'c'].entries()) {
      const readings = [{ ...reading(connectionId, run, 0), receivedBytes: most }];
      await traffic.take({ zoneId, meterId, after: BigInt(index), runs: [run], readings });
    }
    expect(await traffic.of(connectionId, [zoneId])).toMatchObject([{ receivedBytes: 3n * most }]);
  });

  it('is of zones where somebody counts, and of those that the connection has left', async () => {
    const [first, second] = [fresh(), fresh()];
    const silent = fresh();
    const { connectionId } = first;
    const none = { after: 0n, runs: ['a'], readings: [] };
    await traffic.take({ ...first, ...none, readings: [reading(connectionId, 'a', 1)] });
    await traffic.take({ ...second, ...none });
    expect(await totalOf(connectionId, second.zoneId, silent.zoneId)).toEqual([
      { zoneId: first.zoneId, counters: [10, 100, 1, 0, 1] },
      { zoneId: second.zoneId, counters: [0, 0, 0, 0, 0] },
    ]);
    expect(await totalOf(second.connectionId)).toEqual([]);
  });

  it('is of all meters of a zone together, flows that are open of the one that was read last', async () => {
    const { zoneId, meterId, connectionId } = fresh();
    const report = { zoneId, after: 0n, runs: ['a'], readings: [reading(connectionId, 'a', 1, 1n)] };
    await traffic.take({ ...report, meterId });
    await traffic.take({ ...report, meterId: `${meterId}-2`, readings: [reading(connectionId, 'a', 2, 2n)] });
    expect(await totalOf(connectionId, zoneId)).toEqual([{ zoneId, counters: [30, 300, 3, 2, 2] }]);
    // Whoever had lost its turn counts on from where it was.
    await traffic.take({ ...report, meterId, after: 1n, readings: [reading(connectionId, 'a', 5, 3n)] });
    expect(await totalOf(connectionId, zoneId)).toEqual([{ zoneId, counters: [70, 700, 7, 3, 2] }]);
  });

  it('says from when on it counts, and when it was read last', async () => {
    const { zoneId, meterId, connectionId } = fresh();
    const none = { zoneId, meterId, runs: ['a'], readings: [] };
    await traffic.take({ ...none, after: 0n });
    const [first] = await traffic.of(connectionId, [zoneId]);
    await traffic.take({ ...none, after: 1n });
    const [second] = await traffic.of(connectionId, [zoneId]);
    expect(second?.sinceTime).toEqual(first?.sinceTime);
    expect(second?.reportTime.getTime()).toBeGreaterThan(first?.reportTime.getTime() ?? Number.NaN);
  });

  it('is forgotten with the connection, and that alone', async () => {
    const { zoneId, meterId, connectionId } = fresh();
    const other = fresh().connectionId;
    const readings = [reading(connectionId, 'a', 1), reading(other, 'a', 1)];
    await traffic.take({ zoneId, meterId, after: 0n, runs: ['a'], readings });
    expect(await traffic.forget(connectionId)).toBe(true);
    expect(await traffic.forget(connectionId)).toBe(false);
    expect(await totalOf(connectionId, zoneId)).toEqual([{ zoneId, counters: [0, 0, 0, 0, 0] }]);
    expect(await totalOf(other, zoneId)).toEqual([{ zoneId, counters: [10, 100, 1, 0, 1] }]);
  });

  it('adds up to what all runs have counted, in whichever order they begin and end', async () => {
    const runs = fc.array(fc.subarray(['a', 'b', 'c', 'd']), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(runs, fc.infiniteStream(fc.nat(9)), async (reports, counts) => {
        const { zoneId, meterId, connectionId } = fresh();
        const counted = new Map<string, number>();
        const over = new Set<string>();
        let after = 0n;
        for (const named of reports) {
          const living = named.filter((run) => !over.has(run));
          for (const run of counted.keys()) if (!living.includes(run)) over.add(run);
          const readings = living.map((run) => {
            counted.set(run, (counted.get(run) ?? 0) + (counts.next().value ?? 0));
            return reading(connectionId, run, counted.get(run) ?? 0);
          });
          await traffic.take({ zoneId, meterId, after, runs: living, readings });
          after++;
          const sum = [...counted.values()].reduce((total, count) => total + count, 0);
          const [shown] = await traffic.of(connectionId, [zoneId]);
          expect(shown?.flows).toBe(BigInt(sum));
        }
      }),
      { numRuns: 40 },
    );
  });
});
