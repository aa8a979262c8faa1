import { describe, expect, it } from 'vitest';
import { createDnsQueries } from './dns-queries.ts';
import type { Process } from './processes.ts';

const START = Date.parse('2026-01-02T03:00:00Z');
const at = (seconds: number): Date => new Date(START + seconds * 1_000);

const silent = (process: Process): Process => ({ ...process, isAnswering: false });

describe('DNS queries', () => {
  const answered = (address: string, seconds: number, counts: Readonly<Record<string, number>>): Process => ({
    ...{ address, heardAt: at(seconds), isAnswering: true },
    samples: Object.entries(counts).flatMap(([code, value]) =>
      ['udp', 'tcp'].map((transport) => ({
        name: 'privatelink_dns_queries_total',
        labels: { code, transport },
        value: value / 2,
      })),
    ),
  });

  it('are counted in a second, by code and of all processes', () => {
    const queries = createDnsQueries();
    queries.hear([answered('a', 0, { NOERROR: 1_000 }), answered('b', 0, {})], at(0));
    expect(queries.show(at(0))).toMatchObject({ now: [], history: [] });
    queries.hear([answered('a', 2, { NOERROR: 1_020 }), answered('b', 2, { NOERROR: 10, NXDOMAIN: 4 })], at(2));
    expect(queries.show(at(2)).now).toEqual([
      { code: 'NOERROR', perSecond: 15 },
      { code: 'NXDOMAIN', perSecond: 2 },
    ]);
  });

  it('of a process that began anew count from nothing, and those of one that is new not at all', () => {
    const queries = createDnsQueries();
    queries.hear([answered('a', 0, { NOERROR: 1_000 })], at(0));
    queries.hear([answered('a', 2, { NOERROR: 8 }), answered('b', 2, { NOERROR: 1_000_000 })], at(2));
    expect(queries.show(at(2)).now).toEqual([{ code: 'NOERROR', perSecond: 4 }]);
  });

  it('of a process that was away are those of all the time since', () => {
    const queries = createDnsQueries();
    const before = answered('a', 0, { NOERROR: 0 });
    queries.hear([before], at(0));
    for (let second = 2; second < 100; second += 2) queries.hear([silent(before)], at(second));
    expect(queries.show(at(98))).toMatchObject({ now: [], history: [], processes: [{ isAnswering: false }] });
    queries.hear([answered('a', 100, { NOERROR: 500 })], at(100));
    expect(queries.show(at(100)).now).toEqual([{ code: 'NOERROR', perSecond: 5 }]);
  });

  it('are kept for half an hour', () => {
    const queries = createDnsQueries();
    for (let second = 0; second <= 3_600; second += 2) {
      queries.hear([answered('a', second, { NOERROR: second < 3_000 ? 10 * second : 30_000 })], at(second));
    }
    const { now, history } = queries.show(at(3_600));
    expect(now).toEqual([{ code: 'NOERROR', perSecond: 0 }]);
    expect(history).toHaveLength(61);
    expect(history[0]?.time).toEqual(at(1_800));
    expect(history[1]).toEqual({ time: at(1_830), rates: [{ code: 'NOERROR', perSecond: 10 }] });
    expect(history.at(-2)).toEqual({ time: at(3_570), rates: [{ code: 'NOERROR', perSecond: 0 }] });
  });
});
