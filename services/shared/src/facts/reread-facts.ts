import type { EventsServiceService } from '@privatelink/proto/events/v1/events_service';
import { Fact } from '@privatelink/proto/events/v1/fact';
import type { RemoteService } from '../grpc/client.ts';
import type { IncomingMessage } from '../nats/incoming-message.ts';
import { factSubject, heartbeatSubject, type Producer } from '../nats/subjects.ts';
import type { Db } from '../postgres/connect.ts';
import { foreignPosition } from '../postgres/foreign-table.ts';
import { kebab } from './public-fact.ts';

export type RereadFactsDeps = Readonly<{
  db: Db;
  owner: Pick<RemoteService<typeof EventsServiceService>, 'watchEvents'>;
  signal: AbortSignal;
}>;

/**
 * What a source has recorded since what is known of it, until there is no more, as it announces it: for whom JetStream
 * does not go back far enough.
 */
export async function* rereadFacts(
  { db, owner, signal }: RereadFactsDeps,
  { source, filter = '' }: Readonly<{ source: Producer; filter?: string }>,
): AsyncIterable<IncomingMessage> {
  const afterPosition = (await foreignPosition(db, source)) ?? 0n;
  const ending = new AbortController();
  const request = { resumeToken: '', afterPosition, onlyNew: false, filter };
  const watched = owner.watchEvents(request, { signal: AbortSignal.any([signal, ending.signal]) });
  try {
    for await (const { told } of watched) {
      if (told?.$case === 'event') yield announced(source, told.value);
      if (told?.$case !== 'synced') continue;
      yield heartbeat(source, told.value.position);
      return;
    }
  } finally {
    ending.abort();
  }
}

const announced = (service: Producer, fact: Fact): IncomingMessage => {
  const subject = factSubject({
    service,
    resourceType: kebab(fact.resource?.$case ?? '-'),
    type: fact.type,
    accountId: '',
  });
  return { subject, headers: {}, body: Fact.encode(fact).finish(), deliveryCount: 1 };
};

const heartbeat = (source: Producer, position: bigint): IncomingMessage => ({
  ...{ subject: heartbeatSubject(source), headers: { 'source-position': String(position) } },
  ...{ body: new Uint8Array(), deliveryCount: 1 },
});
