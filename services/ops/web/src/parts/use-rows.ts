import { keepPreviousData, useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { get, type ListName, type Page } from '../api.ts';
import { followList } from '../live.ts';

const PAGE_SIZE = 200;
/** So few pages are asked for anew as a whole; of more, only the rows that have changed. */
const FEW_PAGES = 2;
/** As many ids as a filter has room for. */
const IDS_AT_ONCE = 40;

/** What a list is asked for, besides which part of it. */
export type RowQuery = Readonly<{
  q?: string | undefined;
  stuck?: boolean | undefined;
  filter: string;
  orderBy?: string | undefined;
}>;

type Options<Row> = Readonly<{
  name: ListName;
  /** Field by which rows are told apart, in filters. */
  idField: string;
  rowId: (row: Row) => string;
  query: RowQuery;
  /** Whether somebody reads further down, where nothing may move. */
  isScrolled: boolean;
}>;

/** Rows of a list, page by page, each as it is now. */
export const useRows = <Row extends object>({ name, idField, rowId, query, isScrolled }: Options<Row>) => {
  const client = useQueryClient();
  const queryKey = ['list', name, query] as const;
  const key = JSON.stringify(queryKey);
  const list = useInfiniteQuery({
    queryKey,
    queryFn: ({ pageParam, signal }) =>
      get<Page<Row>>(`/api/${name}`, { ...query, pageSize: PAGE_SIZE, pageToken: pageParam }, signal),
    initialPageParam: '',
    getNextPageParam: ({ nextPageToken }) => nextPageToken || undefined,
    placeholderData: keepPreviousData,
    // Kept as it is by what happens: a hundred pages are never asked for anew.
    ...{ staleTime: Number.POSITIVE_INFINITY, gcTime: 0, refetchOnReconnect: false },
  });
  /** Rows as they are since their page was asked for; null for what does not fit any more. */
  const [since, setSince] = useState<ReadonlyMap<string, Row | null>>(new Map());
  const waiting = useRef(new Set<string>());
  const isAsking = useRef(false);
  const current = useRef(key);
  current.current = key;
  // biome-ignore lint/correctness/useExhaustiveDependencies: another query has other rows
  useEffect(() => {
    waiting.current.clear();
    setSince(new Map());
  }, [key]);

  const ask = async (ids: readonly string[]): Promise<void> => {
    const one = ids.map((id) => `${idField} = ${id}`).join(' OR ');
    const filter = query.filter ? `${query.filter} AND (${one})` : one;
    const { items } = await get<Page<Row>>(`/api/${name}`, { ...query, filter, pageSize: IDS_AT_ONCE });
    const found = new Map(items.map((row) => [rowId(row), row]));
    if (current.current === key) setSince((before) => new Map([...before, ...ids.map(rowNow(found))]));
  };

  const askWaiting = async (): Promise<void> => {
    if (isAsking.current) return;
    isAsking.current = true;
    try {
      while (waiting.current.size > 0) {
        const ids = [...waiting.current].slice(0, IDS_AT_ONCE);
        for (const id of ids) waiting.current.delete(id);
        await ask(ids);
      }
    } catch {
      // They stay as they were until they change again, or the list is shown anew.
    } finally {
      isAsking.current = false;
    }
  };

  const showAnew = useCallback((): void => {
    setSince(new Map());
    void client.resetQueries({ queryKey: JSON.parse(key) as readonly unknown[] });
  }, [client, key]);

  const onChanged = (changed: ReadonlySet<string> | null): void => {
    if (!isScrolled && (list.data?.pages.length ?? 0) <= FEW_PAGES) {
      void client.invalidateQueries({ queryKey }).then(() => setSince(new Map()));
    } else if (changed) {
      for (const id of changed) waiting.current.add(id);
      void askWaiting();
    } else {
      showAnew();
    }
  };
  const latest = useRef(onChanged);
  latest.current = onChanged;
  useEffect(() => followList(name, (changed) => latest.current(changed)), [name]);

  const { hasNextPage, isFetching, fetchNextPage } = list;
  const loadMore = useCallback((): void => {
    if (hasNextPage && !isFetching) void fetchNextPage();
  }, [hasNextPage, isFetching, fetchNextPage]);

  const pages = list.data?.pages;
  const { rows, newcomers } = useMemo(() => {
    // A row that moved while pages were asked for is on two of them.
    const loaded = new Map((pages ?? []).flatMap(({ items }) => items.map((row) => [rowId(row), row] as const)));
    const isNew = ([id, row]: readonly [string, Row | null]) => row !== null && !loaded.has(id);
    return {
      rows: [...loaded].flatMap(([id, row]) => since.get(id) ?? (since.has(id) ? [] : [row])),
      newcomers: [...since].filter(isNew).length,
    };
  }, [pages, since, rowId]);
  return {
    ...{ rows, newcomers, showAnew, loadMore, hasMore: hasNextPage },
    ...{ isPending: list.isPending, error: list.error },
  };
};

const rowNow =
  <Row>(found: ReadonlyMap<string, Row>) =>
  (id: string): readonly [string, Row | null] => [id, found.get(id) ?? null];
