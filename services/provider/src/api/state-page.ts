import type { Fields } from '@privatelink/shared/filter/fields';
import type { RpcContext } from '@privatelink/shared/grpc/context';
import { readListQuery } from '@privatelink/shared/grpc/list-query';
import type { PageTokens } from '@privatelink/shared/grpc/page-token';
import { checkId, checkPageSize, violations } from '@privatelink/shared/grpc/validate';
import { fulfils } from '@privatelink/shared/postgres/condition';
import { afterPlace, inOrder, placeOf } from '@privatelink/shared/postgres/row-order';
import type { Column } from '@privatelink/shared/postgres/row-table';
import type { EndpointService } from '../endpoint-service/endpoint-service.ts';
import type { ServiceRepository } from '../processes/endpoint-service-lifecycle.ts';
import { requireVisible } from './service-changes.ts';

type PageRequest = Readonly<{
  serviceId: string;
  pageSize: number;
  pageToken: string;
  filter?: string | undefined;
  orderBy?: string | undefined;
}>;
type Deps = Readonly<{ services: ServiceRepository; pages: PageTokens }>;

/** What a service has many of: each by a key, with what they may be filtered and sorted by. */
export type StateList<T, C extends string> = Readonly<{
  itemsOf: (service: EndpointService) => readonly Readonly<{ key: string; state: T }>[];
  columns: Readonly<Record<C, Column<T>>>;
  fields: Fields<C>;
}>;

/** One page of what a service has, in the order of their keys unless asked otherwise, always as of the last write. */
export const statePage = async <T, C extends string>(
  { services, pages }: Deps,
  { itemsOf, columns, fields }: StateList<T, C>,
  request: PageRequest,
  rpc: RpcContext,
): Promise<Readonly<{ items: readonly T[]; nextPageToken: string; version: number }>> => {
  const { serviceId, filter = '', orderBy = '' } = request;
  const v = violations();
  checkId(v, 'service_id', serviceId, 'epsrv');
  const size = checkPageSize(v, request.pageSize);
  v.throwIfAny();
  const { condition, order } = readListQuery(fields, request);
  const { state } = await services.fold(serviceId);
  requireVisible(state, serviceId, rpc);
  const query = { accountId: rpc.caller.accountId, method: rpc.method, filters: { serviceId, filter, orderBy } };
  const place = pages.read(query, request.pageToken);
  const begin = place === undefined ? null : afterPlace(columns, order, place);
  const entries = itemsOf(state)
    .filter((row) => [condition, begin].every((part) => part === null || fulfils(columns, part, row)))
    .toSorted(inOrder(columns, order));
  const page = entries.slice(0, size);
  const last = page.at(-1);
  return {
    items: page.map((row) => row.state),
    nextPageToken: entries.length > size && last ? pages.issue(query, placeOf(columns, order, last)) : '',
    version: state.version,
  };
};
