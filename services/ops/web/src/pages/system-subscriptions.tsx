import { useQueries } from '@tanstack/react-query';
import { number, times } from '../format.ts';
import { listSubscriptions, type Subscriptions, serving } from '../operations.ts';
import { type Column, DataTable } from '../parts/data-table.tsx';
import { Problem } from '../parts/problem.tsx';
import { Ago, At } from '../parts/time.tsx';

type Row = Subscriptions['subscriptions'][number] & Readonly<{ service: string }>;

const columns: readonly Column<Row>[] = [
  { id: 'service', header: 'Service', cell: ({ row: { original } }) => original.service },
  {
    id: 'name',
    header: 'Subscription',
    cell: ({ row: { original } }) => <span className="mono">{original.name}</span>,
  },
  {
    id: 'holder',
    header: 'Held by',
    cell: ({ row: { original } }) => original.holder || <span className="tone-bad">nobody</span>,
  },
  { id: 'epoch', header: 'Epoch', cell: ({ row: { original } }) => original.epoch },
  { id: 'expires', header: 'Lease ends', cell: ({ row: { original } }) => <At time={original.leaseExpireTime} /> },
  { id: 'position', header: 'Position', cell: ({ row: { original } }) => original.position ?? '–' },
  { id: 'behind', header: 'Behind', cell: ({ row: { original } }) => behind(original) },
  {
    id: 'failing',
    header: 'Fails at',
    cell: ({ row: { original } }) =>
      original.failingCount > 0 ? (
        <span className="mono" title={original.failing.map(failure).join(', ')}>
          {original.failingCount}: {original.failing[0]?.key}
        </span>
      ) : (
        '–'
      ),
  },
];

const behind = ({ position, tailPosition }: Row): string =>
  position === undefined || tailPosition === undefined
    ? '–'
    : number(Math.max(0, Number(BigInt(tailPosition) - BigInt(position))));

const failure = ({ key, attemptCount }: Row['failing'][number]): string => `${key} (${times(attemptCount)})`;

/** Who holds what of the services' work, and the processes that said so. */
export const SubscriptionTable = () => {
  const found = useQueries({
    queries: serving.map((service) => ({
      queryKey: ['subscriptions', service],
      queryFn: () => listSubscriptions(service),
      refetchInterval: 5_000,
    })),
  });
  const rows = found.flatMap(({ data }, index) =>
    (data?.subscriptions ?? []).map((one) => ({ ...one, service: serving[index] ?? '' })),
  );
  const processes = found.flatMap(({ data }) => data?.answeredBy ?? []);
  return (
    <section className="card">
      <h2>Subscriptions</h2>
      <Problem error={found.find(({ error }) => error)?.error} />
      <DataTable
        caption="What each service follows"
        columns={columns}
        rows={rows}
        rowId={({ service, name }) => `${service}/${name}`}
        empty="Nothing is followed."
      />
      <ul>
        {processes.map(({ service, instance, version, nodeVersion, startTime }) => (
          <li key={instance}>
            {service}: <span className="mono">{instance}</span>, version {version} on Node.js {nodeVersion}, began{' '}
            <Ago time={startTime} />
          </li>
        ))}
      </ul>
    </section>
  );
};
