import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type EndpointService, get, type Page } from '../api.ts';
import { column } from '../parts/columns.tsx';
import { type Column, DataTable } from '../parts/data-table.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { Problem } from '../parts/problem.tsx';
import { Typed } from '../parts/typed.tsx';
import { usePageSearch } from '../parts/use-page-search.ts';
import type { ListSearch } from '../router.tsx';

const PAGE_SIZE = 200;

const columns: readonly Column<EndpointService>[] = [
  column.code({ id: 'service', field: 'service_id', header: 'Service' }, ({ serviceId }) => serviceId),
  column.badge({ id: 'status', field: 'status', header: 'Status' }, ({ status }) => status),
  column.text({ id: 'accept', header: 'Acceptance' }, ({ autoAccept }) => (autoAccept ? 'Automatic' : 'Manual')),
  column.text({ id: 'zones', header: 'Zones' }, ({ zoneIds }) => zoneIds.join(', ') || '–'),
  column.words({ id: 'type', header: 'Type' }, ({ serviceType }) => serviceType),
  column.words({ id: 'payer', header: 'Paid by' }, ({ payer }) => payer),
  {
    id: 'connections',
    header: 'Your connections',
    cell: ({ row: { original } }) => (
      <Link to="/connections" search={{ q: original.serviceId }}>
        Show
      </Link>
    ),
  },
  column.code({ id: 'name', field: 'service_name', header: 'Name' }, ({ serviceName }) => serviceName),
];

const rowId = ({ serviceId }: EndpointService): string => serviceId;

/** What an account may connect to. Nobody announces to it what is shown to it: it is asked for whenever it is looked at. */
export const VisibleServicesPage = () => {
  const { search, change } = usePageSearch<ListSearch>();
  const query = { filter: search.filter, orderBy: search.order };
  const found = useInfiniteQuery({
    queryKey: ['visible-services', query],
    queryFn: ({ pageParam, signal }) =>
      get<Page<EndpointService>>(
        '/api/visible-services',
        { ...query, pageSize: PAGE_SIZE, pageToken: pageParam },
        signal,
      ),
    initialPageParam: '',
    getNextPageParam: ({ nextPageToken }) => nextPageToken || undefined,
    placeholderData: keepPreviousData,
  });
  const { hasNextPage, isFetching, fetchNextPage } = found;
  const loadMore = () => {
    if (!isFetching) void fetchNextPage();
  };
  return (
    <>
      <PageHead title="Services to use" />
      <search className="filters">
        <Typed
          label="Filter"
          value={search.filter ?? ''}
          hint="zone_ids:cn-hangzhou-h"
          onChange={(filter) => change({ filter })}
        />
      </search>
      <Problem error={found.error} />
      <DataTable
        caption="Services to use"
        columns={columns}
        rows={found.data?.pages.flatMap(({ items }) => items) ?? []}
        rowId={rowId}
        ordering={{ order: search.order ?? '', onOrder: (order) => change({ order }) }}
        empty={found.isPending ? 'Loading …' : 'There is none that you may connect to.'}
        part={{ of: JSON.stringify(query), hasMore: hasNextPage, loadMore }}
      />
    </>
  );
};
