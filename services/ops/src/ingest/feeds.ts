import type { Feed } from '@privatelink/shared/nats/feed';
import { factsOf, type Producer } from '@privatelink/shared/nats/subjects';
import { type Announced, readAnnounced } from './announced.ts';
import { takeIn } from './take-in.ts';

export const sources: readonly Producer[] = ['provider', 'consumer', 'broker', 'dns'];

/** Everything that a service announces. */
export const feedOf = (source: Producer): Feed<Announced> => ({
  name: `ops__${source}`,
  source,
  filterSubject: factsOf(source),
  read: readAnnounced,
  write: (tx, announced) => takeIn(tx, source, announced),
});
