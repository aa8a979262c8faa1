import { type InfiniteData, keepPreviousData, useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useMemo, useState } from 'react';
import { type Fact, type FactPage, get } from '../api.ts';
import { followFacts } from '../live.ts';

/** Facts about a resource, a service or an account, of a type, by somebody, or that moved a status. */
export type FactSelection = Readonly<{ about?: string; type?: string; actor?: string; moves?: boolean }>;

const fits = (fact: Fact, { about, type, actor, moves }: FactSelection): boolean =>
  (!about || [fact.resourceId, fact.serviceId, ...fact.accountIds].includes(about)) &&
  (!type || fact.type === type) &&
  (!actor || fact.actor === actor) &&
  (!moves || fact.transition !== null);

type Options = Readonly<{
  selection: FactSelection;
  pageSize: number;
  /** Whether somebody reads what is there, so that nothing may move. */
  isHeld: boolean;
}>;

type Loaded = InfiniteData<FactPage, string>;

/** Facts, the latest first, page by page; new ones come on top, or are counted while the page is held. */
export const useFacts = ({ selection, pageSize, isHeld }: Options) => {
  const client = useQueryClient();
  const queryKey = ['list', 'facts', pageSize, selection] as const;
  const key = JSON.stringify(queryKey);
  const list = useInfiniteQuery({
    queryKey,
    queryFn: ({ pageParam, signal }) =>
      get<FactPage>('/api/facts', { ...selection, pageSize, before: pageParam }, signal),
    initialPageParam: '',
    getNextPageParam: ({ next }) => next || undefined,
    placeholderData: keepPreviousData,
    // What happened does not change.
    ...{ staleTime: Number.POSITIVE_INFINITY, gcTime: 0, refetchOnReconnect: false },
  });
  const [newcomers, setNewcomers] = useState(0);

  const showAnew = useCallback((): void => {
    setNewcomers(0);
    void client.resetQueries({ queryKey: JSON.parse(key) as readonly unknown[] });
  }, [client, key]);

  useEffect(() => {
    const [, , , of] = JSON.parse(key) as typeof queryKey;
    setNewcomers(0);
    return followFacts((facts) => {
      if (facts) setNewcomers((before) => before + facts.filter((fact) => fits(fact, of)).length);
      else showAnew();
    });
  }, [key, showAnew]);

  useEffect(() => {
    if (isHeld || newcomers === 0) return;
    const asked = JSON.parse(key) as readonly unknown[];
    const loaded = client.getQueryData<Loaded>(asked);
    // A page that is still on its way may have been read before.
    if (!loaded) return showAnew();
    setNewcomers(0);
    const [first, ...older] = loaded.pages;
    // Older pages come again as somebody scrolls.
    if (first && older.length > 0) client.setQueryData<Loaded>(asked, { pages: [first], pageParams: [''] });
    void client.invalidateQueries({ queryKey: asked });
  }, [isHeld, newcomers, client, key, showAnew]);

  const { hasNextPage, isFetching, fetchNextPage } = list;
  const loadMore = useCallback((): void => {
    if (hasNextPage && !isFetching) void fetchNextPage();
  }, [hasNextPage, isFetching, fetchNextPage]);

  const pages = list.data?.pages;
  return {
    facts: useMemo(() => (pages ?? []).flatMap(({ items }) => items), [pages]),
    ...{ newcomers, showAnew, loadMore, hasMore: hasNextPage },
    ...{ isPending: list.isPending, error: list.error },
  };
};
