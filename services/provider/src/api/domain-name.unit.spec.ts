import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDomainName, txtRecordName } from './domain-name.ts';

const SUFFIX = 'privatelink.internal';
const parse = (text: string) => parseDomainName(text, SUFFIX);

const label = (length: number): string => 'a'.repeat(length);
/** As long as a name may be: 240 characters. */
const longest = [label(63), label(63), label(63), label(44), 'com'].join('.');

describe('a custom domain', () => {
  it.each([
    ['db.example.com', 'db.example.com'],
    ['DB.Example.COM.', 'db.example.com'],
    ['*.db.example.com', '*.db.example.com'],
    ['a-b.1.example.com', 'a-b.1.example.com'],
    ['bücher.example', 'xn--bcher-kva.example'],
    ['*.BÜCHER.example', '*.xn--bcher-kva.example'],
    ['例え.テスト', 'xn--r8jz45g.xn--zckzah'],
    ['例え。テスト', 'xn--r8jz45g.xn--zckzah'],
    ['xn--bcher-kva.example', 'xn--bcher-kva.example'],
    [longest, longest],
  ])('%s is kept as %s', (text, domainName) => expect(parse(text)).toEqual({ domainName }));

  it.each([
    ['', 'SYNTAX'],
    ['.', 'SYNTAX'],
    ['com', 'TOP_LEVEL'],
    ['*.com', 'TOP_LEVEL'],
    ['*', 'SYNTAX'],
    ['*.*.example.com', 'SYNTAX'],
    ['a.*.example.com', 'SYNTAX'],
    ['a*.example.com', 'SYNTAX'],
    ['a..example.com', 'SYNTAX'],
    ['.example.com', 'SYNTAX'],
    ['example.com..', 'SYNTAX'],
    ['-a.example.com', 'SYNTAX'],
    ['a-.example.com', 'SYNTAX'],
    ['a_b.example.com', 'SYNTAX'],
    ['a b.example.com', 'SYNTAX'],
    ['a\0.example.com', 'SYNTAX'],
    ['ü\0.example.com', 'SYNTAX'],
    ['ü%2ecom', 'SYNTAX'],
    ['ü/x.com', 'SYNTAX'],
    ['http://example.com', 'SYNTAX'],
    ['example.com:53', 'SYNTAX'],
    ['xn--a.example.com', 'SYNTAX'],
    ['\u200b.example.com', 'SYNTAX'],
    [`${label(64)}.example.com`, 'SYNTAX'],
    [`a${longest}`, 'TOO_LONG'],
    [`*.${longest}`, 'TOO_LONG'],
    ['x'.repeat(100_000), 'TOO_LONG'],
    ['192.168.0.1', 'IP_ADDRESS'],
    ['privatelink.internal', 'OURS'],
    ['x.privatelink.internal', 'OURS'],
    ['*.PRIVATELINK.internal', 'OURS'],
  ])('%j is none: %s', (text, problem) => expect(parse(text)).toEqual({ problem }));

  it('is none where it would hold the names that endpoints get anyway', () => {
    expect(parseDomainName('*.corp.example', 'privatelink.corp.example')).toEqual({ problem: 'OURS' });
    expect(parseDomainName('notprivatelink.internal', SUFFIX)).toEqual({ domainName: 'notprivatelink.internal' });
  });

  it('is proven at a name of its own domain, a wildcard where the domain itself is', () => {
    expect(txtRecordName('db.example.com')).toBe('_privatelink.db.example.com');
    expect(txtRecordName('*.db.example.com')).toBe('_privatelink.db.example.com');
  });

  it('is the same when it is read again, and whatever is kept can be a name', () =>
    fc.assert(
      fc.property(fc.oneof(fc.domain(), fc.string({ unit: 'binary' }), fc.string()), fc.boolean(), (text, wild) => {
        const parsed = parse(wild ? `*.${text}` : text);
        if ('problem' in parsed) return;
        expect(parse(parsed.domainName)).toEqual(parsed);
        expect(txtRecordName(parsed.domainName)).toMatch(/^_privatelink(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+$/);
        expect(txtRecordName(parsed.domainName).length).toBeLessThanOrEqual(253);
      }),
    ));
});
