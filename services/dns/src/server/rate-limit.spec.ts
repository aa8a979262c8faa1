import { describe, expect, it } from 'vitest';
import { createRateLimit, sourcePrefix, type Verdict } from './rate-limit.ts';

const verdicts = (count: number, ask: (index: number) => Verdict) => Array.from({ length: count }, (_, i) => ask(i));

describe('the rate limit', () => {
  it('answers a burst, then every second query over it empty and the rest not at all', () => {
    const limit = createRateLimit({ responsesPerSecond: 3 });
    expect(verdicts(7, () => limit('192.0.2.1', 0))).toEqual([
      'answer',
      'answer',
      'answer',
      'drop',
      'slip',
      'drop',
      'slip',
    ]);
  });

  it('refills with time, up to the burst', () => {
    const limit = createRateLimit({ responsesPerSecond: 10, burst: 2, slip: 0 });
    expect(verdicts(3, () => limit('192.0.2.1', 0))).toEqual(['answer', 'answer', 'drop']);
    expect(verdicts(2, () => limit('192.0.2.1', 100))).toEqual(['answer', 'drop']);
    expect(verdicts(3, () => limit('192.0.2.1', 60_000))).toEqual(['answer', 'answer', 'drop']);
  });

  it('counts a network as one source and other networks apart', () => {
    const limit = createRateLimit({ responsesPerSecond: 1, slip: 1 });
    expect(limit('192.0.2.1', 0)).toBe('answer');
    expect(limit('192.0.2.250', 0)).toBe('slip');
    expect(limit('::ffff:192.0.2.9', 0)).toBe('slip');
    expect(limit('192.0.3.1', 0)).toBe('answer');
  });

  it('forgets the source it has not seen longest when there are too many', () => {
    const limit = createRateLimit({ responsesPerSecond: 1, slip: 0 });
    const source = (index: number) => `${index >> 16}.${(index >> 8) & 255}.${index & 255}.1`;
    limit(source(0), 0);
    limit(source(1), 0);
    expect(limit(source(0), 0)).toBe('drop');
    for (let index = 2; index <= 65_536; index++) limit(source(index), 0);
    expect(limit(source(0), 0)).toBe('drop');
    expect(limit(source(1), 0)).toBe('answer');
  });
});

describe('the network of a source', () => {
  it.each([
    ['192.0.2.77', '192.0.2'],
    ['::ffff:192.0.2.77', '192.0.2'],
    ['2001:db8:1:2345:6:7:8:9', '2001:db8:1:2300'],
    ['2001:db8::1', '2001:db8:0:0'],
    ['2001:db8:1:23ff::', '2001:db8:1:2300'],
    ['::1', '0:0:0:0'],
    ['::', '0:0:0:0'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
  ])('of %s is %s', (address, network) => {
    expect(sourcePrefix(address)).toBe(network);
  });
});
