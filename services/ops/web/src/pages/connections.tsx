import { Link } from '@tanstack/react-router';
import type { Connection } from '../api.ts';
import { words } from '../format.ts';
import { Badge, Badges } from '../parts/badge.tsx';
import type { Column } from '../parts/data-table.tsx';
import { List } from '../parts/list.tsx';
import { Ago } from '../parts/time.tsx';

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
    cell: ({ row: { original } }) => <span className="mono">{original.serviceId}</span>,
  },
  {
    id: 'consumer',
    field: 'endpoint_account_id',
    header: 'Endpoint’s account',
    cell: ({ row: { original } }) => <span className="mono">{original.endpointAccountId}</span>,
  },
  {
    id: 'provider',
    field: 'service_account_id',
    header: 'Service’s account',
    cell: ({ row: { original } }) => <span className="mono">{original.serviceAccountId}</span>,
  },
  {
    id: 'zones',
    header: 'Zones',
    cell: ({ row: { original } }) => original.zones.map(({ zoneId }) => zoneId).join(', ') || '–',
  },
  { id: 'type', header: 'Type', cell: ({ row: { original } }) => words(original.endpointType) },
  {
    id: 'since',
    field: 'status_time',
    header: 'Since',
    cell: ({ row: { original } }) => <Ago time={original.statusTime} />,
  },
  {
    id: 'created',
    field: 'create_time',
    header: 'Created',
    cell: ({ row: { original } }) => <Ago time={original.createTime} />,
  },
];

export const ConnectionsPage = () => (
  <List
    title="Connections"
    name="connections"
    columns={columns}
    rowId={({ connectionId }) => connectionId}
    statuses={STATUSES}
    holds={HOLDS}
    searchHint="ep-…, epsrv-…, account, VPC"
  />
);
