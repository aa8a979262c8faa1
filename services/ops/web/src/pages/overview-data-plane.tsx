import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { number } from '../format.ts';
import { type Agent, dataPlane, type Zone } from '../measured.ts';
import { Badge } from '../parts/badge.tsx';
import { Problem } from '../parts/problem.tsx';
import { SimpleTable } from '../parts/simple-table.tsx';
import { Ago } from '../parts/time.tsx';

/** Zones with their agents: who works, and what is wrong there. */
export const DataPlane = () => {
  const { data, error } = useQuery(dataPlane);
  return (
    <div className="wide">
      <Problem error={error} />
      {data?.measured && (
        <>
          <SimpleTable
            title="Data plane"
            heads={['Zone', 'State', 'Agent', 'Since', 'Forwards', 'Reloads', 'Problems']}
            rows={[
              ...data.measured.zones.flatMap(rowsOf),
              ...data.measured.unknown.map((agent) => rowOf(<span className="muted">not known</span>, agent)),
            ]}
            empty="There are no zones."
          />
          <p className="muted">Reloads of HAProxy, and rounds that failed, are those within half an hour.</p>
        </>
      )}
      {data && !data.measured && (
        <section className="card">
          <h2>Data plane</h2>
          <p className="muted">
            How zones are forwarded is not known here: <code>PRIVATELINK_OPS_AGENT_METRICS</code> is not set.
          </p>
        </section>
      )}
    </div>
  );
};

const rowsOf = ({ zoneId, agents }: Zone) => {
  if (agents.length === 0) return [{ key: zoneId, cells: [zoneId, <Badge key="state" name="No agent" tone="bad" />] }];
  const isServed = agents.some(({ work }) => work);
  const zone = (
    <span className="badges">
      {zoneId}
      {!isServed && <Badge name="Unserved" tone="bad" />}
    </span>
  );
  return agents.map((agent) => rowOf(zone, agent));
};

const rowOf = (zone: ReactNode, agent: Agent) => {
  const { address, name, isAnswering, heardAt, work } = agent;
  const cells = [
    zone,
    <State key="state" agent={agent} />,
    <span key="agent" className="mono" title={address}>
      {name || address}
    </span>,
    <Ago key="since" time={work?.since ?? (isAnswering ? null : heardAt)} />,
  ];
  if (!work) return { key: address, cells };
  const { forwards, pending, reloads } = work;
  const forwarded = pending > 0 ? `${number(forwards)}, ${number(pending)} pending` : number(forwards);
  return { key: address, cells: [...cells, forwarded, number(reloads), <Problems key="problems" of={work} />] };
};

const State = ({ agent: { work, isAnswering } }: Readonly<{ agent: Agent }>) => {
  if (work) return <Badge name="At work" tone="good" />;
  return isAnswering ? <Badge name="Waits" tone="idle" /> : <Badge name="No answer" tone="bad" />;
};

const Problems = ({ of }: Readonly<{ of: NonNullable<Agent['work']> }>) => {
  const counts = [
    [of.notInPlace, 'not in place'],
    [of.withoutTarget, 'without a target'],
    [of.limitsNotKept, 'limits not kept'],
    [of.targetsDown, 'targets down'],
    [of.failedRounds, 'rounds failed'],
  ] as const;
  const found = counts.filter(([count]) => count > 0).map(([count, what]) => `${number(count)} ${what}`);
  return found.length > 0 ? <strong className="wrap tone-bad">{found.join(', ')}</strong> : <>none</>;
};
