import type { FactTranslation } from '@privatelink/shared/nats/fact-translation';
import { toConnection, type ViewOptions } from '../api/connection-view.ts';
import type { Connection } from '../connection/connection.ts';

/** What leaves this service on NATS. */
export const connectionFacts = (view: ViewOptions): FactTranslation<Connection> => ({
  service: 'broker',
  entity: 'connection',
  accountOf: (connection) => connection.endpointAccountId,
  resourceOf: (connection, revision) => ({
    $case: 'connection',
    value: toConnection(connection, revision, 'everything', view),
  }),
});
