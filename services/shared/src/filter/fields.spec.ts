import { describe, expect, it } from 'vitest';
import { compileFilter, type Fields, tagEntries } from './fields.ts';
import { InvalidFilter } from './invalid-filter.ts';
import { parseOrderBy } from './order-by.ts';
import { parseFilter } from './syntax.ts';

type Column = 'colour' | 'made_at' | 'weight' | 'is_new' | 'parts' | 'tags';

const fields: Fields<Column> = {
  id: { column: 'key', type: 'text', ordered: true },
  colour: { column: 'colour', type: 'text', values: ['RED', 'BLUE'], ordered: true },
  make_time: { column: 'made_at', type: 'time', ordered: true },
  weight: { column: 'weight', type: 'number' },
  new: { column: 'is_new', type: 'boolean' },
  parts: { column: 'parts', type: 'list' },
  tags: { column: 'tags', type: 'tags' },
};

const compile = (text: string) => {
  const filter = parseFilter(text);
  if (!filter) throw new Error('nothing to compile');
  return compileFilter(fields, filter);
};
const refused = (act: () => unknown) => {
  try {
    act();
  } catch (error) {
    if (error instanceof InvalidFilter) return { at: error.at, message: error.message };
    throw error;
  }
  throw new Error('was not refused');
};

describe('a filter of a list', () => {
  it('becomes a condition on its columns', () => {
    expect(compile('colour = RED AND NOT weight >= 3')).toEqual({
      is: 'all',
      of: [
        { is: 'compared', column: 'colour', by: '=', to: 'RED' },
        { is: 'not', of: { is: 'compared', column: 'weight', by: '>=', to: 3n } },
      ],
    });
    const to = new Date('2026-01-01T19:04:05.678Z');
    expect(compile('make_time < "2026-01-02T03:04:05.678+08:00"')).toEqual({
      ...{ is: 'compared', column: 'made_at', by: '<', to },
    });
    expect(compile('id != x')).toEqual({ is: 'not', of: { is: 'compared', column: 'key', by: '=', to: 'x' } });
    expect(compile('new = true')).toMatchObject({ to: true });
    expect(compile('parts:wheel')).toEqual({ is: 'containing', column: 'parts', value: 'wheel' });
  });

  it('asks tags by key, or by key and value, which are no other tag', () => {
    const entry = (text: string) => {
      const condition = compile(text);
      return condition.is === 'containing' ? condition.value : condition.is;
    };
    const [key, pair, ...others] = tagEntries([
      { key: 'env', value: 'prod' },
      { key: 'env","prod', value: '' },
    ]);
    for (const text of ['tags:env', 'tags.env:*', 'tags."env":*']) expect(entry(text)).toBe(key);
    for (const text of ['tags.env:prod', 'tags.env = "prod"', "tags.'env'=prod"]) expect(entry(text)).toBe(pair);
    expect(others).not.toContain(key);
    expect(others).not.toContain(pair);
    expect(entry('tags.env != prod')).toBe('not');
    expect(entry('tags."a.b":*')).toBe('["a.b"]');
  });

  it.each([
    ...['2026-02-29T00:00:00Z', '2026-04-31T00:00:00Z', '2026-13-01T00:00:00Z', '2026-01-01T25:00:00Z'],
    ...['0000-01-01T00:00:00Z', '0001-01-01T00:00:00+01:00', '9999-12-31T23:59:59-01:00', 'yesterday'],
  ])('refuses %s, which is no time that a database knows', (time) => {
    expect(refused(() => compile(`make_time < "${time}"`)).message).toContain('make_time is a time');
  });

  it.each([
    ['color = RED', 1, 'there is no field color; there are id, colour, make_time, weight, new, parts, tags'],
    ['constructor = RED', 1, 'there is no field constructor'],
    ['__proto__ = RED', 1, 'there is no field __proto__'],
    ['id = x AND colour = red', 12, 'red is no value of colour; there are RED, BLUE'],
    ['colour < RED', 1, 'colour cannot be asked with <, only with = !='],
    ['colour : RED', 1, 'only with = !='],
    ['parts = wheel', 1, 'only with :'],
    ['parts:*', 1, '* stands for'],
    ['colour = *', 1, '* stands for'],
    ['colour.x = RED', 1, 'colour has no parts'],
    ['make_time > yesterday', 1, 'make_time is a time'],
    ['make_time > 2026-01-02', 1, 'make_time is a time'],
    ['make_time > 2026-13-02T03:04:05Z', 1, 'make_time is a time'],
    ['weight = heavy', 1, 'weight is a whole number'],
    ['weight = 9223372036854775808', 1, 'weight is a whole number'],
    ['new = yes', 1, 'new is true or false'],
    ['tags = x', 1, 'a key is wanted'],
    ['tags:*', 1, 'a key is wanted'],
    ['tags.a.b = x', 1, 'quotes'],
    ['tags.a = *', 1, '* goes with a colon'],
    ['id = "a\0b"', 1, 'NUL'],
  ])('%j is refused at %i: %s', (text, at, why) => {
    expect(refused(() => compile(text))).toMatchObject({ at, message: expect.stringContaining(why) });
  });
});

describe('the order of a list', () => {
  it('is by fields, each forwards or backwards', () => {
    expect(parseOrderBy(fields, '')).toEqual([]);
    expect(parseOrderBy(fields, 'make_time desc,  id')).toEqual([
      { column: 'made_at', descending: true },
      { column: 'key', descending: false },
    ]);
    expect(parseOrderBy(fields, ' colour asc ')).toEqual([{ column: 'colour', descending: false }]);
  });

  it.each([
    ['x', 1, 'a list cannot be in order of x, only of id, colour, make_time'],
    ['id, weight', 5, 'cannot be in order of weight'],
    ['id,', 4, 'cannot be in order of'],
    ['id DESC', 1, 'id is followed by desc'],
    ['id desc desc', 1, 'id is followed by desc'],
    ['id; drop table x', 1, 'cannot be in order of id;'],
    ['id, colour, id desc', 13, 'id is given twice'],
    ['x'.repeat(300), 257, 'at most 256'],
  ])('%j is refused at %i: %s', (text, at, why) => {
    expect(refused(() => parseOrderBy(fields, text))).toMatchObject({ at, message: expect.stringContaining(why) });
  });
});
