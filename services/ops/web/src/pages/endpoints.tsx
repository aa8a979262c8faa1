import { Link } from '@tanstack/react-router';
import type { Endpoint } from '../api.ts';
import { column } from '../parts/columns.tsx';
import type { Column } from '../parts/data-table.tsx';
import { List } from '../parts/list.tsx';

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
  column.badge({ id: 'status', field: 'status', header: 'Status' }, ({ status }) => status),
  column.badge({ id: 'connection', header: 'Connection' }, ({ connectionStatus }) => connectionStatus),
  column.badge({ id: 'business', header: 'Business status' }, ({ businessStatus }) => businessStatus),
  column.code({ id: 'account', field: 'account_id', header: 'Account' }, ({ accountId }) => accountId),
  column.code({ id: 'service', field: 'service_id', header: 'Service' }, ({ serviceId }) => serviceId),
  column.code(
    { id: 'name', field: 'service_name', header: 'Service’s name', isExtra: true },
    ({ serviceName }) => serviceName,
  ),
  column.code({ id: 'vpc', field: 'vpc_id', header: 'VPC' }, ({ vpcId }) => vpcId),
  column.words({ id: 'type', header: 'Type' }, ({ endpointType }) => endpointType),
  column.text(
    { id: 'zones', header: 'Zones', isExtra: true },
    ({ zones }) => zones.map(({ zoneId }) => zoneId).join(', ') || '–',
  ),
  column.code({ id: 'addresses', header: 'Addresses' }, ({ zones }) =>
    zones.map(({ ipv4Address }) => ipv4Address).join(', '),
  ),
  column.time({ id: 'created', field: 'create_time', header: 'Created' }, ({ createTime }) => createTime),
  column.time(
    { id: 'updated', field: 'update_time', header: 'Changed', isExtra: true },
    ({ updateTime }) => updateTime,
  ),
];

const rowId = ({ endpointId }: Endpoint): string => endpointId;

export const EndpointsPage = () => (
  <List
    title="Endpoints"
    name="endpoints"
    columns={columns}
    rowId={rowId}
    idField="endpoint_id"
    statuses={['CREATING', 'CHANGING', 'ACTIVE', 'DELETING']}
    searchHint="ep-…, epsrv-…, account, VPC"
  />
);
