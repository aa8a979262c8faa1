import type { Tag } from '@privatelink/proto/common/v1/common';
import { checkText, type Violations } from './validate.ts';

const MAX_TAGS = 20;
const MAX_KEY = 64;
const MAX_VALUE = 128;

/** @param path of the list in the request */
export const checkTags = (v: Violations, path: string, tags: readonly Tag[]): void => {
  v.check(path, tags.length <= MAX_TAGS, `must be at most ${MAX_TAGS}`);
  const keys = new Set<string>();
  for (const [index, { key, value }] of tags.slice(0, MAX_TAGS).entries()) {
    v.check(`${path}[${index}].key`, key !== '', 'must not be empty');
    checkText(v, `${path}[${index}].key`, key, MAX_KEY);
    v.check(`${path}[${index}].key`, !keys.has(key), 'must not be given twice');
    checkText(v, `${path}[${index}].value`, value, MAX_VALUE);
    keys.add(key);
  }
};

/** In order of their keys, so that the same tags are stored and shown alike. */
export const toTags = (tags: readonly Tag[]): readonly Readonly<Tag>[] =>
  tags.map(({ key, value }) => ({ key, value })).sort((a, b) => (a.key < b.key ? -1 : 1));
