import {
  type AllStreamSubscription,
  type KurrentDBClient,
  type RecordedEvent,
  START,
  streamNameFilter,
} from '@kurrent/kurrentdb-client';
import type { StoredEvent } from '../eventing/message.ts';
import type { SubscribeOptions, SubscriptionMessage } from '../eventing/ports.ts';
import { isTransient, storeUnavailable } from './patience.ts';

/**
 * A catch-up subscription to `$all` with a server-side filter.
 *
 * The client calls back for checkpoints while earlier events may still wait in the stream's buffer. The callback
 * therefore puts a marker into the same buffer, so that a checkpoint never overtakes an event.
 */
export async function* subscribe(
  client: KurrentDBClient,
  { prefixes, after, signal }: SubscribeOptions,
  toStoredEvent: (event: RecordedEvent) => StoredEvent,
): AsyncIterable<SubscriptionMessage> {
  if (signal.aborted) return;
  const mark = (message: SubscriptionMessage) =>
    (subscription as unknown as { push: (m: unknown) => void }).push(message);
  const subscription: AllStreamSubscription = client.subscribeToAll({
    fromPosition: after === null ? START : { commit: after, prepare: after },
    filter: streamNameFilter({
      prefixes: [...prefixes],
      checkpointInterval: 8,
      checkpointReached: async (_subscription, position) => mark({ kind: 'checkpoint', position: position.commit }),
    }),
  });
  subscription.on('caughtUp', () => mark({ kind: 'caughtUp' }));
  const stop = () => {
    void subscription.unsubscribe().catch(() => undefined);
    subscription.destroy();
  };
  signal.addEventListener('abort', stop, { once: true });
  try {
    for await (const item of subscription as unknown as AsyncIterable<
      SubscriptionMessage | { event?: RecordedEvent }
    >) {
      if ('kind' in item) yield item;
      else if (item.event) yield { kind: 'event', event: toStoredEvent(item.event) };
    }
  } catch (error) {
    if (!signal.aborted) throw isTransient(error) ? storeUnavailable(error) : error;
  } finally {
    signal.removeEventListener('abort', stop);
    stop();
  }
}
