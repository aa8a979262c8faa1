import { setTimeout as delay } from 'node:timers/promises';
import type { BrokerServiceService } from '../../gen/privatelink/broker/v1/broker_service.ts';
import { type Connection, ConnectionStatus } from '../../gen/privatelink/broker/v1/connection.ts';
import { isAway, RETRY_MS } from './away.ts';
import type { Service } from './service.ts';

export type ConnectionStatusName = Exclude<keyof typeof ConnectionStatus, 'UNSPECIFIED' | 'UNRECOGNIZED'>;

export type WaitOptions = Readonly<{
  /** A minute when absent. */
  timeoutMs?: number;
  signal?: AbortSignal;
}>;

/** A connection did not get the status that was waited for: the time is over, or it is gone. */
export class NotReached extends Error {
  override readonly name = 'NotReached';
  /** As it was last; undefined when none was seen. */
  readonly connection: Connection | undefined;

  constructor(message: string, connection: Connection | undefined) {
    super(message);
    this.connection = connection;
  }
}

/**
 * Watches a connection until it has a status, also over restarts of the broker.
 *
 * @throws NotReached when it is gone or the time is over, RemoteError, or the signal's reason
 */
export const waitFor = async (
  { watchConnections }: Pick<Service<BrokerServiceService>, 'watchConnections'>,
  connectionId: string,
  status: ConnectionStatusName,
  { timeoutMs = 60_000, signal }: WaitOptions = {},
): Promise<Connection> => {
  const limit = AbortSignal.timeout(timeoutMs);
  const ended = signal ? AbortSignal.any([signal, limit]) : limit;
  let last: Connection | undefined;
  while (!ended.aborted) {
    try {
      for await (const { connection, deleted } of watchConnections({ connectionId }, { signal: ended })) {
        if (!connection) continue;
        last = connection;
        if (deleted) throw new NotReached(`${connectionId} is gone, and so never ${status}`, last);
        if (connection.status === ConnectionStatus[status]) return connection;
      }
    } catch (error) {
      if (!isAway(error)) throw error;
    }
    await delay(RETRY_MS, undefined, { signal: ended }).catch(() => undefined);
  }
  signal?.throwIfAborted();
  const found = Object.entries(ConnectionStatus).find(([, value]) => value === last?.status)?.[0] ?? 'not there';
  throw new NotReached(`${connectionId} is ${found} after ${timeoutMs} ms, and not ${status}`, last);
};
