import type { Folded } from '@privatelink/shared/app/fold';
import { Rejected } from '@privatelink/shared/eventing/rejected';
import type { RpcContext } from '@privatelink/shared/grpc/context';
import type { ConnectionRejection } from '../connection/connection.decide.ts';
import type { Connection } from '../connection/connection.ts';
import type { Repositories } from '../repositories.ts';
import { relationsTo } from './connection-view.ts';

/** @throws Rejected as for a connection that does not exist, unless the caller stands in a relation to it */
export const requireVisible = (
  state: Connection,
  connectionId: string,
  rpc: RpcContext,
  { alsoGone = false } = {},
): void => {
  const isThere = exists(state) || (alsoGone && state.status === 'GONE');
  if (!isThere || !rpc.allows(relationsTo(state, rpc.caller.accountId))) throw notFound(connectionId);
};

/** A connection as it is now, to whoever may see it. */
export const visibleIn =
  ({ fold }: Pick<Repositories['connections'], 'fold'>) =>
  async (connectionId: string, rpc: RpcContext, options = {}): Promise<Folded<Connection>> => {
    const folded = await fold(connectionId);
    requireVisible(folded.state, connectionId, rpc, options);
    return folded;
  };

export const exists = ({ status }: Connection): boolean => status !== null && status !== 'GONE';

export const notFound = (connectionId: string) =>
  new Rejected<ConnectionRejection>('CONNECTION_NOT_FOUND', { connection_id: connectionId });
