import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { get, type ListName } from '../api.ts';
import { number } from '../format.ts';
import type { RowQuery } from './use-rows.ts';

type Counted = Readonly<{ count: number; isMore: boolean }>;

/** How many rows a list has, of which the page knows a part. */
export const Total = ({ name, query }: Readonly<{ name: ListName; query: RowQuery }>) => {
  const { orderBy: _, ...selection } = query;
  const { data } = useQuery({
    queryKey: ['count', name, selection],
    queryFn: ({ signal }) => get<Counted>(`/api/${name}/count`, selection, signal),
    placeholderData: keepPreviousData,
  });
  if (!data) return null;
  return (
    <span className="muted check">
      {data.isMore ? 'more than ' : ''}
      {number(data.count)} in all
    </span>
  );
};
