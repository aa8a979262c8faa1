import { zoneAction } from '../actions.ts';
import type { Connection, Session } from '../api.ts';
import { Action } from './action.tsx';
import { Badge } from './badge.tsx';
import { SimpleTable } from './simple-table.tsx';

type Options = Readonly<{
  connection: Connection;
  /** Of whoever may do something about them now. */
  session: Session | undefined;
}>;

const HEADS = ['Zone', 'Status', 'Interface', 'Addresses', 'Resource', 'Targets', 'Listens at', 'Switched'];

/** What a connection is in each of its zones. */
export const Zones = ({ connection, session }: Options) => (
  <SimpleTable
    title="Zones"
    heads={HEADS}
    rows={connection.zones.map((zone) => ({
      key: zone.zoneId,
      cells: [
        [...new Set([zone.zoneId, zone.serviceZoneId])].filter(Boolean).join(' → '),
        <span key="s" className="badges">
          <Badge name={zone.status} />
          {!zone.enabled && <Badge name="SWITCHED_OFF" tone="idle" />}
        </span>,
        <span key="i" className="mono">
          {zone.eniId}
        </span>,
        <span key="a" className="mono">
          {[zone.ipv4Address, zone.ipv6Address].filter(Boolean).join(', ')}
        </span>,
        <span key="r" className="mono">
          {zone.resourceId || '–'}
        </span>,
        zone.healthy ? 'answer' : 'do not answer',
        <span key="l" className="mono">
          {zone.listeners.map(({ address }) => address).join(', ') || '–'}
        </span>,
        switchOf(connection, zone, session),
      ],
    }))}
    empty="It has no zones."
  />
);

const switchOf = (connection: Connection, zone: Connection['zones'][number], session: Session | undefined) => {
  const action = session && zoneAction(connection, zone, session);
  return action ? <Action {...action} /> : zone.enabled ? 'On' : 'Off';
};
