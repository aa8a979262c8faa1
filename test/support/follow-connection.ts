import {
  type Connection,
  ConnectionStatus,
  HoldReason,
  type ConnectionStatus as Status,
} from '@privatelink/proto/broker/v1/connection';
import { RemoteError } from '@privatelink/shared/grpc/remote-error';
import type { Api } from './world.ts';

type StatusName = keyof typeof ConnectionStatus | 'GONE';

/** One connection as WatchConnections tells of it to one side. */
export type FollowedConnection = Readonly<{
  /** Resolves with the first state of this status that was told after the last one asked for. */
  reaches: (status: StatusName) => Promise<Connection | undefined>;
  close: () => Promise<void>;
}>;

const PATIENCE_MS = 40_000;

/** Watches anew after each loss of the stream; what is not newer than what was told is passed over. */
export const followConnection = ({ broker }: Pick<Api, 'broker'>, connectionId: string): FollowedConnection => {
  const told: { status: StatusName; connection: Connection | undefined }[] = [];
  const stop = new AbortController();
  let revision = -1n;
  let asked = 0;
  let wake = Promise.withResolvers<void>();

  const watchOnce = async (): Promise<void> => {
    const watching = broker.watchConnections({ connectionId, serviceId: '' }, { signal: stop.signal });
    for await (const { connection, deleted } of watching) {
      if (!connection || connection.revision <= revision) continue;
      revision = connection.revision;
      told.push({ status: deleted ? 'GONE' : statusName(connection.status), connection });
      wake.resolve();
      wake = Promise.withResolvers();
    }
  };
  const following = (async () => {
    while (!stop.signal.aborted) {
      await watchOnce().catch((error: unknown) => {
        if (!(error instanceof RemoteError)) throw error;
      });
    }
  })();

  return {
    reaches: async (status) => {
      const timeout = AbortSignal.timeout(PATIENCE_MS);
      for (;;) {
        const index = told.findIndex((state, at) => at >= asked && state.status === status);
        if (index >= 0) {
          asked = index + 1;
          return told[index]?.connection;
        }
        await Promise.race([
          wake.promise,
          new Promise<never>((_, reject) => {
            timeout.addEventListener('abort', () => {
              const was = told.map((state) => state.status).join(' -> ');
              reject(new Error(`${connectionId} does not become ${status}; told were ${was || 'nothing'}`));
            });
          }),
        ]);
      }
    },
    close: async () => {
      stop.abort();
      await following;
    },
  };
};

export const statusName = (status: Status): StatusName =>
  (Object.entries(ConnectionStatus).find(([, value]) => value === status)?.[0] as StatusName | undefined) ??
  'UNSPECIFIED';

/** Reasons of the holds, as the model names them. */
export const holdsOf = (connection: Pick<Connection, 'holds'> | undefined): readonly string[] =>
  (connection?.holds ?? []).map(
    ({ reason }) => Object.entries(HoldReason).find(([, value]) => value === reason)?.[0] ?? '',
  );
