import type { Recorded } from '@privatelink/shared/eventing/message';
import type { FactTranslation } from '@privatelink/shared/facts/public-fact';
import { relationsTo, toConnection, type View, type ViewOptions, viewOf } from '../api/connection-view.ts';
import { actorFor, isShown } from '../api/timeline.ts';
import type { Connection, ConnectionEvent } from '../connection/connection.ts';

/** What leaves this service on NATS. */
export const connectionFacts = (view: ViewOptions): FactTranslation<Connection> => ({
  service: 'broker',
  entity: 'connection',
  accountOf: (connection) => connection.endpointAccountId,
  resourceOf: (connection, revision) => ({
    $case: 'connection',
    value: toConnection(connection, revision, 'everything', view),
  }),
  audienceOf: (connection, type) =>
    [connection.serviceAccountId, connection.endpointAccountId].filter(
      (account) => relationsTo(connection, account).length > 0 && isShown({ type }, viewFor(connection, account)),
    ),
  resourceFor: (accountId, connection, revision) => ({
    $case: 'connection',
    // How long a status has lasted is no matter of a fact, which is the same whenever it is read.
    value: toConnection(connection, revision, viewFor(connection, accountId), { ...view, stuckAfterMs: Infinity }),
  }),
  actorFor: (accountId, connection, event) =>
    actorFor(event as Recorded<ConnectionEvent>, viewFor(connection, accountId), connection),
});

/** Whose eyes an account's are, which is one of the two sides or both; without one, an operator's. */
const viewFor = (connection: Connection, accountId: string | null): View =>
  viewOf(accountId === null ? [] : relationsTo(connection, accountId));
