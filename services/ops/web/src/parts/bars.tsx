import type { ReactNode } from 'react';
import type { Count } from '../api.ts';
import { number } from '../format.ts';

type Options = Readonly<{ counts: readonly Count[]; label: (name: string) => ReactNode; empty: string }>;

/** Counts as bars, each as long as it is of the greatest. */
export const Bars = ({ counts, label, empty }: Options) => {
  const most = Math.max(1, ...counts.map(({ count }) => count));
  if (counts.length === 0) return <p className="muted">{empty}</p>;
  return (
    <ul className="bars">
      {counts.map(({ name, count }) => (
        <li key={name}>
          <span>{label(name)}</span>
          <span className="count">{number(count)}</span>
          <div className="bar-track" aria-hidden="true">
            <div style={{ width: `${(100 * count) / most}%` }} />
          </div>
        </li>
      ))}
    </ul>
  );
};
