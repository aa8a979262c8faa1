import { Link } from '@tanstack/react-router';
import type { Connection } from '../api.ts';
import { Badge, Badges } from '../parts/badge.tsx';
import { column } from '../parts/columns.tsx';
import type { Column } from '../parts/data-table.tsx';
import { List } from '../parts/list.tsx';

const STATUSES = [
  ...['CONNECTING', 'CONNECTED', 'CHANGING', 'DISCONNECTING', 'DISCONNECTED', 'SERVICE_DELETED', 'DELETING'],
];

const HOLDS = [
  ...['AWAITING_ACCEPTANCE', 'REJECTED', 'APPROVAL_EXPIRED', 'ENDPOINT_PAYMENT_OVERDUE', 'SERVICE_PAYMENT_OVERDUE'],
  ...['ENDPOINT_SECURITY_LOCK', 'SERVICE_SECURITY_LOCK', 'NOT_WHITELISTED', 'PAUSED_BY_CONSUMER'],
  ...['PAUSED_BY_PROVIDER', 'NO_ZONE'],
];

const columns: readonly Column<Connection>[] = [
  {
    id: 'connection',
    field: 'connection_id',
    header: 'Connection',
    cell: ({ row: { original } }) => (
      <Link className="mono" to="/connections/$connectionId" params={{ connectionId: original.connectionId }}>
        {original.connectionId}
      </Link>
    ),
  },
  {
    id: 'status',
    field: 'status',
    header: 'Status',
    cell: ({ row: { original } }) => (
      <span className="badges">
        <Badge name={original.status} />
        {original.stuck && <Badge name="STUCK" tone="bad" />}
        {original.degraded && <Badge name="DEGRADED" tone="warn" />}
      </span>
    ),
  },
  {
    id: 'holds',
    header: 'Holds',
    cell: ({ row: { original } }) => <Badges names={[...new Set(original.holds.map(({ reason }) => reason))]} />,
  },
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
  column.code(
    { id: 'name', field: 'service_name', header: 'Service’s name', isExtra: true },
    ({ serviceName }) => serviceName,
  ),
  column.code(
    { id: 'consumer', field: 'endpoint_account_id', header: 'Endpoint’s account' },
    ({ endpointAccountId }) => endpointAccountId,
  ),
  column.code(
    { id: 'provider', field: 'service_account_id', header: 'Service’s account' },
    ({ serviceAccountId }) => serviceAccountId,
  ),
  column.code({ id: 'vpc', field: 'vpc_id', header: 'VPC', isExtra: true }, ({ vpcId }) => vpcId),
  column.text({ id: 'zones', header: 'Zones' }, ({ zones }) => zones.map(({ zoneId }) => zoneId).join(', ') || '–'),
  column.code({ id: 'addresses', header: 'Addresses', isExtra: true }, ({ zones }) =>
    zones.flatMap((zone) => [zone.ipv4Address, zone.ipv6Address].filter(Boolean)).join(', '),
  ),
  column.words({ id: 'type', header: 'Type' }, ({ endpointType }) => endpointType),
  column.words({ id: 'payer', header: 'Paid by', isExtra: true }, ({ payer }) => payer),
  column.badge({ id: 'decision', header: 'Decision', isExtra: true }, ({ decision }) => decision),
  column.time({ id: 'since', field: 'status_time', header: 'Since' }, ({ statusTime }) => statusTime),
  column.time({ id: 'created', field: 'create_time', header: 'Created' }, ({ createTime }) => createTime),
];

const rowId = ({ connectionId }: Connection): string => connectionId;

export const ConnectionsPage = () => (
  <List
    title="Connections"
    name="connections"
    columns={columns}
    rowId={rowId}
    idField="connection_id"
    statuses={STATUSES}
    holds={HOLDS}
    searchHint="ep-…, epsrv-…, account, VPC"
  />
);
