import { isIPv4, isIPv6 } from 'node:net';

export type IpFamily = 4 | 6;

/** A range of addresses. `first` has all host bits clear. */
export type Cidr = Readonly<{ family: IpFamily; first: bigint; prefix: number }>;

export type CidrFault = 'MALFORMED' | 'HOST_BITS_SET';

const BITS: Readonly<Record<IpFamily, number>> = { 4: 32, 6: 128 };

export const parseAddress = (text: string): Readonly<{ family: IpFamily; value: bigint }> | undefined => {
  if (isIPv4(text)) return { family: 4, value: parseIpv4(text) };
  // A scope (`%eth0`) names an interface of some machine: no part of an address.
  if (isIPv6(text) && !text.includes('%')) return { family: 6, value: parseIpv6(text) };
  return undefined;
};

const parseIpv4 = (text: string): bigint => text.split('.').reduce((value, byte) => value * 256n + BigInt(byte), 0n);

const parseIpv6 = (text: string): bigint => {
  const hex = text.replace(/\d+\.\d+\.\d+\.\d+$/, (dotted) => {
    const value = parseIpv4(dotted);
    return `${(value >> 16n).toString(16)}:${(value & 0xffffn).toString(16)}`;
  });
  const [head, tail] = hex.split('::');
  const front = groupsOf(head);
  const back = groupsOf(tail);
  const zeros = Array<string>(8 - front.length - back.length).fill('0');
  return [...front, ...zeros, ...back].reduce((value, group) => value * 65_536n + BigInt(`0x${group}`), 0n);
};

const groupsOf = (text: string | undefined): readonly string[] => (text ? text.split(':') : []);

/** Canonical text: dotted decimal, or RFC 5952. */
export const formatAddress = (family: IpFamily, value: bigint): string =>
  family === 4 ? formatIpv4(Number(value)) : formatIpv6(value);

const formatIpv4 = (value: number): string =>
  `${value >>> 24}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}`;

const formatIpv6 = (value: bigint): string => {
  const groups = Array.from({ length: 8 }, (_, index) => ((value >> BigInt(112 - 16 * index)) & 0xffffn).toString(16));
  const text = groups.join(':');
  // The longest run of at least two zero groups is left out, the first one of several.
  const runs = text.match(/\b0(:0)+\b/g) ?? [];
  const longest = runs.reduce((best, run) => (run.length > best.length ? run : best), '');
  if (longest === '') return text;
  const start = text.search(new RegExp(`\\b${longest}\\b`));
  return `${text.slice(0, start).replace(/:$/, '')}::${text.slice(start + longest.length).replace(/^:/, '')}`;
};

export const formatCidr = ({ family, first, prefix }: Cidr): string => `${formatAddress(family, first)}/${prefix}`;

export const parseCidr = (text: string, family: IpFamily): Cidr | CidrFault => {
  const [, address = '', length = ''] = /^([^/]+)\/(0|[1-9]\d{0,2})$/.exec(text) ?? [];
  const parsed = parseAddress(address);
  const prefix = Number(length);
  if (parsed?.family !== family || prefix > BITS[family]) return 'MALFORMED';
  const cidr = { family, first: parsed.value, prefix };
  return parsed.value % sizeOf(cidr) === 0n ? cidr : 'HOST_BITS_SET';
};

/** How many addresses are in it. */
export const sizeOf = ({ family, prefix }: Pick<Cidr, 'family' | 'prefix'>): bigint =>
  1n << BigInt(BITS[family] - prefix);

const lastOf = (cidr: Cidr): bigint => cidr.first + sizeOf(cidr) - 1n;

export const overlaps = (a: Cidr, b: Cidr): boolean =>
  a.family === b.family && a.first <= lastOf(b) && b.first <= lastOf(a);

export const isInside = (inner: Cidr, outer: Cidr): boolean =>
  inner.family === outer.family && inner.first >= outer.first && lastOf(inner) <= lastOf(outer);

export const hasAddress = (cidr: Cidr, text: string): boolean => {
  const parsed = parseAddress(text);
  return (
    parsed !== undefined && isInside({ family: parsed.family, first: parsed.value, prefix: BITS[parsed.family] }, cidr)
  );
};

/** The addresses that interfaces may have: not the first four and not the last of a range. */
export const assignableRange = (cidr: Cidr): Readonly<{ first: bigint; last: bigint; count: bigint }> => ({
  first: cidr.first + 4n,
  last: lastOf(cidr) - 1n,
  count: sizeOf(cidr) - 5n,
});
