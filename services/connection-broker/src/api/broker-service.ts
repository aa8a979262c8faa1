import type { BrokerServiceServer } from '@privatelink/proto/broker/v1/broker_service';
import { ConnectionStatus } from '@privatelink/proto/broker/v1/connection';
import type { ReadMoment } from '@privatelink/shared/grpc/as-of';
import type { ConsistencyTokens } from '@privatelink/shared/grpc/consistency-token';
import { type ListDeps, listPage } from '@privatelink/shared/grpc/list-page';
import { readListQuery } from '@privatelink/shared/grpc/list-query';
import type { PageTokens } from '@privatelink/shared/grpc/page-token';
import { unary } from '@privatelink/shared/grpc/unary';
import { checkEnums, checkId, checkPageSize, isId, violations } from '@privatelink/shared/grpc/validate';
import { fulfils } from '@privatelink/shared/postgres/condition';
import type { Connection } from '../connection/connection.ts';
import type { ConsumerPort } from '../dispatch/consumer.ts';
import type { ProviderPort } from '../dispatch/provider.ts';
import type { ConnectionsQuery } from '../read-models/connections.ts';
import { connectionFields, connections as connectionTable } from '../read-models/connections.ts';
import type { Repositories } from '../repositories.ts';
import type { Traffic } from '../traffic/traffic.ts';
import { billingHandlers } from './billing-handlers.ts';
import { isStuck, relationsTo, toConnection, type ViewOptions, viewOf } from './connection-view.ts';
import { decisionHandlers } from './decision-handlers.ts';
import { explainHandlers } from './explain-handlers.ts';
import { type ForwardingDeps, forwardingHandlers } from './forwarding-handlers.ts';
import { internalHandlers } from './internal-handlers.ts';
import { pastConnections, viewAsOf } from './past-connections.ts';
import { isShown, toTimelineEvent } from './timeline.ts';
import { eventColumns, eventFields } from './timeline-fields.ts';
import { trafficHandlers } from './traffic-handlers.ts';
import { notFound, visibleIn } from './visible.ts';
import { watchConnections } from './watch-connections.ts';

export type BrokerApiDeps = Repositories &
  Readonly<{
    connectionRows: ConnectionsQuery;
    lists: ListDeps;
    tokens: ConsistencyTokens;
    pages: PageTokens;
    follow: ForwardingDeps;
    traffic: Traffic;
    view: ViewOptions;
    readMoment: ReadMoment;
    consumer: Pick<ConsumerPort, 'getEndpoint'>;
    provider: Pick<ProviderPort, 'explainAdmission' | 'resourcesOf'>;
  }>;

export const brokerService = (deps: BrokerApiDeps): BrokerServiceServer => {
  const { connections, pages, view, readMoment } = deps;
  const past = pastConnections(connections, deps.lists);

  const visible = visibleIn(connections);

  return {
    getConnection: unary(async ({ connectionId, asOf }, rpc) => {
      if (!isId(connectionId, 'ep')) throw notFound(connectionId);
      const moment = await readMoment(asOf);
      const found = moment ? await past.get(connectionId, moment, rpc) : await visible(connectionId, rpc);
      const revision = found.revision ?? 0n;
      const seenBy = viewOf(relationsTo(found.state, rpc.caller.accountId));
      const shown = toConnection(found.state, revision, seenBy, moment ? viewAsOf(view, moment) : view);
      return { connection: shown, revision };
    }),

    listConnections: unary(async (request, rpc) => {
      const v = violations();
      if (request.serviceId !== '') checkId(v, 'service_id', request.serviceId, 'epsrv');
      const wanted = checkEnums(v, 'statuses', ConnectionStatus, request.statuses);
      v.check('stuck', !(request.stuck && request.asOf), 'cannot be asked of the past');
      v.check('order_by', !(request.orderBy && request.asOf), 'cannot be asked of the past');
      v.throwIfAny();
      const shown = (state: Connection, revision: bigint, options: ViewOptions) =>
        toConnection(state, revision, viewOf(relationsTo(state, rpc.caller.accountId)), options);
      const moment = await readMoment(request.asOf);
      if (moment) {
        const { condition } = readListQuery(connectionFields, request);
        const { rows, ...page } = await past.list(request, moment, rpc);
        const statuses: readonly Connection['status'][] = wanted;
        const those = rows.filter((row) => {
          const isWanted = condition === null || fulfils(connectionTable.columns, condition, row);
          return isWanted && (statuses.length === 0 || statuses.includes(row.state.status));
        });
        const then = viewAsOf(view, moment);
        return { ...page, connections: those.map(({ state, revision }) => shown(state, revision, then)) };
      }
      const statuses = request.stuck ? STUCK_STATUSES : wanted;
      const where = {
        ...(rpc.allows() ? {} : { account_ids: rpc.caller.accountId }),
        ...(request.serviceId ? { service_id: request.serviceId } : {}),
        ...(statuses.length > 0 ? { status: statuses } : {}),
      };
      const fields = connectionFields;
      const { rows, ...page } = await listPage(deps.lists, connectionTable, request, rpc, where, {
        fields,
        boundTo: { stuck: request.stuck },
      });
      const those = request.stuck ? rows.filter(({ state }) => isStuck(state, view)) : rows;
      return { ...page, connections: those.map(({ state, revision }) => shown(state, revision, view)) };
    }),

    watchConnections: watchConnections(deps.follow, connections, view),

    listConnectionEvents: unary(async (request, rpc) => {
      const v = violations();
      const size = checkPageSize(v, request.pageSize);
      v.throwIfAny();
      if (!isId(request.connectionId, 'ep')) throw notFound(request.connectionId);
      const { state } = await visible(request.connectionId, rpc, { alsoGone: true });
      const { accountId } = rpc.caller;
      const { connectionId, filter = '' } = request;
      const { condition } = readListQuery(eventFields, { filter });
      const query = { accountId, method: rpc.method, filters: { connectionId, filter } };
      const from = BigInt(pages.read(query, request.pageToken) ?? 0);
      const events = await connections.history(request.connectionId, from, size + 1);
      const next = events[size];
      const seenBy = viewOf(relationsTo(state, accountId));
      return {
        events: events
          .slice(0, size)
          .filter((event) => isShown(event, seenBy))
          .map((event) => toTimelineEvent(event, seenBy, state))
          .filter((event) => !condition || fulfils(eventColumns, condition, { key: event.eventId, state: event })),
        nextPageToken: next ? pages.issue(query, String(next.meta.revision)) : '',
      };
    }),

    ...explainHandlers(deps),
    ...decisionHandlers(deps),
    ...billingHandlers(deps),
    ...internalHandlers(deps),
    ...forwardingHandlers(deps.follow, connections),
    ...trafficHandlers(deps.traffic, connections),
  };
};

const STUCK_STATUSES = ['CONNECTING', 'DISCONNECTING', 'DELETING', 'SERVICE_DELETED'];
