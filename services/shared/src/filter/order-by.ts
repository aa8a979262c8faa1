import type { Ordering } from '../postgres/row-order.ts';
import type { Fields } from './fields.ts';
import { InvalidFilter } from './invalid-filter.ts';

const MAX_LENGTH = 256;

/**
 * Reads an order by the rules of AIP-132: `create_time desc, service_id`.
 *
 * @throws InvalidFilter
 */
export const parseOrderBy = <C extends string>(fields: Fields<C>, text: string): readonly Ordering<C>[] => {
  if (text.length > MAX_LENGTH) throw new InvalidFilter(MAX_LENGTH + 1, `must have at most ${MAX_LENGTH} characters`);
  if (text.trim() === '') return [];
  const known = Object.keys(fields).filter((name) => fields[name]?.ordered);
  const orderings: Ordering<C>[] = [];
  let at = 1;
  for (const part of text.split(',')) {
    const start = at + (part.length - part.trimStart().length);
    const [name = '', direction = 'asc', ...more] = part.trim().split(/\s+/);
    const field = known.includes(name) ? fields[name] : undefined;
    if (!field) throw new InvalidFilter(start, `a list cannot be in order of ${name}, only of ${known.join(', ')}`);
    if (!['asc', 'desc'].includes(direction) || more.length > 0) {
      throw new InvalidFilter(start, `${name} is followed by desc, by asc, or by nothing`);
    }
    const { column } = field;
    if (orderings.some((one) => one.column === column)) throw new InvalidFilter(start, `${name} is given twice`);
    orderings.push({ column, descending: direction === 'desc' });
    at += part.length + 1;
  }
  return orderings;
};
