import { valueAt } from '@privatelink/shared/eventing/parted';
import { allocationId, endpointZoneOf } from '../../../services/connection-broker/src/allocation/allocation.ts';
import { connection as decider } from '../../../services/connection-broker/src/connection/connection.decide.ts';
import { isUpdated, missing } from '../../../services/connection-broker/src/connection/connection.progress.ts';
import { isCrossRegion } from '../../../services/connection-broker/src/connection/connection.ts';
import { holdsOf, isWanted } from '../../../services/connection-broker/src/connection/holds.ts';
import {
  factsForConnection,
  scopesOf,
} from '../../../services/connection-broker/src/scope-facts/facts-for-connection.ts';
import { locksOf as endpointLocks } from '../../../services/consumer/src/endpoint/endpoint.locks.ts';
import { locksOf as serviceLocks } from '../../../services/provider/src/endpoint-service/endpoint-service.locks.ts';
import { regionsIn } from '../../../services/provider/src/endpoint-service/endpoint-service.regions.ts';
import { mayConnect } from '../../../services/provider/src/endpoint-service/endpoint-service.ts';
import type { Ending } from './aggregates.ts';

const TRANSITIONAL = {
  connection: ['CONNECTING', 'CHANGING', 'DISCONNECTING', 'DELETING'],
  endpoint: ['CREATING', 'CHANGING', 'DELETING'],
  gatewayEndpoint: ['CREATING', 'CHANGING', 'DELETING'],
  endpointService: ['CREATING', 'CHANGING', 'DELETING'],
} as const;

/** Nothing is on its way any more. */
export const unsettled = (ending: Ending): readonly string[] => [
  ...(['connection', 'endpoint', 'gatewayEndpoint', 'endpointService'] as const).flatMap((category) =>
    [...ending[category]].flatMap(([id, { state }]) =>
      (TRANSITIONAL[category] as readonly string[]).includes(state.status ?? '')
        ? [`${category} ${id} is still ${state.status}`]
        : [],
    ),
  ),
  ...[...ending.connection].flatMap(([id, { state }]) =>
    state.status === 'SERVICE_DELETED' && state.teardown === 'PENDING'
      ? [`connection ${id} of a deleted service is not torn down`]
      : [],
  ),
  ...[...ending.endpointService].flatMap(([id, { state }]) => [
    ...(state.untold.length > 0 && state.status !== 'GONE'
      ? [`service ${id} has facts that the broker was not told`]
      : []),
    ...(state.detaching.length > 0 && state.status !== 'GONE' ? [`service ${id} is still detaching`] : []),
    ...(regionsIn(state, 'PENDING', 'DELETING').length > 0 && state.status !== 'GONE'
      ? [`service ${id} is still opening or removing a region`]
      : []),
  ]),
  ...[...ending.endpoint].flatMap(([id, { state }]) => {
    const { status, untold, unconfirmed, unreleased, retiring } = state;
    const open = untold !== null || unconfirmed !== null || unreleased.length + retiring.length > 0;
    const isOver = status === 'GONE' || !open;
    return isOver ? [] : [`endpoint ${id} has changes that are not told, confirmed or released`];
  }),
  ...[...ending.vpc].flatMap(([id, { state }]) =>
    Object.entries(state.reservations).flatMap(([endpointId, { closings }]) => {
      const status = ending.endpoint.get(endpointId)?.state.status;
      return closings.length === 0 || status === 'DELETING' ? [] : [`${id} takes no routes to ${endpointId} any more`];
    }),
  ),
  ...[...ending.allocation].flatMap(([id, { state }]) => {
    const isGone = ending.endpointService.get(id.split('+')[0] ?? '')?.state.status === 'GONE';
    return Object.keys(state.moving).length > 0 && !isGone ? [`endpoints of ${id} are still moving`] : [];
  }),
  ...[...ending.fanOut].flatMap(([id, { state }]) =>
    state.completed ? [] : [`the fan-out of ${id} is not completed`],
  ),
  ...[...ending.facts].flatMap(([id, { state }]) => {
    const isGone = ending.endpointService.get(id)?.state.status === 'GONE';
    const closings = { ...(isGone ? {} : state.regionClosings), ...(state.closing && { all: state.closing }) };
    return Object.entries(closings).flatMap(([what, { status }]) =>
      status === 'STARTED' || status === 'CLOSED' ? [`the closing of ${id} to ${what} is ${status}`] : [],
    );
  }),
];

/** A connection's status is what its holds and its progress say, and its holds are what is known of its scopes. */
export const connectionsWithoutReason = (ending: Ending): readonly string[] =>
  [...ending.connection].flatMap(([id, { state }]) => {
    if (state.status === null || state.status === 'GONE' || state.status === 'DELETING') return [];
    if (state.status === 'SERVICE_DELETED') {
      const service = ending.endpointService.get(state.serviceId)?.state;
      const closing = ending.facts.get(state.serviceId)?.state.regionClosings[state.endpointRegion];
      const isClosed = closing?.status === 'TORN_DOWN' && closing.revision > state.serviceVersion;
      return service?.status === 'GONE' || service?.status === 'DELETING' || isClosed
        ? []
        : [`${id} says that ${state.serviceId} is deleted`];
    }
    const holds = holdsOf(state).map(({ reason, source }) => `${reason} ${source}`);
    const wrong: string[] = [];
    if (isWanted(state) !== (state.status === 'CONNECTED')) wrong.push(`${state.status} with holds [${holds}]`);
    if (state.status === 'CONNECTED' && missing(state).length > 0) wrong.push(`CONNECTED without ${missing(state)}`);
    if (!isUpdated(state)) wrong.push('a zone is still being removed');
    for (const scope of scopesOf(state)) {
      const facts = ending.facts.get(scope)?.state;
      if (!facts) continue;
      const data = { facts: factsForConnection(state, scope, facts) };
      const news = decider.decide({ type: 'ApplyFacts', data }, state, '');
      if (news.length > 0) wrong.push(`not told of ${scope}: ${news.map(({ type }) => type)}`);
    }
    const service = ending.endpointService.get(state.serviceId)?.state;
    if (!service || service.status === 'GONE') wrong.push(`${state.status} on a service that is gone`);
    else {
      const isBarred = Object.values(state.holds).some(({ reason }) => reason === 'NOT_WHITELISTED');
      const { endpointAccountId } = state;
      if (isBarred && mayConnect(service, endpointAccountId)) wrong.push('held as NOT_WHITELISTED and is whitelisted');
      const waits = state.decision === 'AWAITING';
      if (waits && service.waitingAcceptedAt > state.serviceVersion)
        wrong.push('AWAITING though those that waited are accepted');
    }
    return wrong.map((text) => `connection ${id}: ${text}`);
  });

/** Money: the last report of each scope decides, whoever was told what in which order. */
export const wrongPayments = (ending: Ending): readonly string[] =>
  [...ending.connection].flatMap(([id, { state }]) => {
    if (!['CONNECTING', 'CONNECTED', 'CHANGING', 'DISCONNECTING', 'DISCONNECTED'].includes(state.status ?? ''))
      return [];
    const payer = state.payer === 'ENDPOINT' ? state.endpointAccountId : state.serviceAccountId;
    const overdue = [id, state.serviceId, payer].filter((scope) =>
      Object.values(ending.facts.get(scope)?.state.payments ?? {}).some((payment) => payment.overdue),
    );
    const held = Object.values(state.holds).flatMap(({ reason, source }) =>
      reason.endsWith('_PAYMENT_OVERDUE') ? [source.replace(/^billing:/, '')] : [],
    );
    return [...overdue].sort().join() === [...held].sort().join()
      ? []
      : [`connection ${id} is held for payments of [${held}], and overdue are [${overdue}]`];
  });

/** A service and an endpoint are locked for what is overdue of themselves, and of the account that pays for them. */
export const wrongLocks = (ending: Ending): readonly string[] => {
  const overdueOf = (scope: string): readonly string[] =>
    Object.entries(ending.facts.get(scope)?.state.payments ?? {}).flatMap(([source, { overdue }]) =>
      overdue ? [`${source}:${scope}`] : [],
    );
  const compare = (what: string, locks: readonly { kind: string; source: string }[], overdue: readonly string[]) => {
    const locked = locks.flatMap(({ kind, source }) => (kind === 'FINANCIAL_LOCKED' ? [source] : []));
    return [...overdue].sort().join() === locked.join() ? [] : [`${what} is locked for [${locked}], not [${overdue}]`];
  };
  return [
    ...[...ending.endpointService].flatMap(([id, { state }]) => {
      if (state.status === null || state.status === 'GONE') return [];
      const ofAccount = state.payer === 'ENDPOINT_SERVICE' ? overdueOf(state.accountId) : [];
      return compare(`service ${id}`, serviceLocks(state), [...overdueOf(id), ...ofAccount]);
    }),
    ...[...ending.endpoint].flatMap(([id, { state }]) => {
      if (state.status !== 'ACTIVE' && state.status !== 'CHANGING') return [];
      const isOver = ending.connection.get(id)?.state.status === 'SERVICE_DELETED';
      const ofAccount = state.admission.payer === 'ENDPOINT' ? overdueOf(state.accountId) : [];
      return compare(`endpoint ${id}`, endpointLocks(state), isOver ? [] : [...overdueOf(id), ...ofAccount]);
    }),
  ];
};

/** Each zone of a connection is on the resource that the allocation says, and that its service still has. */
export const wrongResources = (ending: Ending): readonly string[] =>
  [...ending.connection].flatMap(([id, { state }]) => {
    const service = ending.endpointService.get(state.serviceId)?.state;
    if (!service || service.status === 'GONE' || state.status === 'GONE') return [];
    return Object.values(state.zones).flatMap(({ zoneId, resource }) => {
      if (!resource) return [];
      const { resourceId, zoneId: serviceZone } = resource;
      const ledger = (place: string) => ending.allocation.get(allocationId(state.serviceId, place))?.state;
      const key = endpointZoneOf(id, zoneId);
      const assigned = valueAt(ledger(serviceZone)?.assigned ?? {}, key);
      const given = isCrossRegion(state) ? valueAt(ledger(state.serviceRegion)?.assigned ?? {}, key) : zoneId;
      const isOffered = service.resources.some((one) => one.resourceId === resourceId && one.zoneId === serviceZone);
      return [
        ...(assigned === resourceId
          ? []
          : [`connection ${id} is on ${resourceId} in ${zoneId}, allocated is ${assigned}`]),
        ...(given === serviceZone ? [] : [`connection ${id} is in ${serviceZone} for ${zoneId}, which has ${given}`]),
        ...(isOffered ? [] : [`connection ${id} is on ${resourceId} in ${zoneId}, which its service has not`]),
      ];
    });
  });
