import { Link } from '@tanstack/react-router';
import type { Fact } from '../api.ts';
import { words } from '../format.ts';
import { Badge } from './badge.tsx';
import { type Column, DataTable, type Part } from './data-table.tsx';
import { At } from './time.tsx';

const columns: readonly Column<Fact>[] = [
  { id: 'time', header: 'Recorded', cell: ({ row: { original } }) => <At time={original.recordTime} /> },
  { id: 'type', header: 'Fact', cell: ({ row: { original } }) => original.type },
  {
    id: 'resource',
    header: 'Resource',
    cell: ({ row: { original } }) =>
      original.resourceType === 'connection' ? (
        <Link className="mono" to="/connections/$connectionId" params={{ connectionId: original.resourceId }}>
          {original.resourceId}
        </Link>
      ) : (
        <span className="mono">{original.resourceId}</span>
      ),
  },
  { id: 'kind', header: 'Kind', cell: ({ row: { original } }) => words(original.resourceType.toUpperCase()) },
  {
    id: 'move',
    header: 'Status',
    cell: ({ row: { original } }) => (original.transition ? <Badge name={original.transition.to} /> : '–'),
  },
  { id: 'because', header: 'Because', cell: ({ row: { original } }) => original.transition?.because ?? '' },
  { id: 'actor', header: 'By', cell: ({ row: { original } }) => original.actor || '–' },
];

type Options = Readonly<{ facts: readonly Fact[]; part?: Part; empty: string }>;

export const FactTable = ({ facts, part, empty }: Options) => (
  <DataTable
    caption="Facts, the latest first"
    columns={columns}
    rows={facts}
    rowId={({ id }) => id}
    {...(part && { part })}
    empty={empty}
  />
);
