import { describe, expect, it } from 'vitest';
import { measure, sumOf, type Traffic } from './traffic.ts';

const counters = (bytes: number, flows = 0) => ({
  ...{ bytesToService: String(bytes), bytesToEndpoint: String(2 * bytes), flows: String(flows) },
  ...{ openFlows: '0', failedFlows: '0' },
});

const at = (second: number, ...bytes: readonly (number | null)[]): Traffic => ({
  total: undefined,
  zones: bytes.map((count, index) => ({
    zoneId: `zone-${index}`,
    counters: count === null ? undefined : counters(count),
    sinceTime: undefined,
    reportTime: count === null ? undefined : new Date(second * 1_000).toISOString(),
  })),
});

describe('how fast it goes', () => {
  it('is known after two reports, from what was counted and the time between them', () => {
    const first = measure(undefined, at(10, 1_000, 0));
    expect(first.rates).toEqual({});
    const second = measure(first, at(12, 5_000, 0));
    expect(second.rates).toEqual({
      'zone-0': { bytesToService: 2_000, bytesToEndpoint: 4_000, flows: 0 },
      'zone-1': { bytesToService: 0, bytesToEndpoint: 0, flows: 0 },
    });
    expect(measure(second, at(12, 5_000, 0)).rates).toEqual(second.rates);
  });

  it('is not known of a zone where nobody has counted, then or now', () => {
    expect(measure(measure(undefined, at(10, null)), at(12, 1_000)).rates).toEqual({});
    expect(measure(measure(undefined, at(10, 1_000)), at(12, null)).rates).toEqual({});
  });

  it('is exact where a number of JavaScript is not', () => {
    const first = at(10, 0);
    const large = (text: string): Traffic => ({
      ...first,
      zones: first.zones.map((zone) => ({ ...zone, counters: { ...counters(0), bytesToService: text } })),
    });
    const later = {
      ...large('9007199254740995'),
      zones: large('9007199254740995').zones.map((zone) => ({ ...zone, reportTime: new Date(11_000).toISOString() })),
    };
    const { rates } = measure(measure(undefined, large('9007199254740992')), later);
    expect(rates['zone-0']?.bytesToService).toBe(3);
  });

  it('is that of all zones together', () => {
    expect(sumOf([])).toBeUndefined();
    expect(
      sumOf([
        { bytesToService: 1, bytesToEndpoint: 2, flows: 3 },
        { bytesToService: 10, bytesToEndpoint: 20, flows: 30 },
      ]),
    ).toEqual({
      ...{ bytesToService: 11, bytesToEndpoint: 22, flows: 33 },
    });
  });
});
