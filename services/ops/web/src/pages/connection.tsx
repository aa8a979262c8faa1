import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { type Connection, type ConnectionEvent, rpc, type Session } from '../api.ts';
import { shortName, words } from '../format.ts';
import { Action, type ActionOf } from '../parts/action.tsx';
import { Badge, Badges } from '../parts/badge.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { Problem } from '../parts/problem.tsx';
import { useSession } from '../parts/shell.tsx';
import { StateDiagram, useMachine } from '../parts/state-diagram.tsx';
import { Ago, At } from '../parts/time.tsx';

const EVENTS = 1_000;

/** What there is to do for whoever is signed in. */
const actionsFor = ({ connectionId, holds, ...connection }: Connection, session: Session): readonly ActionOf[] => {
  const { accountId, roles } = session;
  const request = { connectionId };
  const isOf = (account: string, role: string) => accountId === account && roles.includes(role);
  const isProvider = isOf(connection.serviceAccountId, 'provider');
  const isConsumer = isOf(connection.endpointAccountId, 'consumer');
  const isPaused = holds.some(
    ({ reason }) => shortName(reason) === `PAUSED_BY_${isProvider ? 'PROVIDER' : 'CONSUMER'}`,
  );
  const isLocked = holds.some(({ reason }) => shortName(reason) === 'ENDPOINT_SECURITY_LOCK');
  const lock = { service: 'consumer', request: { endpointId: connectionId } } as const;
  const actions: ActionOf[] = [];
  if (isProvider) {
    actions.push(
      { name: 'Accept', service: 'broker', method: 'AcceptConnection', request, message: true },
      { name: 'Reject', service: 'broker', method: 'RejectConnection', request, message: true, isDanger: true },
    );
  }
  if ((isProvider || isConsumer) && isPaused) {
    actions.push({ name: 'Resume', service: 'broker', method: 'ResumeConnection', request });
  } else if (isProvider || isConsumer) {
    const pause = { name: 'Pause', service: 'broker', method: 'PauseConnection', request } as const;
    actions.push({ ...pause, message: true, isDanger: true });
  }
  if (roles.includes('operator') && isLocked) {
    actions.push({ ...lock, name: 'Unlock endpoint', method: 'UnlockEndpoint' });
  } else if (roles.includes('operator')) {
    actions.push({ ...lock, name: 'Lock endpoint', method: 'LockEndpoint', message: true, isDanger: true });
  }
  return actions;
};

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
  const found = useQuery({
    queryKey: ['connection', connectionId, chosen?.position ?? 'now'],
    queryFn: () =>
      rpc<Readonly<{ connection: Connection }>>('broker', 'GetConnection', {
        connectionId,
        ...(chosen && { asOf: { position: chosen.position } }),
      }),
    placeholderData: keepPreviousData,
  });
  const { data: machine } = useMachine('connection');
  const connection = found.data?.connection;
  return (
    <>
      <PageHead title={connectionId}>
        {connection && <Badge name={connection.status} />}
        {connection?.stuck && <Badge name="STUCK" tone="bad" />}
        {connection?.degraded && <Badge name="DEGRADED" tone="warn" />}
        <div className="actions">
          {connection &&
            session &&
            !chosen &&
            actionsFor(connection, session).map((action) => <Action key={action.name} {...action} />)}
        </div>
      </PageHead>
      <Problem error={found.error ?? timeline.error} />
      {events.length > 0 && <TimeSlider events={events} moment={moment} onMoment={setMoment} />}
      {connection && (
        <div className="columns">
          <Summary connection={connection} />
          <Holds connection={connection} />
          <section className="card wide">
            <h2>What may become of it</h2>
            {machine && <StateDiagram machine={machine} current={shortName(connection.status)} />}
          </section>
          <Zones connection={connection} />
        </div>
      )}
      <section className="card">
        <h2>Timeline</h2>
        <Timeline events={events} upTo={chosen ? BigInt(chosen.revision) : null} />
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
    ['Service', <span key="s" className="mono">{`${connection.serviceId} (${connection.serviceName})`}</span>],
    ['Endpoint’s account', connection.endpointAccountId],
    ['Service’s account', connection.serviceAccountId],
    ['VPC', connection.vpcId],
    ['Type', words(connection.endpointType)],
    ['Paid by', words(connection.payer)],
    ['Decision', <Badge key="d" name={connection.decision} />],
    ['Status since', <Ago key="t" time={connection.statusTime} />],
    ['Created', <At key="c" time={connection.createTime} />],
    ['Generation', connection.generation],
    ['Waits for', connection.missing.join(', ') || '–'],
    ['Name', connection.domainName || '–'],
    ['Custom names', connection.customDomainNames.join(', ') || '–'],
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

const Fact = ({ name, value }: Readonly<{ name: string; value: React.ReactNode }>) => (
  <>
    <dt>{name}</dt>
    <dd>{value}</dd>
  </>
);

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

const Zones = ({ connection: { zones } }: Readonly<{ connection: Connection }>) => (
  <section className="wide">
    <h2>Zones</h2>
    {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
    <section className="table-box short" tabIndex={0} aria-label="Zones">
      <table>
        <caption className="visually-hidden">Zones</caption>
        <thead>
          <tr>
            {['Zone', 'Status', 'Interface', 'Addresses', 'Resource', 'Targets', 'Listens at', 'Name'].map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {zones.map((zone) => (
            <tr key={zone.zoneId}>
              <td>{zone.zoneId}</td>
              <td>
                <span className="badges">
                  <Badge name={zone.status} />
                  {!zone.enabled && <Badge name="SWITCHED_OFF" tone="idle" />}
                </span>
              </td>
              <td className="mono">{zone.eniId}</td>
              <td className="mono">{[zone.ipv4Address, zone.ipv6Address].filter(Boolean).join(', ')}</td>
              <td className="mono">{zone.resourceId || '–'}</td>
              <td>{zone.healthy ? 'answer' : 'do not answer'}</td>
              <td className="mono">{zone.listeners.map(({ address }) => address).join(', ') || '–'}</td>
              <td className="mono">{zone.domainName || '–'}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  </section>
);

type TimelineProps = Readonly<{ events: readonly ConnectionEvent[]; upTo: bigint | null }>;

/** The latest first. */
const Timeline = ({ events, upTo }: TimelineProps) => (
  <ol className="timeline" reversed>
    {[...events].reverse().map(({ revision, type, recordTime, actor, transition, holds }) => (
      <li key={revision} className={upTo !== null && BigInt(revision) > upTo ? 'later' : ''}>
        <span className="muted">
          <At time={recordTime} />
        </span>
        <div>
          <strong>{type}</strong> {actor && <span className="muted">by {actor}</span>}
          {transition && (
            <div className="badges">
              {transition.from && <Badge name={transition.from} />}
              {transition.from && <span aria-hidden="true">→</span>}
              <Badge name={transition.to} />
              <span className="muted">{transition.because}</span>
            </div>
          )}
          {holds.length > 0 && (
            <div className="badges">
              <span className="muted">Held:</span> <Badges names={holds} />
            </div>
          )}
        </div>
      </li>
    ))}
  </ol>
);
