import { InvalidRequest } from '../app/errors.ts';
import { open, seal } from './opaque-token.ts';

/** For whom and for what a page was listed. Page size may differ from page to page. */
export type ListQuery = Readonly<{ accountId: string; method: string; filters: Readonly<Record<string, unknown>> }>;

export type PageTokens = Readonly<{
  /** @param after where the next page begins, such as the last id of this one */
  issue: (query: ListQuery, after: string) => string;
  /**
   * Where the page begins; undefined for the first one.
   *
   * @throws InvalidRequest with reason PAGE_TOKEN_INVALID for a token of another caller, query or store, or of nobody
   */
  read: (query: ListQuery, token: string) => string | undefined;
}>;

export const pageTokens = ({ secret, storeId }: Readonly<{ secret: Buffer; storeId: string }>): PageTokens => {
  const contextOf = ({ accountId, method, filters }: ListQuery): string[] => [
    'page',
    storeId,
    accountId,
    method,
    JSON.stringify(filters, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value)),
  ];
  return {
    issue: (query, after) => seal(secret, contextOf(query), after),
    read: (query, token) => {
      if (token === '') return undefined;
      const after = open(secret, contextOf(query), token);
      if (after !== undefined) return after;
      const description = 'is not a token of this list; begin again without one';
      throw new InvalidRequest([{ field: 'page_token', description }], 'PAGE_TOKEN_INVALID');
    },
  };
};
