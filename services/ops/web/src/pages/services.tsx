import { Link } from '@tanstack/react-router';
import type { EndpointService } from '../api.ts';
import { words } from '../format.ts';
import { Action } from '../parts/action.tsx';
import { Badge } from '../parts/badge.tsx';
import type { Column } from '../parts/data-table.tsx';
import { List } from '../parts/list.tsx';
import { useSession } from '../parts/shell.tsx';
import { Ago } from '../parts/time.tsx';

/** Only operators place and lift it. */
const Lock = ({ service: { serviceId, securityLock } }: Readonly<{ service: EndpointService }>) => {
  const { data: session } = useSession();
  const action = { service: 'provider', request: { serviceId } } as const;
  if (!session?.roles.includes('operator')) return securityLock ? 'Locked' : '–';
  return securityLock ? (
    <Action {...action} name="Unlock" method="UnlockEndpointService" />
  ) : (
    <Action {...action} name="Lock" method="LockEndpointService" message isDanger />
  );
};

const columns: readonly Column<EndpointService>[] = [
  {
    id: 'service',
    field: 'service_id',
    header: 'Service',
    cell: ({ row: { original } }) => <span className="mono">{original.serviceId}</span>,
  },
  {
    id: 'status',
    field: 'status',
    header: 'Status',
    cell: ({ row: { original } }) => <Badge name={original.status} />,
  },
  {
    id: 'business',
    header: 'Business status',
    cell: ({ row: { original } }) => <Badge name={original.businessStatus} />,
  },
  {
    id: 'connections',
    header: 'Connections',
    cell: ({ row: { original } }) => (
      <Link to="/connections" search={{ q: original.serviceId }}>
        Show
      </Link>
    ),
  },
  { id: 'lock', header: 'Security lock', cell: ({ row: { original } }) => <Lock service={original} /> },
  {
    id: 'account',
    field: 'account_id',
    header: 'Account',
    cell: ({ row: { original } }) => <span className="mono">{original.accountId}</span>,
  },
  { id: 'type', header: 'Type', cell: ({ row: { original } }) => words(original.serviceType) },
  {
    id: 'accept',
    header: 'Acceptance',
    cell: ({ row: { original } }) => (original.autoAccept ? 'Automatic' : 'Manual'),
  },
  { id: 'payer', header: 'Paid by', cell: ({ row: { original } }) => words(original.payer) },
  { id: 'zones', header: 'Zones', cell: ({ row: { original } }) => original.zoneIds.join(', ') || '–' },
  { id: 'resources', header: 'Resources', cell: ({ row: { original } }) => original.resources.length },
  {
    id: 'created',
    field: 'create_time',
    header: 'Created',
    cell: ({ row: { original } }) => <Ago time={original.createTime} />,
  },
];

export const ServicesPage = () => (
  <List
    title="Services"
    name="endpoint-services"
    columns={columns}
    rowId={({ serviceId }) => serviceId}
    statuses={['CREATING', 'CHANGING', 'ACTIVE', 'DELETING']}
    searchHint="epsrv-…, name, account"
  />
);
