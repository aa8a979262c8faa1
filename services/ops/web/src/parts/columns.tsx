import { words } from '../format.ts';
import { Badge } from './badge.tsx';
import type { Column } from './data-table.tsx';
import { Ago } from './time.tsx';

type Named = Readonly<{ id: string; header: string; field?: string; isExtra?: boolean }>;

/** Columns of one kind, each of what a function tells of a row. */
export const column = {
  code: <Row extends object>(named: Named, of: (row: Row) => string): Column<Row> => ({
    ...named,
    cell: ({ row: { original } }) => <span className="mono">{of(original) || '–'}</span>,
  }),
  words: <Row extends object>(named: Named, of: (row: Row) => string): Column<Row> => ({
    ...named,
    cell: ({ row: { original } }) => words(of(original)) || '–',
  }),
  text: <Row extends object>(named: Named, of: (row: Row) => string | number): Column<Row> => ({
    ...named,
    cell: ({ row: { original } }) => of(original),
  }),
  badge: <Row extends object>(named: Named, of: (row: Row) => string): Column<Row> => ({
    ...named,
    cell: ({ row: { original } }) => <Badge name={of(original)} />,
  }),
  time: <Row extends object>(named: Named, of: (row: Row) => string | undefined): Column<Row> => ({
    ...named,
    cell: ({ row: { original } }) => <Ago time={of(original)} />,
  }),
};
