import type { Reader } from '../storage/reader.ts';
import { tombstoneRevision } from '../storage/records.ts';
import { streamDeletedError } from '../wire/errors.ts';
import type { Outbound } from '../wire/outbound.ts';
import { caughtUpResponse, eventResponse, type UuidFormat } from '../wire/read-responses.ts';
import type { Subscriber } from './commits.ts';

const batchSize = 256;

export type StreamSubscription = {
  readonly reader: Reader;
  readonly commits: Subscriber;
  readonly outbound: Outbound;
  readonly stream: string;
  /** The subscription delivers what comes after this revision. */
  readonly after: number;
  readonly format: UuidFormat;
};

/** Delivers a stream from a revision on until the client goes or the stream is tombstoned. */
export async function subscribeToStream(subscription: StreamSubscription): Promise<void> {
  const { reader, commits, outbound, stream, format } = subscription;
  let revision = subscription.after;
  let live = false;

  const deliver = async (to: number, from: number, since: number): Promise<boolean> => {
    const events = reader.stream(stream, from, to, since, batchSize);
    for (const event of events) {
      const full = outbound.send(eventResponse(event, format));
      if (full !== undefined) await full;
      revision = event.revision;
    }
    return events.length > 0;
  };

  while (!outbound.closed) {
    const range = reader.streamRange(stream);
    if (range === 'deleted') {
      // Whoever saw the stream alive sees its tombstone before the error.
      if (live) await deliver(tombstoneRevision, revision + 1, 0);
      outbound.fail(streamDeletedError(stream));
      return;
    }
    if (range !== 'notFound' && range.last > revision) {
      if (await deliver(range.last, Math.max(range.first, revision + 1), range.since)) continue;
      revision = range.last;
    }
    if (!live) {
      live = true;
      await outbound.send(caughtUpResponse(revision >= 0 ? { revision } : {}));
    }
    await commits.next();
  }
}
