import type { Reactor } from '@privatelink/shared/app/run-reactor';
import { idOfStream } from '@privatelink/shared/eventing/decider';
import type { Traffic } from '../traffic/traffic.ts';

const LATE_MS = 60_000;

/**
 * What has gone through a connection is forgotten when it is gone. A report of an agent that has not heard of that may
 * come a little later: it is looked again until there is nothing.
 */
export const forgetting = ({ forget }: Pick<Traffic, 'forget'>): Reactor => ({
  name: 'forgetting',
  prefixes: ['connection-'],
  key: ({ type, stream }) => (type.startsWith('ConnectionDeleted.') ? idOfStream(stream) : null),
  work: async (connectionId, revision) => {
    const isFirst = revision !== null;
    return (await forget(connectionId)) || isFirst ? { againMs: LATE_MS } : 'settled';
  },
});
