import type { ServerDuplexStream } from '@grpc/grpc-js';
import type { BatchAppendReq } from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/streams_pb.js';
import { type NewEvent, sizeOf } from '../storage/records.ts';
import type { WriteResult, Writer } from '../storage/writer.ts';
import { type AppendError, batchError, batchSuccess } from '../wire/append-responses.ts';
import { shuttingDown } from '../wire/errors.ts';
import { decodeBatchExpected, decodeDeadline, decodeEvent, decodeStream, decodeUuid } from '../wire/requests.ts';
import { appendError } from './append-error.ts';
import { maxAppendBytes, writeTimeout } from './limits.ts';

type Pending = {
  readonly stream: string;
  readonly expected: number;
  readonly deadline: number;
  readonly events: NewEvent[];
  bytes: number;
  timer?: NodeJS.Timeout;
};

type BatchCall = ServerDuplexStream<BatchAppendReq, Buffer>;

function begin(request: BatchAppendReq): Pending | undefined {
  const options = request.getOptions();
  if (options === undefined) return undefined;
  return {
    stream: decodeStream(options.getStreamIdentifier()),
    expected: decodeBatchExpected(options),
    deadline: Math.min(decodeDeadline(options), Date.now() + writeTimeout),
    events: [],
    bytes: 0,
  };
}

/**
 * The BatchAppend method: many appends over one call, each named by its correlation id and possibly in fragments.
 * Errors are answered in band, so one append does not disturb the others.
 */
export function createBatchAppend(writer: Writer, opened: (fail: () => void) => () => void) {
  return (call: BatchCall): void => {
    const pending = new Map<string, Pending>();
    let outstanding = 0;
    let ended = false;
    let failed = false;

    const reply = (response: Buffer): void => {
      if (call.cancelled || failed) return;
      // A client that does not read its replies gets no further appends read.
      if (!call.write(response)) call.pause();
    };
    const abandon = (id: string, stream: string, error: AppendError): void => {
      clearTimeout(pending.get(id)?.timer);
      pending.delete(id);
      reply(batchError(id, stream, error));
    };
    const endIfDone = (): void => {
      if (ended && outstanding === 0 && !failed) call.end();
    };

    const submit = (id: string, { stream, expected, events, deadline }: Pending): void => {
      outstanding++;
      const done = (result: WriteResult): void => {
        outstanding--;
        const error = appendError(stream, expected, result);
        if (error !== undefined) reply(batchError(id, stream, error));
        else if (result.outcome === 'written') reply(batchSuccess(id, stream, result.revision, result.position));
        endIfDone();
      };
      writer.submit({ kind: 'append', stream, expected, events, deadline, done });
    };

    const accept = (id: string, request: BatchAppendReq): void => {
      const append = pending.get(id) ?? begin(request);
      // A later fragment of an append that was refused already.
      if (append === undefined) return;
      for (const message of request.getProposedMessagesList()) {
        const event = decodeEvent(message);
        append.events.push(event);
        append.bytes += sizeOf(append.stream, event);
      }
      if (append.bytes > maxAppendBytes) {
        abandon(id, append.stream, { kind: 'appendTooLarge', limit: maxAppendBytes });
      } else if (request.getIsFinal()) {
        clearTimeout(append.timer);
        pending.delete(id);
        submit(id, append);
      } else {
        const expire = (): void => abandon(id, append.stream, { kind: 'timeout' });
        append.timer ??= setTimeout(expire, append.deadline - Date.now()).unref();
        pending.set(id, append);
      }
    };

    const forget = (): void => {
      for (const { timer } of pending.values()) clearTimeout(timer);
      pending.clear();
    };
    const closed = opened(() => {
      failed = true;
      call.emit('error', shuttingDown());
    });
    call.on('data', (request: BatchAppendReq) => {
      let id = '';
      try {
        id = decodeUuid(request.getCorrelationId());
        accept(id, request);
      } catch (error) {
        const stream = Buffer.from(request.getOptions()?.getStreamIdentifier()?.getStreamName_asU8() ?? []).toString();
        abandon(id, stream, { kind: 'badRequest', message: error instanceof Error ? error.message : String(error) });
      }
    });
    call.on('drain', () => call.resume());
    call.on('end', () => {
      ended = true;
      forget();
      closed();
      endIfDone();
    });
    call.on('cancelled', () => {
      forget();
      closed();
    });
  };
}
