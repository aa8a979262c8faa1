import { setTimeout as delay } from 'node:timers/promises';
import type { EventsServiceService, WatchEventsRequest } from '../../gen/privatelink/events/v1/events_service.ts';
import type { Fact } from '../../gen/privatelink/events/v1/fact.ts';
import { isAway, RETRY_MS } from './away.ts';
import type { Service } from './service.ts';

export type FollowOptions = Readonly<Partial<WatchEventsRequest> & { signal?: AbortSignal }>;

/** A fact, and the token to go on after it, which the next process may begin with. */
export type FollowedEvent = Readonly<{ event: Fact; resumeToken: string }>;

/**
 * The facts of one service, in order, without a gap and none twice, also over its restarts. Ends when the signal
 * aborts.
 *
 * @throws RemoteError; of code UNAVAILABLE only when nobody answered at all
 */
export async function* followEvents(
  { watchEvents }: Pick<Service<EventsServiceService>, 'watchEvents'>,
  { signal, ...first }: FollowOptions = {},
): AsyncGenerator<FollowedEvent, void> {
  const options = signal ? { signal } : {};
  let request: Partial<WatchEventsRequest> = first;
  while (!signal?.aborted) {
    try {
      for await (const { told, resumeToken } of watchEvents(request, options)) {
        request = { filter: first.filter, resumeToken };
        if (told?.$case === 'event') yield { event: told.value, resumeToken };
      }
    } catch (error) {
      // One that never answered may be the wrong address.
      if (!isAway(error) || request === first) throw error;
    }
    await delay(RETRY_MS, undefined, options).catch(() => undefined);
  }
}
