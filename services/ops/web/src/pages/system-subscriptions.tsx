import { number, times } from '../format.ts';
import type { Subscriptions } from '../operations.ts';
import { type Column, DataTable } from '../parts/data-table.tsx';
import { Problem } from '../parts/problem.tsx';
import { Ago, At } from '../parts/time.tsx';
import { useSubscriptions } from '../parts/use-subscriptions.ts';
import { gapOf } from '../subscriptions.ts';

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

const behind = (row: Row): string => {
  const gap = gapOf(row);
  return gap === null ? '–' : number(gap);
};

const failure = ({ key, attemptCount }: Row['failing'][number]): string => `${key} (${times(attemptCount)})`;

/** Who holds what of the services' work, and the processes that said so. */
export const SubscriptionTable = () => {
  const { answers, error } = useSubscriptions();
  const rows = answers.flatMap(({ service, answer }) =>
    (answer?.subscriptions ?? []).map((one) => ({ ...one, service })),
  );
  const processes = answers.flatMap(({ answer }) => answer?.answeredBy ?? []);
  return (
    <section className="card">
      <h2>Subscriptions</h2>
      <Problem error={error} />
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
