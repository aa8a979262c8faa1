import { number } from '../format.ts';

type Options = Readonly<{
  count: number;
  hasMore: boolean;
  /** Rows that wait until somebody wants to see them. */
  newcomers: number;
  onShow: () => void;
}>;

/** How many rows there are, and a way to those that are new. */
export const TableFoot = ({ count, hasMore, newcomers, onShow }: Options) => (
  <div className="table-foot">
    <span className="muted" aria-live="polite">
      {countText(count, hasMore)}
    </span>
    {newcomers > 0 && (
      <button type="button" onClick={onShow}>
        {newcomers === 1 ? 'Show 1 new row' : `Show ${number(newcomers)} new rows`}
      </button>
    )}
  </div>
);

const countText = (count: number, hasMore: boolean): string => {
  if (hasMore) return `The first ${number(count)} rows; more come as you scroll`;
  return count === 1 ? '1 row' : `${number(count)} rows`;
};
