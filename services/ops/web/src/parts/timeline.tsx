import type { ConnectionEvent } from '../api.ts';
import { shortName, words } from '../format.ts';
import { Badge, Badges } from './badge.tsx';
import { Fact } from './fact.tsx';
import { At } from './time.tsx';

type Side = 'service' | 'endpoint' | 'both';

/** What a side has done, or what was done about it; the rest is what follows for both. */
const SIDE: Readonly<Record<string, Side>> = {
  ConnectionRequested: 'endpoint',
  ConnectionUpdated: 'endpoint',
  DeletionStarted: 'endpoint',
  ZoneAdded: 'endpoint',
  ZoneAddressesChanged: 'endpoint',
  ZoneRemovalStarted: 'endpoint',
  ZoneRemoved: 'endpoint',
  CustomDomainsChanged: 'endpoint',
  ZoneAffinityChanged: 'endpoint',
  TargetsChanged: 'endpoint',
  IngressChanged: 'endpoint',
  EndpointInformed: 'endpoint',
  ConnectionAccepted: 'service',
  ConnectionRejected: 'service',
  ApprovalExpired: 'service',
  BandwidthChanged: 'service',
  ZoneEnabled: 'service',
  ZoneDisabled: 'service',
  ZoneResourceAssigned: 'service',
  ZoneResourceUnassigned: 'service',
  ZoneMigrationStarted: 'service',
  ZoneMigrationCompleted: 'service',
  ServiceDeletionObserved: 'service',
  TeardownConfirmed: 'service',
};

const sideOf = ({ type, details }: ConnectionEvent): Side => {
  const reason = String(details?.['reason'] ?? '');
  if (/^ENDPOINT_|CONSUMER$/.test(reason)) return 'endpoint';
  if (/^SERVICE_|PROVIDER$|^NOT_WHITELISTED$/.test(reason)) return 'service';
  return SIDE[type] ?? 'both';
};

type Options = Readonly<{
  events: readonly ConnectionEvent[];
  /** What came after this revision had not happened yet. */
  upTo: string | undefined;
}>;

/** What happened on both sides, the latest first. */
export const Timeline = ({ events, upTo }: Options) => (
  <ol className="timeline" reversed>
    <li className="heads" aria-hidden="true">
      <span />
      <span className="service">Service’s side</span>
      <span className="endpoint">Endpoint’s side</span>
    </li>
    {[...events].reverse().map((event) => (
      <li key={event.revision} className={upTo && BigInt(event.revision) > BigInt(upTo) ? 'later' : ''}>
        <span className="muted">
          <At time={event.recordTime} />
        </span>
        <div className={sideOf(event)}>
          <Entry event={event} />
        </div>
      </li>
    ))}
  </ol>
);

const SIDE_NAME: Readonly<Record<Side, string>> = {
  service: 'Service’s side: ',
  endpoint: 'Endpoint’s side: ',
  both: '',
};

const Entry = ({ event }: Readonly<{ event: ConnectionEvent }>) => {
  const { type, actor, transition, holds, details } = event;
  const data = Object.entries(details ?? {});
  return (
    <>
      <span className="visually-hidden">{SIDE_NAME[sideOf(event)]}</span>
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
      {data.length > 0 && (
        <details>
          <summary>Data of revision {event.revision}</summary>
          <dl className="facts">
            {data.map(([name, value]) => (
              <Fact key={name} name={words(shortName(name.replace(/[A-Z]/g, '_$&')))} value={dataText(value)} />
            ))}
          </dl>
        </details>
      )}
    </>
  );
};

const dataText = (value: unknown): string =>
  typeof value === 'object' ? JSON.stringify(value) : value === '' ? '–' : String(value);
