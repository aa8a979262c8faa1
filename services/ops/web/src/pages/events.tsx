import { useState } from 'react';
import type { Fact } from '../api.ts';
import { useLive } from '../live.ts';
import { FactTable } from '../parts/fact-table.tsx';
import { PageHead } from '../parts/page-head.tsx';

const fits = ({ type, resourceId, serviceId, accountIds, actor }: Fact, text: string): boolean =>
  text === '' ||
  [type, resourceId, serviceId, actor, ...accountIds].some((value) => value.toLowerCase().includes(text.toLowerCase()));

/** What happens, as it happens. */
export const EventsPage = () => {
  const { facts } = useLive();
  const [held, setHeld] = useState<readonly Fact[] | null>(null);
  const [text, setText] = useState('');
  const [movesOnly, setMovesOnly] = useState(false);
  const shown = (held ?? facts).filter((fact) => fits(fact, text) && (!movesOnly || fact.transition !== null));
  return (
    <>
      <PageHead title="Events">
        <div className="actions">
          {held && <span className="muted">Paused: the page stands still, nothing is missed</span>}
          <button type="button" aria-pressed={held !== null} onClick={() => setHeld(held ? null : facts)}>
            {held ? 'Go on' : 'Pause'}
          </button>
        </div>
      </PageHead>
      <search className="filters">
        <label className="field grow">
          Search
          <input
            type="search"
            value={text}
            placeholder="Fact, id, account, actor"
            onChange={({ target }) => setText(target.value)}
          />
        </label>
        <label className="field check">
          <input type="checkbox" checked={movesOnly} onChange={({ target }) => setMovesOnly(target.checked)} />
          Moves of a status only
        </label>
      </search>
      <FactTable facts={shown} empty="Nothing fits." />
    </>
  );
};
