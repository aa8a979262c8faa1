import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { serviceActions } from '../actions.ts';
import { type EndpointService, rpc, type ServiceUser } from '../api.ts';
import { words } from '../format.ts';
import { Actions } from '../parts/actions.tsx';
import { Badge } from '../parts/badge.tsx';
import { Fact } from '../parts/fact.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { Problem } from '../parts/problem.tsx';
import { useSession } from '../parts/shell.tsx';
import { SimpleTable } from '../parts/simple-table.tsx';
import { Ago, At } from '../parts/time.tsx';

const USERS = 1_000;

export const ServicePage = () => {
  const { serviceId = '' } = useParams({ strict: false });
  const { data: session } = useSession();
  const found = useQuery({
    queryKey: ['service', serviceId],
    queryFn: () => rpc<Readonly<{ endpointService: EndpointService }>>('provider', 'GetEndpointService', { serviceId }),
  });
  const service = found.data?.endpointService;
  const seesAll = session?.roles.some((role) => role === 'operator' || role === 'viewer') ?? false;
  const isOwn = service !== undefined && service.accountId === session?.accountId;
  const users = useQuery({
    queryKey: ['service', serviceId, 'users'],
    queryFn: () =>
      rpc<Readonly<{ serviceUsers: readonly ServiceUser[] }>>('provider', 'ListServiceUsers', {
        ...{ serviceId, pageSize: USERS },
      }),
    enabled: seesAll || isOwn,
  });
  return (
    <>
      <PageHead title={serviceId}>
        {service && <Badge name={service.status} />}
        {service && <Badge name={service.businessStatus} />}
        {service && session && <Actions actions={serviceActions(service, session)} />}
      </PageHead>
      <Problem error={found.error ?? users.error} />
      {service && (
        <div className="columns">
          <Summary service={service} />
          <section className="card">
            <h2>Locks</h2>
            {service.locks.length === 0 && <p className="muted">Nothing locks it.</p>}
            <dl className="facts">
              {service.locks.map(({ businessStatus, source, placeTime, message }) => (
                <Fact
                  key={`${businessStatus}/${source}`}
                  name={words(businessStatus)}
                  value={
                    <>
                      <Ago time={placeTime} /> {source}
                      {message && <div>“{message}”</div>}
                    </>
                  }
                />
              ))}
            </dl>
          </section>
          {(seesAll || isOwn) && <Owned service={service} users={users.data?.serviceUsers ?? []} />}
        </div>
      )}
    </>
  );
};

const Summary = ({ service }: Readonly<{ service: EndpointService }>) => {
  const { serviceId } = service;
  const rows: readonly (readonly [string, React.ReactNode])[] = [
    [
      'Name',
      <span key="n" className="mono">
        {service.serviceName}
      </span>,
    ],
    [
      'Account',
      <span key="a" className="mono">
        {service.accountId}
      </span>,
    ],
    [
      'Connections',
      <Link key="c" to="/connections" search={{ q: serviceId }}>
        In the list
      </Link>,
    ],
    [
      'Around it',
      <Link key="t" to="/topology" search={{ about: serviceId }}>
        In the graph
      </Link>,
    ],
    ['Type', words(service.serviceType)],
    ['Acceptance', service.autoAccept ? 'Automatic' : 'By hand'],
    ['Paid by', words(service.payer)],
    ['Addresses', words(service.addressType)],
    ['Zones', service.zoneIds.join(', ') || '–'],
    [
      'Other regions',
      service.supportedRegions.map(({ regionId, status }) => `${regionId} (${words(status)})`).join(', ') || '–',
    ],
    [
      'Own names',
      service.customDomains.map(({ domainName, status }) => `${domainName} (${words(status)})`).join(', ') || '–',
    ],
    ['Description', service.description || '–'],
    ['Created', <At key="t" time={service.createTime} />],
    ['Changed', <Ago key="u" time={service.updateTime} />],
    ['Revision', service.revision],
  ];
  return (
    <section className="card">
      <h2>Service</h2>
      <dl className="facts">
        {rows.map(([name, value]) => (
          <Fact key={name} name={name} value={value} />
        ))}
      </dl>
    </section>
  );
};

type OwnedProps = Readonly<{ service: EndpointService; users: readonly ServiceUser[] }>;

/** What its owner and operators are shown alone. */
const Owned = ({ service: { resources }, users }: OwnedProps) => (
  <>
    <SimpleTable
      title="Resources"
      heads={['Resource', 'Kind', 'Zone', 'Targets', 'Takes new zones']}
      rows={resources.map((resource) => ({
        key: `${resource.zoneId}/${resource.resourceId}`,
        cells: [
          <span key="r" className="mono">
            {resource.resourceId}
          </span>,
          words(resource.resourceType),
          resource.zoneId,
          <span key="t" className="mono">
            {resource.targets.map(({ ip, port }) => `${ip}:${port}`).join(', ')}
          </span>,
          resource.autoAllocated ? 'yes' : 'no',
        ],
      }))}
      empty="Nothing stands behind it."
    />
    <SimpleTable
      title="Who may use it"
      heads={['Account', 'Accepted', 'Connections at most', 'Since']}
      rows={users.map((user) => ({
        key: user.accountId,
        cells: [
          <span key="a" className="mono">
            {user.accountId === '*' ? 'everybody' : user.accountId}
          </span>,
          user.autoAccept === undefined ? 'as the service says' : user.autoAccept ? 'automatically' : 'by hand',
          user.maxConnections ?? '–',
          <Ago key="t" time={user.createTime} />,
        ],
      }))}
      empty="Only its owner may."
    />
  </>
);
