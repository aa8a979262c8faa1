import type { Clock } from '@privatelink/shared/eventing/ports';
import type { Fields } from '@privatelink/shared/filter/fields';
import { readListQuery } from '@privatelink/shared/grpc/list-query';
import type { PageTokens } from '@privatelink/shared/grpc/page-token';
import type { Caller } from '@privatelink/shared/grpc/tokens';
import type { Condition } from '@privatelink/shared/postgres/condition';
import type { Db } from '@privatelink/shared/postgres/connect';
import { afterPlace, type Ordering, placeOf } from '@privatelink/shared/postgres/row-order';
import { countUpTo, queryRows, type Row } from '@privatelink/shared/postgres/row-table';
import { STUCK_AFTER_MS } from '../read-models/connections.ts';
import type { Kept } from '../read-models/kept.ts';
import { scopeOf } from '../views/caller-view.ts';
import type { Listing } from './listings.ts';

export type Asked = Readonly<{
  filter: string;
  orderBy: string;
  /** Text to be found in keys and some columns. */
  q: string;
  /** Connections that have been on their way for too long. */
  stuck: boolean;
  pageToken: string;
}>;

type Page = Readonly<{ rows: readonly Row<Kept<never>>[]; nextPageToken: string }>;

export type PageDeps = Readonly<{ db: Db; clock: Clock; pages: PageTokens }>;

/** What is asked for, of what exists and the caller may see. */
const queryOf = (
  clock: Clock,
  listing: Listing,
  asked: Omit<Asked, 'pageToken'>,
  caller: Caller,
): Readonly<{ accountId: string | null; condition: Condition; order: readonly Ordering<string>[] }> => {
  const { fields, rpc } = listing;
  const { condition, order } = readListQuery(fields as Fields<string>, asked);
  const { accountId } = scopeOf(caller, rpc);
  const of: Condition[] = [{ is: 'compared', column: 'gone', by: '=', to: false }];
  if (condition) of.push(condition);
  if (accountId !== null) of.push(listing.ofAccount(accountId));
  if (asked.q !== '') of.push(matching(listing, asked.q));
  if (asked.stuck) of.push(...stuckSince(new Date(clock.now().getTime() - STUCK_AFTER_MS)));
  return { accountId, condition: { is: 'all', of }, order };
};

/**
 * A page of what exists and the caller may see.
 *
 * @throws InvalidRequest, Denied
 */
export const readPage = async (
  { db, clock, pages }: PageDeps,
  listing: Listing,
  { pageToken, ...asked }: Asked,
  caller: Caller,
  limit: number,
): Promise<Page> => {
  const { table } = listing;
  const { accountId, condition, order } = queryOf(clock, listing, asked, caller);
  const query = { accountId: accountId ?? '', method: `ops/${listing.path}`, filters: asked };
  const place = pages.read(query, pageToken);
  const after = place === undefined ? [] : [afterPlace(table.columns, order, place)];
  const also: Condition = { is: 'all', of: [condition, ...after] };
  const rows = await queryRows(db, table, { also, order, limit: limit + 1 });
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  const isMore = rows.length > limit && last !== undefined;
  return { rows: page, nextPageToken: isMore ? pages.issue(query, placeOf(table.columns, order, last)) : '' };
};

/**
 * How many rows all pages have together, up to a limit.
 *
 * @throws InvalidRequest, Denied
 */
export const countAll = async (
  { db, clock }: Pick<PageDeps, 'db' | 'clock'>,
  listing: Listing,
  asked: Omit<Asked, 'orderBy' | 'pageToken'>,
  caller: Caller,
  limit: number,
): Promise<number> => {
  const { condition } = queryOf(clock, listing, { ...asked, orderBy: '' }, caller);
  return countUpTo(db, listing.table, condition, limit);
};

/** Every place of an order after the last one of a prefix: no character of an id is as high. */
const HIGHEST = '\u{10ffff}';

const matching = ({ idPrefix, searched }: Listing, q: string): Condition => {
  const beginsSo: Condition = {
    is: 'all',
    of: [
      { is: 'compared', column: 'key', by: '>=', to: q },
      { is: 'compared', column: 'key', by: '<', to: `${q}${HIGHEST}` },
    ],
  };
  if (q.startsWith(idPrefix)) return beginsSo;
  const isWhole = searched.map((column): Condition => ({ is: 'compared', column, by: '=', to: q }));
  return { is: 'any', of: [beginsSo, ...isWhole] };
};

const stuckSince = (time: Date): readonly Condition[] => [
  { is: 'compared', column: 'in_transition', by: '=', to: true },
  { is: 'compared', column: 'status_time', by: '<', to: time },
];
