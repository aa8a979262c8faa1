import { Link } from '@tanstack/react-router';
import type { Endpoint } from '../api.ts';
import { words } from '../format.ts';
import { Badge } from '../parts/badge.tsx';
import type { Column } from '../parts/data-table.tsx';
import { List } from '../parts/list.tsx';
import { Ago } from '../parts/time.tsx';

const columns: readonly Column<Endpoint>[] = [
  {
    id: 'endpoint',
    field: 'endpoint_id',
    header: 'Endpoint',
    cell: ({ row: { original } }) => (
      <Link className="mono" to="/connections/$connectionId" params={{ connectionId: original.endpointId }}>
        {original.endpointId}
      </Link>
    ),
  },
  {
    id: 'status',
    field: 'status',
    header: 'Status',
    cell: ({ row: { original } }) => <Badge name={original.status} />,
  },
  {
    id: 'connection',
    header: 'Connection',
    cell: ({ row: { original } }) => <Badge name={original.connectionStatus} />,
  },
  {
    id: 'business',
    header: 'Business status',
    cell: ({ row: { original } }) => <Badge name={original.businessStatus} />,
  },
  {
    id: 'account',
    field: 'account_id',
    header: 'Account',
    cell: ({ row: { original } }) => <span className="mono">{original.accountId}</span>,
  },
  {
    id: 'service',
    field: 'service_id',
    header: 'Service',
    cell: ({ row: { original } }) => <span className="mono">{original.serviceId}</span>,
  },
  {
    id: 'vpc',
    field: 'vpc_id',
    header: 'VPC',
    cell: ({ row: { original } }) => <span className="mono">{original.vpcId}</span>,
  },
  { id: 'type', header: 'Type', cell: ({ row: { original } }) => words(original.endpointType) },
  {
    id: 'zones',
    header: 'Addresses',
    cell: ({ row: { original } }) => original.zones.map(({ ipv4Address }) => ipv4Address).join(', ') || '–',
  },
  {
    id: 'created',
    field: 'create_time',
    header: 'Created',
    cell: ({ row: { original } }) => <Ago time={original.createTime} />,
  },
];

export const EndpointsPage = () => (
  <List
    title="Endpoints"
    name="endpoints"
    columns={columns}
    rowId={({ endpointId }) => endpointId}
    statuses={['CREATING', 'CHANGING', 'ACTIVE', 'DELETING']}
    searchHint="ep-…, epsrv-…, account, VPC"
  />
);
