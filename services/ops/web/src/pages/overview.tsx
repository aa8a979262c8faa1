import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { type Change, type Count, get, type Overview } from '../api.ts';
import { number } from '../format.ts';
import { Badge } from '../parts/badge.tsx';
import { Bars } from '../parts/bars.tsx';
import { ChangesChart, LevelsChart } from '../parts/changes-chart.tsx';
import { Fact } from '../parts/fact.tsx';
import { FactTable } from '../parts/fact-table.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { Problem } from '../parts/problem.tsx';
import { seesAll, useSession } from '../parts/shell.tsx';
import { Ago } from '../parts/time.tsx';
import { useFacts } from '../parts/use-facts.ts';
import type { ListSearch } from '../router.tsx';
import { DataPlane } from './overview-data-plane.tsx';
import { DnsQueries } from './overview-dns-queries.tsx';
import { SubscriptionGaps } from './overview-subscriptions.tsx';

const LAST_FACTS = 12;
const RANGES = [15, 60, 360, 1_440] as const;
const sum = (counts: readonly Count[]): number => counts.reduce((all, { count }) => all + count, 0);
const countOf = (counts: readonly Count[], name: string): number => counts.find((one) => one.name === name)?.count ?? 0;

export const OverviewPage = () => {
  const [minutes, setMinutes] = useState<number>(60);
  const overview = useQuery({ queryKey: ['overview'], queryFn: () => get<Overview>('/api/overview') });
  const changes = useQuery({
    queryKey: ['changes', minutes],
    queryFn: () => get<Readonly<{ items: readonly Change[] }>>('/api/status-changes', { minutes }),
  });
  const { facts } = useFacts({ selection: {}, pageSize: LAST_FACTS, isHeld: false });
  const { data: session } = useSession();
  const found = overview.data;
  const moves = changes.data?.items ?? [];
  return (
    <>
      <PageHead title="Overview" />
      <Problem error={overview.error ?? changes.error} />
      {found && (
        <div className="cards">
          <Figure name="Connections" value={sum(found.connections)} search={{}} />
          <Figure name="Connected" value={countOf(found.connections, 'CONNECTED')} search={{ status: 'CONNECTED' }} />
          <Figure name="Stuck" value={found.stuck} search={{ stuck: true }} isAlarm />
          <Figure name="Degraded" value={found.degraded} search={{ filter: 'degraded = true' }} isAlarm />
          <Figure name="Endpoints" value={sum(found.endpoints)} />
          <Figure name="Services" value={sum(found.endpointServices)} />
        </div>
      )}
      <div className="columns">
        <section className="card wide">
          <div className="page-head">
            <h2>Connections by status</h2>
            <label className="actions">
              <span className="muted">Last</span>
              <select value={minutes} onChange={({ target }) => setMinutes(Number(target.value))}>
                {RANGES.map((range) => (
                  <option key={range} value={range}>
                    {range < 120 ? `${range} minutes` : `${range / 60} hours`}
                  </option>
                ))}
              </select>
            </label>
          </div>
          <LevelsChart changes={moves} minutes={minutes} now={found?.connections ?? []} />
          <h2>Moves in each minute</h2>
          <ChangesChart changes={moves} minutes={minutes} />
        </section>
        {found && (
          <>
            <section className="card">
              <h2>Now</h2>
              <Bars counts={found.connections} label={(name) => <Badge name={name} />} empty="There are none." />
            </section>
            <section className="card">
              <h2>Why connections are not connected</h2>
              <Bars
                counts={found.holds}
                label={(name) => (
                  <Link to="/connections" search={{ hold: name }}>
                    <Badge name={name} />
                  </Link>
                )}
                empty="Nothing holds any."
              />
            </section>
            <section className="card">
              <h2>Services with most connections</h2>
              <Bars
                counts={found.largestServices}
                label={(name) => (
                  <Link className="mono" to="/connections" search={{ q: name }}>
                    {name}
                  </Link>
                )}
                empty="There are none."
              />
            </section>
            <section className="card">
              <h2>Accounts with most overdue connections</h2>
              <Bars
                counts={found.overdue}
                label={(name) => (
                  <Link className="mono" to="/connections" search={{ filter: overdueOf(name) }}>
                    {name}
                  </Link>
                )}
                empty="Nothing is overdue."
              />
            </section>
            <section className="card">
              <h2>Connections by zone</h2>
              <Bars
                counts={found.zones}
                label={(name) => (
                  <ZoneLinks zone={name} degraded={found.zones.find((zone) => zone.name === name)?.degraded ?? 0} />
                )}
                empty="There are none."
              />
            </section>
            <section className="card">
              <h2>Last announced by</h2>
              <dl className="facts">
                {found.sources.map(({ source, heardAt }) => (
                  <Fact key={source} name={source} value={<Ago time={heardAt} />} />
                ))}
              </dl>
            </section>
          </>
        )}
        {session && seesAll(session) && (
          <>
            <SubscriptionGaps />
            <DataPlane />
            <DnsQueries />
          </>
        )}
      </div>
      <h2>Latest</h2>
      <FactTable facts={facts} empty="Nothing has happened yet." />
    </>
  );
};

/** Connections that wait for a payment of the account, of either side. */
const overdueOf = (account: string): string =>
  `(hold_reasons:ENDPOINT_PAYMENT_OVERDUE AND endpoint_account_id = "${account}") OR ` +
  `(hold_reasons:SERVICE_PAYMENT_OVERDUE AND service_account_id = "${account}")`;

const ZoneLinks = ({ zone, degraded }: Readonly<{ zone: string; degraded: number }>) => (
  <>
    <Link to="/connections" search={{ filter: `zone_ids:${zone}` }}>
      {zone}
    </Link>
    {degraded > 0 && (
      <>
        {', '}
        <Link to="/connections" search={{ filter: `zone_ids:${zone} AND degraded = true` }}>
          {number(degraded)} degraded
        </Link>
      </>
    )}
  </>
);

type FigureProps = Readonly<{ name: string; value: number; search?: ListSearch; isAlarm?: boolean }>;

const Figure = ({ name, value, search, isAlarm = false }: FigureProps) => {
  const className = `card figure${isAlarm && value > 0 ? ' alarm' : ''}`;
  const content = (
    <>
      <strong>{number(value)}</strong>
      <span className="muted">{name}</span>
    </>
  );
  return search ? (
    <Link className={className} to="/connections" search={search}>
      {content}
    </Link>
  ) : (
    <div className={className}>{content}</div>
  );
};
