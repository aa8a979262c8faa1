import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { type ReactNode, useEffect, useState } from 'react';
import { get, type Page, queryText } from '../api.ts';
import { words } from '../format.ts';
import type { ListSearch } from '../router.tsx';
import { type Column, DataTable } from './data-table.tsx';
import { PageHead } from './page-head.tsx';
import { Problem } from './problem.tsx';

type Options<Row extends object> = Readonly<{
  title: string;
  /** Name in the API, and of the query. */
  name: 'connections' | 'endpoints' | 'endpoint-services';
  columns: readonly Column<Row>[];
  rowId: (row: Row) => string;
  statuses: readonly string[];
  /** Reasons that connections are held for, where they are. */
  holds?: readonly string[];
  searchHint: string;
}>;

const PAGE_SIZE = 200;

/** What a search of the page asks the API for. */
const queryOf = ({ q, status, hold, stuck, filter, order }: ListSearch) => {
  const parts = [
    ...(status ? [`status = ${status}`] : []),
    ...(hold ? [`hold_reasons:${hold}`] : []),
    ...(filter ? [`(${filter})`] : []),
  ];
  return { q, stuck, filter: parts.join(' AND '), orderBy: order };
};

/** A list with search, filters and order, which its address keeps. */
export const List = <Row extends object>({
  title,
  name,
  columns,
  rowId,
  statuses,
  holds,
  searchHint,
}: Options<Row>) => {
  const search: ListSearch = useSearch({ strict: false });
  const navigate = useNavigate();
  const change = (part: ListSearch) =>
    void navigate({ to: '.', search: (before: ListSearch) => ({ ...before, ...part }), replace: true } as never);
  const query = queryOf(search);
  const list = useInfiniteQuery({
    queryKey: [name, query],
    queryFn: ({ pageParam, signal }) =>
      get<Page<Row>>(`/api/${name}`, { ...query, pageSize: PAGE_SIZE, pageToken: pageParam }, signal),
    initialPageParam: '',
    getNextPageParam: ({ nextPageToken }) => nextPageToken || undefined,
    placeholderData: keepPreviousData,
  });
  const rows = list.data?.pages.flatMap(({ items }) => items) ?? [];
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
      </search>
      <Problem error={list.error} />
      <DataTable
        caption={title}
        columns={columns}
        rows={rows}
        rowId={rowId}
        ordering={{ order: search.order ?? '', onOrder: (order) => change({ order }) }}
        empty={list.isPending ? 'Loading …' : 'Nothing fits.'}
      />
      <Foot count={rows.length}>
        {list.hasNextPage && (
          <button type="button" disabled={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
            Load more
          </button>
        )}
      </Foot>
    </>
  );
};

const Foot = ({ count, children }: Readonly<{ count: number; children: ReactNode }>) => (
  <div className="table-foot">
    <span className="muted" aria-live="polite">
      {count === 1 ? '1 row' : `${count} rows`}
    </span>
    {children}
  </div>
);

type TypedProps = Readonly<{
  label: string;
  value: string;
  hint: string;
  type?: 'search';
  onChange: (value: string) => void;
}>;

const TYPING_MS = 300;

/** A field whose text counts once nobody types any more. */
const Typed = ({ label, value, hint, type, onChange }: TypedProps) => {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: only typing begins the wait anew
  useEffect(() => {
    if (text === value) return;
    const timer = setTimeout(() => onChange(text), TYPING_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <label className="field grow">
      {label}
      <input
        type={type ?? 'text'}
        value={text}
        placeholder={hint}
        spellCheck={false}
        autoComplete="off"
        onChange={({ target }) => setText(target.value)}
      />
    </label>
  );
};
