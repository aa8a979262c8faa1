import { type Connection, type EndpointService, rpc, type Session } from './api.ts';
import { shortName } from './format.ts';
import type { ActionOf } from './parts/action.tsx';

const has = ({ roles }: Session, role: string): boolean => roles.includes(role);

/** What there is to do about a connection, for whoever is signed in. */
export const connectionActions = (connection: Connection, session: Session): readonly ActionOf[] => {
  const { connectionId, holds } = connection;
  const isOperator = has(session, 'operator');
  const isProvider = session.accountId === connection.serviceAccountId && has(session, 'provider');
  const isConsumer = session.accountId === connection.endpointAccountId && has(session, 'consumer');
  const isHeld = (wanted: string) => holds.some(({ reason }) => shortName(reason) === wanted);
  const broker = { service: 'broker', request: { connectionId } } as const;
  const consumer = { service: 'consumer', request: { endpointId: connectionId } } as const;

  const pauses = (['PROVIDER', 'CONSUMER'] as const)
    .filter((side) => isOperator || (side === 'PROVIDER' ? isProvider : isConsumer))
    .map((side): ActionOf => {
      const request = { connectionId, side: `CONNECTION_SIDE_${side}` };
      const whose = isOperator ? ` for ${side.toLowerCase()}` : '';
      return isHeld(`PAUSED_BY_${side}`)
        ? { ...broker, request, name: `Resume${whose}`, method: 'ResumeConnection' }
        : { ...broker, request, name: `Pause${whose}`, method: 'PauseConnection', message: true, isDanger: true };
    });
  const decisions: readonly ActionOf[] = [
    { ...broker, name: 'Accept', method: 'AcceptConnection', message: true },
    { ...broker, name: 'Reject', method: 'RejectConnection', message: true, isDanger: true },
  ];
  const lock: ActionOf = isHeld('ENDPOINT_SECURITY_LOCK')
    ? { ...consumer, name: 'Unlock endpoint', method: 'UnlockEndpoint' }
    : { ...consumer, name: 'Lock endpoint', method: 'LockEndpoint', message: true, isDanger: true };
  const overdue = holds.filter(({ reason }) => shortName(reason).endsWith('_PAYMENT_OVERDUE'));
  return [
    ...(isProvider || isOperator ? decisions : []),
    ...(isOperator ? [lock, ...overdue.map(({ source }) => settle(source))] : []),
    ...pauses,
    ...(isOperator ? [reportOverdue(connectionId)] : []),
    ...(isConsumer || isOperator
      ? [
          {
            ...consumer,
            ...DELETE,
            name: 'Delete endpoint',
            method: 'DeleteEndpoint',
            force: 'Also routes that lead to it',
          },
        ]
      : []),
  ];
};

const DELETE = { isDanger: true };

/** Zones are switched while connected alone. */
export const zoneAction = (
  { connectionId, status, serviceAccountId }: Connection,
  { zoneId, enabled }: Connection['zones'][number],
  session: Session,
): ActionOf | null => {
  const isOwn = session.accountId === serviceAccountId && has(session, 'provider');
  if (shortName(status) !== 'CONNECTED' || !(isOwn || has(session, 'operator'))) return null;
  const zone = { service: 'broker', request: { connectionId, zoneId } } as const;
  return enabled
    ? { ...zone, name: 'Disable', method: 'DisableZoneConnection', isDanger: true }
    : { ...zone, name: 'Enable', method: 'EnableZoneConnection' };
};

/** What there is to do about a service, for whoever is signed in. */
export const serviceActions = (service: EndpointService, session: Session): readonly ActionOf[] => {
  const { serviceId, accountId, securityLock, locks } = service;
  const isOperator = has(session, 'operator');
  const isOwn = session.accountId === accountId && has(session, 'provider');
  const provider = { service: 'provider', request: { serviceId } } as const;
  const lock: ActionOf = securityLock
    ? { ...provider, name: 'Unlock service', method: 'UnlockEndpointService' }
    : { ...provider, name: 'Lock service', method: 'LockEndpointService', message: true, isDanger: true };
  const overdue = locks.filter(({ businessStatus }) => shortName(businessStatus) === 'FINANCIAL_LOCKED');
  return [
    ...(isOperator ? [lock, ...overdue.map(({ source }) => settle(source)), reportOverdue(serviceId)] : []),
    ...(isOperator || isOwn
      ? [
          {
            ...{ ...provider, ...DELETE, name: 'Delete service', method: 'DeleteEndpointService' },
            force: 'Also while connections are up: they lose their service',
          },
        ]
      : []),
  ];
};

type Payment = Readonly<{ source: string; sequence: string }>;
type Told = Readonly<{ payments?: Readonly<{ payments: readonly Payment[] }> }>;

/** Number of the next report of a source about an endpoint, a service or an account. */
const nextReport = async (source: string, scope: string): Promise<string> => {
  const filter = `resource_type = payments AND resource_id = ${scope}`;
  const list = 'privatelink.events.v1.EventsService.ListEvents';
  const { events } = await rpc<Readonly<{ events: readonly Told[] }>>('broker', list, { filter, pageSize: 1_000 });
  const last = events.at(-1)?.payments?.payments.find((payment) => payment.source === source);
  return String(BigInt(last?.sequence ?? 0) + 1n);
};

const scopeOf = (scope: string) => (/^\d{16}$/.test(scope) ? { accountId: scope } : { resourceId: scope });

const report = (source: string, scope: string) => async () => ({
  ...{ source, scope: scopeOf(scope), sequence: await nextReport(source, scope) },
});

/** @param bill `<source>:<endpoint, service or account>`: the report is in the name of that source */
const settle = (bill: string): ActionOf => {
  const [source = '', scope = ''] = bill.split(':');
  const name = `Settle ${bill}`;
  return { name, service: 'broker', method: 'ReportPaymentSettled', message: true, request: report(source, scope) };
};

const reportOverdue = (scope: string): ActionOf => ({
  ...{ name: 'Report overdue', service: 'broker', method: 'ReportPaymentOverdue', message: true, isDanger: true },
  request: report('operator', scope),
});
