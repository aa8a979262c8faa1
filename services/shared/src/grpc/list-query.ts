import { InvalidRequest } from '../app/errors.ts';
import { compileFilter, type Fields } from '../filter/fields.ts';
import { InvalidFilter } from '../filter/invalid-filter.ts';
import { parseOrderBy } from '../filter/order-by.ts';
import { parseFilter } from '../filter/syntax.ts';
import type { Condition } from '../postgres/condition.ts';
import { type Ordering, totalOrder } from '../postgres/row-order.ts';

type Asked = Readonly<{ filter?: string | undefined; orderBy?: string | undefined }>;

/**
 * Which of a list is asked for, and in which order.
 *
 * @throws InvalidRequest with reason INVALID_FILTER or INVALID_ORDER_BY, and the place of what is wrong
 */
export const readListQuery = <C extends string>(
  fields: Fields<C>,
  { filter = '', orderBy = '' }: Asked,
): Readonly<{ condition: Condition<C> | null; order: readonly Ordering<C>[] }> => {
  const parsed = refusing('filter', () => parseFilter(filter));
  return {
    condition: parsed && refusing('filter', () => compileFilter(fields, parsed)),
    order: totalOrder(refusing('order_by', () => parseOrderBy(fields, orderBy))),
  };
};

const refusing = <T>(field: 'filter' | 'order_by', read: () => T): T => {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof InvalidFilter)) throw error;
    const description = `at ${error.at}: ${error.message}`;
    throw new InvalidRequest([{ field, description }], `INVALID_${field.toUpperCase()}`);
  }
};
