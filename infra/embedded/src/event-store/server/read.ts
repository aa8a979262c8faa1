import { randomUUID } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import type { ReadReq } from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/streams_pb.js';
import type { AllBatch, Reader, StreamRange } from '../storage/reader.ts';
import type { Commits } from '../subscriptions/commits.ts';
import { decodeFilter, type FilterOptions } from '../subscriptions/event-filter.ts';
import { subscribeToAll } from '../subscriptions/subscribe-all.ts';
import { subscribeToStream } from '../subscriptions/subscribe-stream.ts';
import { invalidArgument, rpcError, streamDeletedError } from '../wire/errors.ts';
import { createOutbound, type Outbound, type ReadCall } from '../wire/outbound.ts';
import {
  confirmationResponse,
  eventResponse,
  streamNotFoundResponse,
  type UuidFormat,
} from '../wire/read-responses.ts';
import { decodeAllStart, decodeCount, decodeStream, decodeStreamStart, decodeUuidFormat } from '../wire/requests.ts';

const batchSize = 256;
const forwards = 0;

type Read = {
  readonly reader: Reader;
  readonly outbound: Outbound;
  readonly options: ReadReq.Options;
  readonly format: UuidFormat;
};

async function sendStream({ reader, outbound, options, format }: Read, stream: string, range: StreamRange) {
  const up = options.getReadDirection() === forwards;
  const start = decodeStreamStart(options.getStream() ?? never());
  let remaining = decodeCount(options);
  const to = up ? range.last : range.first;
  let from = start === 'start' ? range.first : start === 'end' ? range.last : start;
  from = up ? Math.max(from, range.first) : Math.min(from, range.last);
  while (remaining > 0 && !outbound.closed && (up ? from <= to : from >= to)) {
    const limit = Math.min(batchSize, remaining);
    const events = up
      ? reader.stream(stream, from, to, range.since, limit)
      : reader.streamBackwards(stream, from, to, range.since, limit);
    const last = events.at(-1);
    if (last === undefined) break;
    for (const event of events) {
      const full = outbound.send(eventResponse(event, format));
      if (full !== undefined) await full;
    }
    remaining -= events.length;
    from = last.revision + (up ? 1 : -1);
  }
  outbound.end();
}

async function readStream(read: Read, stream: string): Promise<void> {
  const range = read.reader.streamRange(stream);
  if (range === 'deleted') {
    read.outbound.fail(streamDeletedError(stream));
  } else if (range === 'notFound') {
    read.outbound.send(streamNotFoundResponse(stream));
    read.outbound.end();
  } else {
    await sendStream(read, stream, range);
  }
}

/** Forwards a read starts at its position, backwards before it: positions of `$all` lie between events. */
async function readAll(read: Read, filter: FilterOptions | undefined): Promise<void> {
  const { reader, outbound, options, format } = read;
  const up = options.getReadDirection() === forwards;
  const start = decodeAllStart(options.getAll() ?? never());
  const next = (position: number, limit: number): AllBatch =>
    up ? reader.allAfter(position, limit, filter?.matches) : reader.allBefore(position, limit, filter?.matches);
  let remaining = decodeCount(options);
  let position = start === 'start' ? 0 : start === 'end' ? Number.MAX_SAFE_INTEGER : up ? start - 1 : start;
  while (remaining > 0 && !outbound.closed) {
    const limit = filter === undefined ? Math.min(batchSize, remaining) : batchSize;
    const batch = next(position, limit);
    if (batch.examined === 0) break;
    for (const event of batch.events.slice(0, remaining)) {
      const full = outbound.send(eventResponse(event, format));
      if (full !== undefined) await full;
    }
    remaining -= batch.events.length;
    position = batch.position;
    if (batch.events.length === 0) await nextTurn();
  }
  outbound.end();
}

function never(): never {
  throw new Error('neither a stream nor $all is asked for');
}

async function subscribe(read: Read, commits: Commits, filter: FilterOptions | undefined): Promise<void> {
  const { reader, outbound, options, format } = read;
  const streamOptions = options.getStream();
  const stream = streamOptions === undefined ? undefined : decodeStream(streamOptions.getStreamIdentifier());
  const subscriber = commits.subscribe(stream);
  outbound.onClose(subscriber.close);
  outbound.send(confirmationResponse(randomUUID()));
  if (stream !== undefined && streamOptions !== undefined) {
    const start = decodeStreamStart(streamOptions);
    const after = start === 'start' ? -1 : start === 'end' ? reader.lastRevision(stream) : start;
    await subscribeToStream({ reader, commits: subscriber, outbound, stream, after, format });
  } else {
    const start = decodeAllStart(options.getAll() ?? never());
    const after = start === 'start' ? 0 : start === 'end' ? reader.head() : start;
    await subscribeToAll({ reader, commits: subscriber, outbound, after, filter, format });
  }
}

async function serve(read: Read, commits: Commits): Promise<void> {
  const { options } = read;
  const filter = decodeFilter(options);
  if (options.hasSubscription()) {
    if (options.getReadDirection() !== forwards) throw new Error('a subscription reads forwards');
    await subscribe(read, commits, filter);
  } else if (options.hasStream()) {
    await readStream(read, decodeStream(options.getStream()?.getStreamIdentifier()));
  } else {
    await readAll(read, filter);
  }
}

/** What the request got wrong, unless it was the database that failed. */
function readError(error: unknown): Error {
  const message = error instanceof Error ? error.message : String(error);
  const byDatabase = error instanceof Error && 'errcode' in error;
  return byDatabase ? rpcError(status.INTERNAL, message) : invalidArgument(message);
}

/** The Read method: reads and catch-up subscriptions of a stream and of `$all`. */
export function createRead(reader: Reader, commits: Commits, opened: (outbound: Outbound) => void) {
  return (call: ReadCall<ReadReq>): void => {
    const outbound = createOutbound(call);
    opened(outbound);
    const options = call.request.getOptions();
    if (options === undefined) {
      outbound.fail(invalidArgument('the options are missing'));
      return;
    }
    const read = { reader, outbound, options, format: decodeUuidFormat(options) };
    serve(read, commits).catch((error: unknown) => outbound.fail(readError(error)));
  };
}
