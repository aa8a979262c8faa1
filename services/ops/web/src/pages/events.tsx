import { useState } from 'react';
import { FactTable } from '../parts/fact-table.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { Problem } from '../parts/problem.tsx';
import { TableFoot } from '../parts/table-foot.tsx';
import { Typed } from '../parts/typed.tsx';
import { type FactSelection, useFacts } from '../parts/use-facts.ts';
import { usePageSearch } from '../parts/use-page-search.ts';

const PAGE_SIZE = 200;

/** What happens, as it happens, and what happened before. */
export const EventsPage = () => {
  const { search, change } = usePageSearch<FactSelection>();
  const [isPaused, setIsPaused] = useState(false);
  const [isScrolled, setIsScrolled] = useState(false);
  const list = useFacts({ selection: search, pageSize: PAGE_SIZE, isHeld: isPaused || isScrolled });
  const { facts, hasMore, loadMore, newcomers } = list;
  return (
    <>
      <PageHead title="Events">
        <div className="actions">
          {isPaused && <span className="muted">Paused: the page stands still, nothing is missed</span>}
          <button type="button" aria-pressed={isPaused} onClick={() => setIsPaused(!isPaused)}>
            {isPaused ? 'Go on' : 'Pause'}
          </button>
        </div>
      </PageHead>
      <search className="filters">
        <Typed
          label="About"
          type="search"
          value={search.about ?? ''}
          hint="ep-…, epsrv-…, account"
          onChange={(about) => change({ about: about.trim() })}
        />
        <Typed
          label="Fact"
          value={search.type ?? ''}
          hint="HoldPlaced"
          onChange={(type) => change({ type: type.trim() })}
        />
        <Typed
          label="By"
          value={search.actor ?? ''}
          hint="user:paula"
          onChange={(actor) => change({ actor: actor.trim() })}
        />
        <label className="field check">
          <input
            type="checkbox"
            checked={search.moves ?? false}
            onChange={({ target }) => change({ moves: target.checked })}
          />
          Moves of a status only
        </label>
      </search>
      <Problem error={list.error} />
      <FactTable
        facts={facts}
        empty={list.isPending ? 'Loading …' : 'Nothing fits.'}
        part={{ of: JSON.stringify(search), hasMore, loadMore, onScrolled: setIsScrolled }}
      />
      <TableFoot count={facts.length} hasMore={hasMore} newcomers={newcomers} onShow={list.showAnew} />
    </>
  );
};
