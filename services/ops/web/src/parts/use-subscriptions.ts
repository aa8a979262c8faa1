import { useQueries } from '@tanstack/react-query';
import { listSubscriptions, serving } from '../operations.ts';

/** What each service follows, as it says now. */
export const useSubscriptions = () => {
  const found = useQueries({
    queries: serving.map((service) => ({
      queryKey: ['subscriptions', service],
      queryFn: () => listSubscriptions(service),
      refetchInterval: 5_000,
    })),
  });
  return {
    answers: serving.map((service, index) => ({ service, answer: found[index]?.data })),
    error: found.find(({ error }) => error)?.error,
  };
};
