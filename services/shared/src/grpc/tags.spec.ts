import { describe, expect, it } from 'vitest';
import { InvalidRequest } from '../app/errors.ts';
import { checkTags, toTags } from './tags.ts';
import { violations } from './validate.ts';

const fieldsOf = (tags: readonly { key: string; value: string }[]): readonly string[] => {
  const v = violations();
  checkTags(v, 'tags', tags);
  try {
    v.throwIfAny();
    return [];
  } catch (error) {
    return error instanceof InvalidRequest ? error.violations.map(({ field }) => field) : ['?'];
  }
};
const many = (count: number) => Array.from({ length: count }, (_, index) => ({ key: `k${index}`, value: '' }));

describe('tags', () => {
  it('are at most 20', () => {
    expect(fieldsOf(many(20))).toEqual([]);
    expect(fieldsOf(many(21))).toEqual(['tags']);
  });

  it('have a key of 1 to 64 characters and a value of up to 128, whatever they are but NUL', () => {
    expect(fieldsOf([{ key: '🙂'.repeat(64), value: '🙂'.repeat(128) }])).toEqual([]);
    expect(fieldsOf([{ key: '', value: '' }])).toEqual(['tags[0].key']);
    expect(fieldsOf([...many(1), { key: 'x'.repeat(65), value: 'x'.repeat(129) }])).toEqual([
      'tags[1].key',
      'tags[1].value',
    ]);
    expect(fieldsOf([{ key: 'a\0', value: '\0' }])).toEqual(['tags[0].key', 'tags[0].value']);
  });

  it('have each key once', () => {
    expect(fieldsOf([...many(2), { key: 'k0', value: 'other' }])).toEqual(['tags[2].key']);
    expect(fieldsOf([...many(1), { key: 'K0', value: '' }])).toEqual([]);
  });

  it('are kept in the order of their keys', () => {
    const given = ['b', 'B', '__proto__', 'a'].map((key) => ({ key, value: key }));
    expect(toTags(given).map(({ key }) => key)).toEqual(['B', '__proto__', 'a', 'b']);
    expect(toTags(given)).toEqual(toTags(given.toReversed()));
  });
});
