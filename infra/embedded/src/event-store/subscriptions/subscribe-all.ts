import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Reader } from '../storage/reader.ts';
import type { Outbound } from '../wire/outbound.ts';
import { caughtUpResponse, checkpointResponse, eventResponse, type UuidFormat } from '../wire/read-responses.ts';
import type { Subscriber } from './commits.ts';
import type { FilterOptions } from './event-filter.ts';

const batchSize = 256;

export type AllSubscription = {
  readonly reader: Reader;
  readonly commits: Subscriber;
  readonly outbound: Outbound;
  /** The subscription delivers what comes after this position. */
  readonly after: number;
  readonly filter: FilterOptions | undefined;
  readonly format: UuidFormat;
};

/**
 * Delivers `$all` from a position on until the client goes. Catching up and live are one loop over the same source, so
 * there is no seam where an event could be lost or repeated.
 */
export async function subscribeToAll(subscription: AllSubscription): Promise<void> {
  const { reader, commits, outbound, filter, format } = subscription;
  const interval = filter?.checkpointInterval ?? Number.POSITIVE_INFINITY;
  let position = subscription.after;
  let checkpoint = position;
  let sinceCheckpoint = 0;
  let live = false;

  /** A checkpoint is the last position examined: never repeated, never below an event delivered. */
  const sendCheckpoint = async (): Promise<void> => {
    sinceCheckpoint = 0;
    if (position <= checkpoint) return;
    checkpoint = position;
    await outbound.send(checkpointResponse(position));
  };

  while (!outbound.closed) {
    if (live && !reader.inTail(position)) live = false;
    const limit = Math.min(batchSize, interval - sinceCheckpoint);
    const batch = reader.allAfter(position, limit, filter?.matches);
    if (batch.examined === 0) {
      if (!live) {
        live = true;
        if (filter !== undefined) await sendCheckpoint();
        await outbound.send(caughtUpResponse(position > 0 ? { position } : {}));
      }
      await commits.next();
      continue;
    }
    for (const event of batch.events) {
      const full = outbound.send(eventResponse(event, format));
      if (full !== undefined) await full;
      if (outbound.closed) return;
    }
    position = batch.position;
    sinceCheckpoint += batch.examined;
    if (sinceCheckpoint >= interval) await sendCheckpoint();
    // A long search without a match must leave the loop to others.
    if (batch.events.length === 0 && !live) await nextTurn();
  }
}
