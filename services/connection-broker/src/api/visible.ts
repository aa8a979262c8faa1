import { Rejected } from '@privatelink/shared/eventing/rejected';
import type { RpcContext } from '@privatelink/shared/grpc/context';
import type { ConnectionRejection } from '../connection/connection.decide.ts';
import type { Connection } from '../connection/connection.ts';
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

export const exists = ({ status }: Connection): boolean => status !== null && status !== 'GONE';

export const notFound = (connectionId: string) =>
  new Rejected<ConnectionRejection>('CONNECTION_NOT_FOUND', { connection_id: connectionId });
