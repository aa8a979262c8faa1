import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { connectionActions } from '../actions.ts';
import { type Connection, type ConnectionEvent, rpc } from '../api.ts';
import { shortName, words } from '../format.ts';
import { Actions } from '../parts/actions.tsx';
import { Badge } from '../parts/badge.tsx';
import { Fact } from '../parts/fact.tsx';
import { Names } from '../parts/names.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { Problem } from '../parts/problem.tsx';
import { useSession } from '../parts/shell.tsx';
import { StateDiagram, useMachine } from '../parts/state-diagram.tsx';
import { Ago, At } from '../parts/time.tsx';
import { Timeline } from '../parts/timeline.tsx';
import { Traffic } from '../parts/traffic.tsx';
import { Zones } from '../parts/zones.tsx';

const EVENTS = 1_000;

export const ConnectionPage = () => {
  const { connectionId = '' } = useParams({ strict: false });
  const { data: session } = useSession();
  const [moment, setMoment] = useState<number | null>(null);
  const timeline = useQuery({
    queryKey: ['connection', connectionId, 'events'],
    queryFn: () =>
      rpc<Readonly<{ events: readonly ConnectionEvent[] }>>('broker', 'ListConnectionEvents', {
        ...{ connectionId, pageSize: EVENTS },
      }),
  });
  const events = timeline.data?.events ?? [];
  const chosen = moment === null ? undefined : events[moment];
  // What is gone is shown as it was at last.
  const isGone = events.findLast(({ transition }) => transition)?.transition?.to === 'GONE';
  const asOf = chosen ?? (isGone ? events.at(-1) : undefined);
  const found = useQuery({
    queryKey: ['connection', connectionId, asOf?.position ?? 'now'],
    queryFn: () =>
      rpc<Readonly<{ connection: Connection }>>('broker', 'GetConnection', {
        connectionId,
        ...(asOf && { asOf: { position: asOf.position } }),
      }),
    placeholderData: keepPreviousData,
  });
  const { data: machine } = useMachine('connection');
  const connection = found.data?.connection;
  const taken = events.slice(0, (moment ?? events.length) + 1).flatMap(({ transition }) => transition ?? []);
  return (
    <>
      <PageHead title={connectionId}>
        {connection && <Badge name={connection.status} />}
        {connection?.stuck && <Badge name="STUCK" tone="bad" />}
        {connection?.degraded && <Badge name="DEGRADED" tone="warn" />}
        {connection && session && !asOf && <Actions actions={connectionActions(connection, session)} />}
      </PageHead>
      <Problem error={found.error ?? timeline.error} />
      {isGone && <p className="notice tone-idle">It is gone; this is what it was at last.</p>}
      {events.length > 0 && <TimeSlider events={events} moment={moment} onMoment={setMoment} />}
      {connection && (
        <div className="columns">
          <Summary connection={connection} />
          <Holds connection={connection} />
          <section className="card wide">
            <h2>What may become of it</h2>
            {machine && <StateDiagram machine={machine} current={shortName(connection.status)} taken={taken} />}
          </section>
          <Zones connection={connection} session={asOf ? undefined : session} />
          {!asOf && <Traffic connection={connection} />}
          <Names connection={connection} />
        </div>
      )}
      <section className="card">
        <h2>Timeline</h2>
        <Timeline events={events} upTo={chosen?.revision} />
      </section>
    </>
  );
};

type SliderProps = Readonly<{
  events: readonly ConnectionEvent[];
  moment: number | null;
  onMoment: (moment: number | null) => void;
}>;

const TimeSlider = ({ events, moment, onMoment }: SliderProps) => {
  const last = events.length - 1;
  const chosen = moment === null ? undefined : events[moment];
  return (
    <section className={`card notice ${chosen ? 'tone-warn' : ''}`}>
      <label className="field">
        <span>
          {chosen ? (
            <>
              As it was after {chosen.type}, <At time={chosen.recordTime} />
            </>
          ) : (
            'As it is now; move the slider to see it as it was'
          )}
        </span>
        <input
          type="range"
          min={0}
          max={last}
          value={moment ?? last}
          aria-valuetext={chosen ? `after ${chosen.type}` : 'now'}
          onChange={({ target }) => onMoment(Number(target.value) === last ? null : Number(target.value))}
        />
      </label>
    </section>
  );
};

const Summary = ({ connection }: Readonly<{ connection: Connection }>) => {
  const rows: readonly (readonly [string, React.ReactNode])[] = [
    [
      'Service',
      <Link key="s" className="mono" to="/endpoint-services/$serviceId" params={{ serviceId: connection.serviceId }}>
        {connection.serviceId}
      </Link>,
    ],
    [
      'Service’s name',
      <span key="n" className="mono">
        {connection.serviceName}
      </span>,
    ],
    ['Endpoint’s account', connection.endpointAccountId],
    ['Service’s account', connection.serviceAccountId],
    [
      'VPC',
      <span key="v" className="mono">
        {connection.vpcId}
      </span>,
    ],
    ['Regions', [...new Set([connection.endpointRegion, connection.serviceRegion])].join(' → ') || '–'],
    ['Type', words(connection.endpointType)],
    ['Paid by', words(connection.payer)],
    ['Decision', <Badge key="d" name={connection.decision} />],
    ['Status since', <Ago key="t" time={connection.statusTime} />],
    ['Created', <At key="c" time={connection.createTime} />],
    ['Generation', connection.generation],
    ['Waits for', connection.missing.join(', ') || '–'],
    ['Forwarded by', words(connection.forwarder)],
    ['Acceptance ends', connection.expireTime ? <At key="e" time={connection.expireTime} /> : 'never'],
  ];
  return (
    <section className="card">
      <h2>Connection</h2>
      <dl className="facts">
        {rows.map(([name, value]) => (
          <Fact key={name} name={name} value={value} />
        ))}
      </dl>
    </section>
  );
};

const Holds = ({ connection: { holds } }: Readonly<{ connection: Connection }>) => (
  <section className="card">
    <h2>Holds</h2>
    {holds.length === 0 && <p className="muted">Nothing holds it: it is wanted.</p>}
    <dl className="facts">
      {holds.map(({ reason, source, placedBy, placeTime, message }) => (
        <Fact
          key={`${reason}/${source}`}
          name={words(reason)}
          value={
            <>
              <Ago time={placeTime} />
              {placedBy && ` by ${placedBy}`}
              {source && `, ${source}`}
              {message && <div>“{message}”</div>}
            </>
          }
        />
      ))}
    </dl>
  </section>
);
