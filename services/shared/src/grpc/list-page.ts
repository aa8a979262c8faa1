import type { Clock } from '../eventing/ports.ts';
import type { Fields } from '../filter/fields.ts';
import type { Condition } from '../postgres/condition.ts';
import type { Db } from '../postgres/connect.ts';
import { readPosition, waitForPosition } from '../postgres/read-position.ts';
import { afterPlace, placeOf } from '../postgres/row-order.ts';
import { queryRows, type Row, type RowTable, type Where } from '../postgres/row-table.ts';
import type { ConsistencyTokens } from './consistency-token.ts';
import type { RpcContext } from './context.ts';
import { readListQuery } from './list-query.ts';
import type { PageTokens } from './page-token.ts';
import { checkPageSize, violations } from './validate.ts';

export type ListDeps = Readonly<{
  db: Db;
  clock: Clock;
  tokens: ConsistencyTokens;
  pages: PageTokens;
  service: string;
}>;

type ListRequest = Readonly<{
  pageSize: number;
  pageToken: string;
  consistencyToken: string;
  filter?: string | undefined;
  orderBy?: string | undefined;
}>;

export type ListOptions<C extends string> = Readonly<{
  /** What the list may be filtered by and sorted by; nothing when it is filtered by whoever asks for the page. */
  fields?: Fields<C>;
  also?: Condition<C>;
  /** What else of the request the whole list depends on: a page token is of no use to another. */
  boundTo?: Readonly<Record<string, unknown>>;
}>;

export type Page<R> = Readonly<{ rows: readonly Row<R>[]; nextPageToken: string; consistencyToken: string }>;

/** One page of a read model, waiting for what the caller has written before. */
export const listPage = async <R, C extends string>(
  { db, clock, tokens, pages, service }: ListDeps,
  model: RowTable<R, C>,
  request: ListRequest,
  rpc: RpcContext,
  where: Where<C>,
  { fields, also, boundTo }: ListOptions<C> = {},
): Promise<Page<R>> => {
  const v = violations();
  const limit = checkPageSize(v, request.pageSize);
  v.throwIfAny();
  const { filter = '', orderBy = '' } = request;
  const { condition, order } = readListQuery(fields ?? {}, fields ? request : {});
  const filters = { where, also, filter, orderBy, boundTo };
  const query = { accountId: rpc.caller.accountId, method: rpc.method, filters };
  const place = pages.read(query, request.pageToken);
  const seen = tokens.read(request.consistencyToken);
  if (seen?.service === service) {
    await waitForPosition({ db, readModel: model, position: seen.position, deadline: rpc.deadline, clock });
  }
  const position = (await readPosition(db, model)) ?? 0n;
  const begin = place === undefined ? undefined : afterPlace(model.columns, order, place);
  const all = [also, condition, begin].filter((part) => part !== undefined && part !== null);
  const rows = await queryRows(db, model, { where, also: { is: 'all', of: all }, order, limit: limit + 1 });
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return {
    rows: page,
    nextPageToken: rows.length > limit && last ? pages.issue(query, placeOf(model.columns, order, last)) : '',
    consistencyToken: tokens.issue(position),
  };
};
