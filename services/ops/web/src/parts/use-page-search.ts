import { useNavigate, useSearch } from '@tanstack/react-router';

/** What a page is asked for, which its address keeps, and how a part of it is changed. */
export const usePageSearch = <Search extends object>() => {
  const search: object = useSearch({ strict: false });
  const navigate = useNavigate();
  const change = (part: Search) =>
    void navigate({ to: '.', search: (before: Search) => ({ ...before, ...part }), replace: true } as never);
  return { search: search as Search, change };
};
