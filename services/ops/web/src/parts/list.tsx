import { useState } from 'react';
import { type ListName, queryText } from '../api.ts';
import { words } from '../format.ts';
import type { ListSearch } from '../router.tsx';
import { ColumnChoice, chosenColumns } from './column-choice.tsx';
import { type Column, DataTable } from './data-table.tsx';
import { PageHead } from './page-head.tsx';
import { Problem } from './problem.tsx';
import { TableFoot } from './table-foot.tsx';
import { Total } from './total.tsx';
import { Typed } from './typed.tsx';
import { usePageSearch } from './use-page-search.ts';
import { type RowQuery, useRows } from './use-rows.ts';

type Options<Row extends object> = Readonly<{
  title: string;
  /** Name in the API, and of the query. */
  name: ListName;
  columns: readonly Column<Row>[];
  rowId: (row: Row) => string;
  /** Field by which rows are told apart, in filters. */
  idField: string;
  statuses: readonly string[];
  /** Reasons that connections are held for, where they are. */
  holds?: readonly string[];
  searchHint: string;
}>;

/** What a search of the page asks the API for. */
const queryOf = ({ q, status, hold, stuck, filter, order }: ListSearch): RowQuery => {
  const parts = [
    ...(status ? [`status = ${status}`] : []),
    ...(hold ? [`hold_reasons:${hold}`] : []),
    ...(filter ? [`(${filter})`] : []),
  ];
  return { q, stuck, filter: parts.join(' AND '), orderBy: order };
};

/** A list with search, filters, order and columns, which its address keeps. */
export const List = <Row extends object>({
  title,
  name,
  columns,
  rowId,
  idField,
  statuses,
  holds,
  searchHint,
}: Options<Row>) => {
  const { search, change } = usePageSearch<ListSearch>();
  const [isScrolled, setIsScrolled] = useState(false);
  const query = queryOf(search);
  const list = useRows<Row>({ name, idField, rowId, query, isScrolled });
  const shown = chosenColumns(columns, search.columns);
  const select = (label: string, key: 'status' | 'hold', values: readonly string[]) => (
    <label className="field">
      {label}
      <select value={search[key] ?? ''} onChange={({ target }) => change({ [key]: target.value })}>
        <option value="">Any</option>
        {values.map((value) => (
          <option key={value} value={value}>
            {words(value)}
          </option>
        ))}
      </select>
    </label>
  );
  const file = (format: 'csv' | 'json') => (
    <a className="button" href={`/api/${name}/export${queryText({ ...query, format })}`} download>
      {format.toUpperCase()}
    </a>
  );
  return (
    <>
      <PageHead title={title}>
        <div className="actions">
          <ColumnChoice columns={columns} shown={shown} onChoice={(names) => change({ columns: names })} />
          <span className="muted">Export</span>
          {file('csv')}
          {file('json')}
        </div>
      </PageHead>
      <search className="filters">
        <Typed label="Search" type="search" value={search.q ?? ''} hint={searchHint} onChange={(q) => change({ q })} />
        {select('Status', 'status', statuses)}
        {holds && select('Hold', 'hold', holds)}
        <Typed
          label="Filter"
          value={search.filter ?? ''}
          hint="zone_ids:cn-hangzhou-h"
          onChange={(filter) => change({ filter })}
        />
        {holds && (
          <label className="field check">
            <input
              type="checkbox"
              checked={search.stuck ?? false}
              onChange={({ target }) => change({ stuck: target.checked })}
            />
            Stuck
          </label>
        )}
        <Total name={name} query={query} />
      </search>
      <Problem error={list.error} />
      <DataTable
        caption={title}
        columns={shown}
        rows={list.rows}
        rowId={rowId}
        ordering={{ order: search.order ?? '', onOrder: (order) => change({ order }) }}
        empty={list.isPending ? 'Loading …' : 'Nothing fits.'}
        part={{ of: JSON.stringify(query), hasMore: list.hasMore, loadMore: list.loadMore, onScrolled: setIsScrolled }}
      />
      <TableFoot count={list.rows.length} hasMore={list.hasMore} newcomers={list.newcomers} onShow={list.showAnew} />
    </>
  );
};
