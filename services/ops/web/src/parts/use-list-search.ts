import { useNavigate, useSearch } from '@tanstack/react-router';
import type { ListSearch } from '../router.tsx';

/** What a list is asked for, which its address keeps, and how a part of it is changed. */
export const useListSearch = () => {
  const search: ListSearch = useSearch({ strict: false });
  const navigate = useNavigate();
  const change = (part: ListSearch) =>
    void navigate({ to: '.', search: (before: ListSearch) => ({ ...before, ...part }), replace: true } as never);
  return { search, change };
};
