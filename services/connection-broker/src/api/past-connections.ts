import type { Folded } from '@privatelink/shared/app/fold';
import { forEachLimit } from '@privatelink/shared/app/for-each-limit';
import { type Moment, notThen } from '@privatelink/shared/app/moment';
import type { RpcContext } from '@privatelink/shared/grpc/context';
import { type ListDeps, listPage } from '@privatelink/shared/grpc/list-page';
import type { Connection } from '../connection/connection.ts';
import { connectionHistory, existedAt } from '../read-models/connection-history.ts';
import type { Repositories } from '../repositories.ts';
import type { ViewOptions } from './connection-view.ts';
import { exists, requireVisible } from './visible.ts';

const CONCURRENCY = 16;

type PageRequest = Parameters<typeof listPage>[2] & Readonly<{ serviceId: string; statuses: readonly string[] }>;

/** Connections as they were. Who has been a side of one keeps its history, also when it is gone. */
export const pastConnections = (connections: Repositories['connections'], lists: ListDeps) => ({
  get: async (connectionId: string, moment: Moment, rpc: RpcContext): Promise<Folded<Connection>> => {
    const { state } = await connections.fold(connectionId);
    requireVisible(state, connectionId, rpc, { alsoGone: true });
    const then = await connections.foldAsOf(connectionId, moment);
    if (!exists(then.state)) throw notThen('connection', connectionId, then);
    return then;
  },

  list: async (request: PageRequest, moment: Moment, rpc: RpcContext) => {
    const where = {
      ...(rpc.allows() ? {} : { account_ids: rpc.caller.accountId }),
      ...(request.serviceId ? { service_id: request.serviceId } : {}),
    };
    const { rows, ...page } = await listPage(lists, connectionHistory, request, rpc, where, {
      also: existedAt(moment),
      // Which of a page are shown is seen when they are folded.
      boundTo: { statuses: request.statuses },
    });
    const folded = new Map<string, Folded<Connection>>();
    await forEachLimit(rows, CONCURRENCY, async ({ key }) => {
      folded.set(key, await connections.foldAsOf(key, moment));
    });
    const states = rows.flatMap(({ key }) => {
      const then = folded.get(key);
      return then ? { key, state: then.state, revision: then.revision ?? 0n } : [];
    });
    return { ...page, rows: states };
  },
});

/** A transitional status is late as of the moment itself; as of a position nothing is known of the time. */
export const viewAsOf = (view: ViewOptions, moment: Moment): ViewOptions =>
  'time' in moment
    ? { ...view, now: () => new Date(moment.time) }
    : { ...view, stuckAfterMs: Number.POSITIVE_INFINITY };
