import { Link } from '@tanstack/react-router';
import type { EndpointService } from '../api.ts';
import { column } from '../parts/columns.tsx';
import type { Column } from '../parts/data-table.tsx';
import { List } from '../parts/list.tsx';

const columns: readonly Column<EndpointService>[] = [
  {
    id: 'service',
    field: 'service_id',
    header: 'Service',
    cell: ({ row: { original } }) => (
      <Link className="mono" to="/endpoint-services/$serviceId" params={{ serviceId: original.serviceId }}>
        {original.serviceId}
      </Link>
    ),
  },
  column.badge({ id: 'status', field: 'status', header: 'Status' }, ({ status }) => status),
  column.badge({ id: 'business', header: 'Business status' }, ({ businessStatus }) => businessStatus),
  {
    id: 'connections',
    header: 'Connections',
    cell: ({ row: { original } }) => (
      <Link to="/connections" search={{ q: original.serviceId }}>
        Show
      </Link>
    ),
  },
  column.code({ id: 'account', field: 'account_id', header: 'Account' }, ({ accountId }) => accountId),
  column.code({ id: 'name', field: 'service_name', header: 'Name', isExtra: true }, ({ serviceName }) => serviceName),
  column.words({ id: 'type', header: 'Type' }, ({ serviceType }) => serviceType),
  column.text({ id: 'accept', header: 'Acceptance' }, ({ autoAccept }) => (autoAccept ? 'Automatic' : 'Manual')),
  column.words({ id: 'payer', header: 'Paid by' }, ({ payer }) => payer),
  column.words({ id: 'addresses', header: 'Addresses', isExtra: true }, ({ addressType }) => addressType),
  column.text({ id: 'zones', header: 'Zones' }, ({ zoneIds }) => zoneIds.join(', ') || '–'),
  column.text({ id: 'resources', header: 'Resources' }, ({ resources }) => resources.length),
  column.time({ id: 'created', field: 'create_time', header: 'Created' }, ({ createTime }) => createTime),
  column.time(
    { id: 'updated', field: 'update_time', header: 'Changed', isExtra: true },
    ({ updateTime }) => updateTime,
  ),
];

const rowId = ({ serviceId }: EndpointService): string => serviceId;

export const ServicesPage = () => (
  <List
    title="Services"
    name="endpoint-services"
    columns={columns}
    rowId={rowId}
    idField="service_id"
    statuses={['CREATING', 'CHANGING', 'ACTIVE', 'DELETING']}
    searchHint="epsrv-…, name, account"
  />
);
