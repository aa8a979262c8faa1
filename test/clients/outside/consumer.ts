// Compiled, not run: what somebody's own code says of the packed client's types.
import { connect, type FollowedEvent, type PrivateLink, RemoteError } from '@privatelink/client';
import { type Connection, ConnectionStatus } from '@privatelink/client/proto/broker/v1/connection';

const privatelink: PrivateLink = connect({
  addresses: { provider: 'p:1', consumer: 'c:1', broker: ['10.0.0.1:1', '10.0.0.2:1'], dns: 'd:1' },
  token: { file: 'token' },
});

export const accepted = async (connectionId: string): Promise<Connection | undefined> => {
  const { connection } = await privatelink.broker.acceptConnection({ connectionId });
  if (connection?.status === ConnectionStatus.CONNECTED) return connection;
  try {
    return await privatelink.waitFor(connectionId, 'CONNECTED', { timeoutMs: 1_000 });
  } catch (error) {
    if (error instanceof RemoteError && error.is('CONNECTION_NOT_FOUND')) return undefined;
    throw error;
  }
};

export async function* facts(): AsyncGenerator<FollowedEvent, void> {
  yield* privatelink.events('broker', { onlyNew: true });
}

// @ts-expect-error No connection has this status.
export const never = privatelink.waitFor('ep-1', 'CONNECTD');
// @ts-expect-error No request has this field.
export const unsaid = privatelink.broker.acceptConnection({ connectionID: 'ep-1' });
