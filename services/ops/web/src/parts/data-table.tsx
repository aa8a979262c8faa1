import { type ColumnDef, tableFeatures, useTable } from '@tanstack/react-table';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef } from 'react';

const features = tableFeatures({});
export type Column<Row extends object> = ColumnDef<typeof features, Row> &
  Readonly<{
    id: string;
    /** By which the rows can be ordered. */
    field?: string;
    /** Shown to those alone who choose it. */
    isExtra?: boolean;
  }>;

type Order = Readonly<{ order: string; onOrder: (order: string) => void }>;

/** What the rows are a part of. */
export type Part = Readonly<{
  /** What the rows are of; those of something else are shown from the first. */
  of: string;
  hasMore: boolean;
  loadMore: () => void;
  /** Whether the first row is out of sight. */
  onScrolled?: (isScrolled: boolean) => void;
}>;

type Options<Row extends object> = Readonly<{
  caption: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  rowId: (row: Row) => string;
  /** How rows are ordered, of those columns that say a field. */
  ordering?: Order;
  part?: Part;
  empty: string;
}>;

const ROW_HEIGHT = 39;
/** More is asked for so many rows before the end is in sight. */
const ROWS_AHEAD = 60;

/** Rows of which only those in sight are drawn. */
export const DataTable = <Row extends object>({
  caption,
  columns,
  rows,
  rowId,
  ordering,
  part,
  empty,
}: Options<Row>) => {
  const box = useRef<HTMLElement>(null);
  const table = useTable({
    features,
    columns: columns as ColumnDef<typeof features, Row>[],
    data: rows as Row[],
    getRowId: rowId,
  });
  const all = table.getRowModel().rows;
  const virtual = useVirtualizer({
    count: all.length,
    getScrollElement: () => box.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 12,
  });
  const shown = virtual.getVirtualItems();
  const before = shown[0]?.start ?? 0;
  const after = virtual.getTotalSize() - (shown.at(-1)?.end ?? 0);
  const of = part?.of;
  // biome-ignore lint/correctness/useExhaustiveDependencies: other rows begin with their first
  useEffect(() => {
    void box.current?.scrollTo(0, 0);
  }, [of]);
  const isEndNear = (shown.at(-1)?.index ?? 0) + ROWS_AHEAD >= all.length;
  const { hasMore = false, loadMore } = part ?? {};
  // biome-ignore lint/correctness/useExhaustiveDependencies: what came may end in sight, too
  useEffect(() => {
    if (isEndNear && hasMore) loadMore?.();
  }, [isEndNear, hasMore, loadMore, all.length]);
  return (
    <section
      className="table-box"
      ref={box}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
      tabIndex={0}
      aria-label={caption}
      onScroll={({ currentTarget }) => part?.onScrolled?.(currentTarget.scrollTop > 0)}
    >
      <table aria-rowcount={hasMore ? -1 : all.length + 1}>
        <caption className="visually-hidden">{caption}</caption>
        <thead>
          {table.getHeaderGroups().map((group) => (
            <tr key={group.id}>
              {group.headers.map((header, index) => (
                <Head key={header.id} field={columns[index]?.field} ordering={ordering}>
                  <table.FlexRender header={header} />
                </Head>
              ))}
            </tr>
          ))}
        </thead>
        <tbody>
          <Spacer height={before} columns={columns.length} />
          {shown.map(({ index }) => {
            const row = all[index];
            return (
              row && (
                <tr key={row.id} aria-rowindex={index + 2}>
                  {row.getAllCells().map((cell) => (
                    <td key={cell.id}>
                      <table.FlexRender cell={cell} />
                    </td>
                  ))}
                </tr>
              )
            );
          })}
          <Spacer height={after} columns={columns.length} />
        </tbody>
      </table>
      {rows.length === 0 && <p className="empty">{empty}</p>}
    </section>
  );
};

const Spacer = ({ height, columns }: Readonly<{ height: number; columns: number }>) =>
  height > 0 ? (
    <tr className="spacer">
      <td colSpan={columns} style={{ height }} />
    </tr>
  ) : null;

type HeadProps = Readonly<{ field: string | undefined; ordering: Order | undefined; children: React.ReactNode }>;

const Head = ({ field, ordering, children }: HeadProps) => {
  if (field === undefined || !ordering) return <th scope="col">{children}</th>;
  const { order, onOrder } = ordering;
  const [by, direction] = order.split(' ');
  const sort = by !== field ? 'none' : direction === 'desc' ? 'descending' : 'ascending';
  const next = sort === 'ascending' ? `${field} desc` : sort === 'descending' ? '' : field;
  const mark = { none: '', ascending: ' ↑', descending: ' ↓' }[sort];
  return (
    <th scope="col" aria-sort={sort}>
      <button type="button" className="plain" onClick={() => onOrder(next)}>
        {children}
        <span aria-hidden="true">{mark}</span>
      </button>
    </th>
  );
};
