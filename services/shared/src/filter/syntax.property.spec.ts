import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidFilter } from './invalid-filter.ts';
import { type Filter, parseFilter, printFilter, type Restriction } from './syntax.ts';

const restriction: fc.Arbitrary<Restriction> = fc.record({
  is: fc.constant('restriction' as const),
  path: fc
    .tuple(fc.stringMatching(/^[a-z_]{1,6}$/), fc.array(fc.string({ unit: 'binary' }), { maxLength: 2 }))
    .map(([name, keys]) => [name, ...keys]),
  operator: fc.constantFrom('=' as const, '!=', '<', '<=', '>', '>=', ':'),
  value: fc.option(fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('*', 'AND', '"', "'", '\\', ')'))),
  at: fc.constant(0),
});

const { filter } = fc.letrec<{ filter: Filter }>((tie) => ({
  filter: fc.oneof(
    { depthSize: 'small', maxDepth: 5 },
    restriction,
    tie('filter').map((of): Filter => ({ is: 'not', of })),
    fc
      .tuple(fc.constantFrom('and' as const, 'or' as const), fc.array(tie('filter'), { minLength: 2, maxLength: 3 }))
      .map(([is, of]): Filter => ({ is, of })),
  ),
}));

const withoutPlaces = (read: Filter | null): unknown =>
  JSON.parse(JSON.stringify(read, (key, value: unknown) => (key === 'at' ? 0 : value)));

const sizeOf = (one: Filter): number => {
  if (one.is === 'restriction') return 1;
  return one.is === 'not' ? sizeOf(one.of) : one.of.reduce((sum, part) => sum + sizeOf(part), 0);
};

const refused = (text: string): InvalidFilter | null => {
  try {
    parseFilter(text);
    return null;
  } catch (error) {
    if (error instanceof InvalidFilter) return error;
    throw error;
  }
};

describe('a filter', () => {
  it('that is printed and read again is the same', () => {
    fc.assert(
      fc.property(filter, (one) => {
        const text = printFilter(one);
        if (text.length > 2_048 || sizeOf(one) > 64) return;
        expect(withoutPlaces(parseFilter(text)), text).toEqual(withoutPlaces(one));
      }),
      { numRuns: 1_000 },
    );
  });

  it('is read, or refused at a place in it; nothing else ever comes of a text', () => {
    const token = fc.constantFrom(
      ...[
        '(',
        ')',
        'AND',
        'OR',
        'NOT',
        'a',
        '.',
        '=',
        '!=',
        '<',
        '>=',
        ':',
        '*',
        '"',
        "'",
        '\\',
        ' ',
        '\n',
        '\0',
        '🙂',
      ],
    );
    const texts = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 60 }),
      fc.array(token, { maxLength: 30 }).map((tokens) => tokens.join('')),
      fc.array(token, { maxLength: 30 }).map((tokens) => tokens.join(' ')),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const error = refused(text);
        if (!error) return;
        expect(error.at).toBeGreaterThanOrEqual(1);
        expect(error.at).toBeLessThanOrEqual(text.length + 1);
      }),
      { numRuns: 3_000 },
    );
  });
});

describe('what is written', () => {
  const printed = (text: string): string => {
    const read = parseFilter(text);
    return read ? printFilter(read) : '';
  };

  it.each([
    ['', ''],
    [' \n ', ''],
    ['a=b', 'a = "b"'],
    ['a = "b c" AND tags.env:prod', 'a = "b c" AND tags."env" : "prod"'],
    // OR binds stronger, as AIP-160 has it.
    ['a=1 AND b=2 OR c=3', 'a = "1" AND b = "2" OR c = "3"'],
    ['(a=1 AND b=2) OR c=3', '(a = "1" AND b = "2") OR c = "3"'],
    ['NOT (a=1 OR b=2) AND NOT c=3', 'NOT (a = "1" OR b = "2") AND NOT c = "3"'],
    ['t >= 2026-01-02T03:04:05.678+08:00', 't >= "2026-01-02T03:04:05.678+08:00"'],
    ['tags."a b":*', 'tags."a b" : *'],
    ['tags.env:"*"', 'tags."env" : "*"'],
    ["a='it\\'s'", 'a = "it\'s"'],
    ['ANDROID = 1 AND NOTE = 2', 'ANDROID = "1" AND NOTE = "2"'],
    ['((((a=1))))', 'a = "1"'],
  ])('%j means %j', (text, meaning) => expect(printed(text)).toBe(meaning));

  it('of AND and OR the latter binds stronger', () => {
    expect(parseFilter('a=1 AND b=2 OR c=3')).toMatchObject({ is: 'and', of: [{ path: ['a'] }, { is: 'or' }] });
  });

  it.each([
    ['a', 2, 'one of'],
    ['a =', 4, 'a value'],
    ['= 1', 1, 'a field'],
    ['a=1 b=2', 5, 'AND or OR'],
    ['a=1 and b=2', 5, 'AND or OR'],
    ['a=1 AND', 8, 'a field'],
    ['AND a=1', 1, 'AND wants'],
    ['(a=1', 1, 'never closed'],
    ['a=1)', 4, 'AND or OR'],
    ['(a=1 b=2)', 6, 'AND, OR or )'],
    ['a="b', 3, 'never closed'],
    ['a="b\\', 3, 'never closed'],
    ['tags.=1', 6, 'a key'],
    ["a=1; drop table 'x'", 6, 'AND or OR'],
  ])('%j is refused at %i: %s', (text, at, why) => {
    expect(refused(text)).toMatchObject({ at, message: expect.stringContaining(why) });
  });

  it('is bounded, in length, in depth and in what it compares', () => {
    const refusal = (text: string) => {
      const { at, message } = refused(text) ?? { at: 0, message: '' };
      return `${at}: ${message}`;
    };
    expect(refusal(`${'('.repeat(40)}a=1${')'.repeat(40)}`)).toMatch(/^34: .* 32 deep$/);
    expect(refusal(`${'NOT '.repeat(40)}a=1`)).toMatch(/^133: .* 32 deep$/);
    expect(refusal(Array(65).fill('a=1').join(' AND '))).toMatch(/^513: at most 64/);
    expect(refusal('a'.repeat(3_000))).toMatch(/^2049: .* 2048 characters$/);
  });
});
