import type { BrokerServiceServer, WatchConnectionsResponse } from '@privatelink/proto/broker/v1/broker_service';
import type { RpcContext } from '@privatelink/shared/grpc/context';
import { serverStream } from '@privatelink/shared/grpc/unary';
import { checkId, violations } from '@privatelink/shared/grpc/validate';
import type { Connection } from '../connection/connection.ts';
import type { Repositories } from '../repositories.ts';
import { relationsTo, toConnection, type ViewOptions, viewOf } from './connection-view.ts';
import { type FollowDeps, followConnections } from './follow-connections.ts';

/** The caller's connections as they are, and from then on each change, in order for each connection. */
export const watchConnections = (
  deps: FollowDeps,
  repository: Repositories['connections'],
  view: ViewOptions,
): BrokerServiceServer['watchConnections'] =>
  serverStream(async function* (request, rpc: RpcContext): AsyncIterable<WatchConnectionsResponse> {
    const { connectionId, serviceId } = request;
    const v = violations();
    if (connectionId !== '') checkId(v, 'connection_id', connectionId, 'ep');
    if (serviceId !== '') checkId(v, 'service_id', serviceId, 'epsrv');
    v.throwIfAny();
    const { accountId } = rpc.caller;
    const concerns = (state: Connection): boolean =>
      (serviceId === '' || state.serviceId === serviceId) && rpc.allows(relationsTo(state, accountId));
    const where = {
      ...(rpc.allows() ? {} : { account_ids: accountId }),
      ...(serviceId === '' ? {} : { service_id: serviceId }),
    };
    const shown = new Set<string>();
    const options = { where, id: connectionId || undefined, signal: rpc.signal };
    for await (const told of followConnections(deps, repository, options)) {
      if (told.kind === 'synced') {
        yield { connection: undefined, synced: true, deleted: false };
        continue;
      }
      const { id, state, revision } = told;
      const deleted = state.status === 'GONE';
      if (deleted ? !shown.has(id) : !concerns(state)) continue;
      if (deleted) shown.delete(id);
      else shown.add(id);
      const connection = toConnection(state, revision, viewOf(relationsTo(state, accountId)), view);
      yield { connection, synced: false, deleted };
    }
  });
