import type { Subscriptions } from './operations.ts';

type Subscription = Subscriptions['subscriptions'][number];

/** Positions between what it has handled and the end of what it follows; null where it tells no position. */
export const gapOf = ({ position, tailPosition }: Pick<Subscription, 'position' | 'tailPosition'>): number | null =>
  position === undefined || tailPosition === undefined
    ? null
    : Math.max(0, Number(BigInt(tailPosition) - BigInt(position)));

/** How a service does: the one that is furthest behind, those that nobody holds, and how much fails. */
export const summaryOf = (all: readonly Subscription[]) => {
  const behind = all.map((one) => ({ name: one.name, gap: gapOf(one) ?? 0 })).sort((a, b) => b.gap - a.gap);
  return {
    count: all.length,
    furthest: behind[0] && behind[0].gap > 0 ? behind[0] : null,
    unheld: all.filter(({ holder }) => !holder).length,
    failing: all.reduce((sum, { failingCount }) => sum + failingCount, 0),
  };
};
