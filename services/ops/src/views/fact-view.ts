import type { FactRow } from '../read-models/facts.ts';
import type { Scope } from './caller-view.ts';

/** Of a connection, the endpoint's account and then the service's, unless it is the same. */
const isOfConsumerAlone = ({ resource_type, account_ids: [endpoint, service] }: FactRow, accountId: string): boolean =>
  resource_type === 'connection' && endpoint === accountId && service !== undefined;

/** Whether who sees the resource is told of this fact: how a zone is served is the provider's affair. */
export const isTold = (fact: FactRow, { accountId }: Scope): boolean =>
  accountId === null || !fact.type.startsWith('ZoneMigration') || !isOfConsumerAlone(fact, accountId);

/** Nobody's user names reach another account. */
export const actorFor = ({ actor, actor_account_id }: FactRow, { accountId }: Scope): string =>
  accountId === null || actor.startsWith('service:') || actor_account_id === accountId ? actor : '';
