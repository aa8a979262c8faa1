import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  assignableRange,
  type Cidr,
  formatAddress,
  formatCidr,
  hasAddress,
  isInside,
  overlaps,
  parseAddress,
  parseCidr,
  sizeOf,
} from './cidr.ts';

const cidr = (text: string): Cidr => {
  const parsed = parseCidr(text, text.includes(':') ? 6 : 4);
  if (typeof parsed === 'string') throw new Error(`${text}: ${parsed}`);
  return parsed;
};

describe('addresses', () => {
  it.each([
    ['0.0.0.0', 0n],
    ['10.0.0.4', 0x0a000004n],
    ['255.255.255.255', 0xffffffffn],
    ['::', 0n],
    ['2001:DB8::1', 0x20010db8000000000000000000000001n],
    ['1::', 1n << 112n],
    ['::ffff:10.0.0.4', 0xffff0a000004n],
  ])('reads %s', (text, value) => {
    expect(parseAddress(text)?.value).toBe(value);
  });

  it.each(['', '10.0.0', '010.0.0.1', '10.0.0.256', ' 10.0.0.1', '1:2:3', '1::2::3', 'fe80::1%eth0', 'example.com'])(
    'does not read %j',
    (text) => {
      expect(parseAddress(text)).toBeUndefined();
    },
  );

  it('writes IPv4 as everybody does, and reads it back', () => {
    fc.assert(
      fc.property(fc.ipV4(), (text) => {
        const parsed = parseAddress(text);
        expect(parsed?.family).toBe(4);
        expect(formatAddress(4, parsed?.value ?? -1n)).toBe(text);
      }),
    );
  });

  it('writes IPv6 as the URL standard does, and reads it back', () => {
    const zeroOften = fc.oneof({ weight: 2, arbitrary: fc.constant(0n) }, fc.bigInt({ min: 0n, max: 0xffffn }));
    fc.assert(
      fc.property(fc.array(zeroOften, { minLength: 8, maxLength: 8 }), (groups) => {
        const value = groups.reduce((sum, group) => sum * 65_536n + group, 0n);
        const long = groups.map((group) => group.toString(16)).join(':');
        const text = formatAddress(6, value);
        expect(`[${text}]`).toBe(new URL(`http://[${long}]`).hostname);
        expect(parseAddress(text)).toEqual({ family: 6, value });
        expect(parseAddress(long)).toEqual({ family: 6, value });
      }),
      { numRuns: 500 },
    );
  });
});

describe('ranges', () => {
  it.each([
    ['10.0.0.0/8', '10.0.0.0/8'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['10.1.2.3/32', '10.1.2.3/32'],
    ['2001:DB8:0:0::/56', '2001:db8::/56'],
  ])('reads %s', (text, canonical) => {
    expect(formatCidr(cidr(text))).toBe(canonical);
  });

  it.each([
    ['', 4, 'MALFORMED'],
    ['10.0.0.0', 4, 'MALFORMED'],
    ['10.0.0.0/', 4, 'MALFORMED'],
    ['10.0.0.0/08', 4, 'MALFORMED'],
    ['10.0.0.0/33', 4, 'MALFORMED'],
    ['10.0.0.0/-1', 4, 'MALFORMED'],
    ['10.0.0.0/8/8', 4, 'MALFORMED'],
    ['10.0.0.0/255.0.0.0', 4, 'MALFORMED'],
    ['2001:db8::/56', 4, 'MALFORMED'],
    ['10.0.0.0/8', 6, 'MALFORMED'],
    ['2001:db8::/129', 6, 'MALFORMED'],
    ['10.0.0.1/8', 4, 'HOST_BITS_SET'],
    ['2001:db8::1/64', 6, 'HOST_BITS_SET'],
  ] as const)('does not read %j as IPv%s: %s', (text, family, fault) => {
    expect(parseCidr(text, family)).toBe(fault);
  });

  it('never throws', () => {
    fc.assert(fc.property(fc.string(), fc.constantFrom(4, 6), (text, family) => void parseCidr(text, family)));
  });

  it('keeps the first four addresses and the last', () => {
    const { first, last, count } = assignableRange(cidr('10.0.0.16/29'));
    expect([formatAddress(4, first), formatAddress(4, last), count]).toEqual(['10.0.0.20', '10.0.0.22', 3n]);
  });

  // Prefixes of at least 28 bits are few enough to be compared address by address.
  const small = fc
    .record({ prefix: fc.integer({ min: 28, max: 32 }), index: fc.integer({ min: 0, max: 63 }) })
    .map(({ prefix, index }): Cidr => {
      const size = sizeOf({ family: 4, prefix });
      return { family: 4, prefix, first: BigInt(index - (index % Number(size))) };
    });
  const members = (range: Cidr) =>
    Array.from({ length: 64 }, (_, value) => formatAddress(4, BigInt(value))).filter((text) => hasAddress(range, text));

  it('agrees with the sets of its addresses', () => {
    fc.assert(
      fc.property(small, small, (a, b) => {
        const [inA, inB] = [members(a), members(b)];
        expect(BigInt(inA.length)).toBe(sizeOf(a));
        expect(overlaps(a, b)).toBe(inA.some((text) => inB.includes(text)));
        expect(isInside(a, b)).toBe(inA.every((text) => inB.includes(text)));
      }),
      { numRuns: 500 },
    );
  });

  it('keeps the families apart', () => {
    expect(overlaps(cidr('0.0.0.0/0'), cidr('::/0'))).toBe(false);
    expect(isInside(cidr('10.0.0.0/8'), cidr('::/0'))).toBe(false);
    expect(hasAddress(cidr('::/0'), '10.0.0.1')).toBe(false);
  });
});
