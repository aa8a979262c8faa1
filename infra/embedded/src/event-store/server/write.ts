import type { ServerReadableStream, ServerUnaryCall, sendUnaryData } from '@grpc/grpc-js';
import type { AppendReq, DeleteReq } from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/streams_pb.js';
import { type NewEvent, sizeOf } from '../storage/records.ts';
import type { Write, Writer } from '../storage/writer.ts';
import { appendSuccess, appendWrongVersion, deletedAt } from '../wire/append-responses.ts';
import { invalidArgument, writeError } from '../wire/errors.ts';
import { decodeEvent, decodeExpected, decodeStream } from '../wire/requests.ts';
import { appendError } from './append-error.ts';
import { maxAppendBytes, writeTimeout } from './limits.ts';

type Reply = sendUnaryData<Buffer>;

function deadlineOf(call: { getDeadline(): Date | number }): number {
  return Math.min(Number(call.getDeadline()), Date.now() + writeTimeout);
}

function invalid(error: unknown): ReturnType<typeof invalidArgument> {
  return invalidArgument(error instanceof Error ? error.message : String(error));
}

/** The Append method: one append per call, options first, then an event per message. */
export function createAppend(writer: Writer) {
  return (call: ServerReadableStream<AppendReq, Buffer>, reply: Reply): void => {
    let target: Pick<Write, 'stream' | 'expected'> | undefined;
    const events: NewEvent[] = [];
    let bytes = 0;
    let refused = false;
    const refuse = (error: ReturnType<typeof invalidArgument>): void => {
      if (!refused) reply(error);
      refused = true;
    };
    const accept = (request: AppendReq): void => {
      const options = request.getOptions();
      const message = request.getProposedMessage();
      if (options !== undefined) {
        target = { stream: decodeStream(options.getStreamIdentifier()), expected: decodeExpected(options) };
      } else if (message !== undefined && target !== undefined) {
        const event = decodeEvent(message);
        events.push(event);
        bytes += sizeOf(target.stream, event);
        if (bytes > maxAppendBytes) {
          refuse(writeError(target.stream, { kind: 'appendTooLarge', limit: maxAppendBytes }));
        }
      }
    };
    call.on('data', (request: AppendReq) => {
      if (refused) return;
      try {
        accept(request);
      } catch (error) {
        refuse(invalid(error));
      }
    });
    call.on('end', () => {
      if (refused) return;
      if (target === undefined) {
        refuse(invalidArgument('the options are missing'));
        return;
      }
      const { stream, expected } = target;
      const done: Write['done'] = (result) => {
        const error = appendError(stream, expected, result);
        if (result.outcome === 'written') reply(null, appendSuccess(result.revision, result.position));
        else if (result.outcome === 'wrongVersion') reply(null, appendWrongVersion(expected, result.current));
        else if (error !== undefined) reply(writeError(stream, error));
      };
      writer.submit({ kind: 'append', stream, expected, events, deadline: deadlineOf(call), done });
    });
  };
}

/** The Delete and Tombstone methods; their requests have the same shape. */
export function createDelete(writer: Writer, kind: 'softDelete' | 'tombstone') {
  return (call: ServerUnaryCall<DeleteReq, Buffer>, reply: Reply): void => {
    try {
      const options = call.request.getOptions();
      if (options === undefined) throw new Error('the options are missing');
      const stream = decodeStream(options.getStreamIdentifier());
      const expected = decodeExpected(options);
      const done: Write['done'] = (result) => {
        const error = appendError(stream, expected, result);
        if (error !== undefined) reply(writeError(stream, error));
        else if (result.outcome === 'written') reply(null, deletedAt(result.position));
      };
      writer.submit({ kind, stream, expected, events: [], deadline: deadlineOf(call), done });
    } catch (error) {
      reply(invalid(error));
    }
  };
}
