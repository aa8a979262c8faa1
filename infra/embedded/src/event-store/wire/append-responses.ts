import { any, noStream, streamExists } from '../storage/records.ts';
import { createProtobufWriter, type ProtobufWriter } from './protobuf-writer.ts';

const capacity = 512;

/** google.rpc.Code of the in-band errors. */
const code = { invalidArgument: 3, deadlineExceeded: 4, failedPrecondition: 9, internal: 13 };

export type AppendError =
  | { readonly kind: 'wrongVersion'; readonly expected: number; readonly current: number }
  | { readonly kind: 'streamDeleted'; readonly stream: string }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'appendTooLarge'; readonly limit: number }
  | { readonly kind: 'badRequest' | 'failed'; readonly message: string };

function empty(writer: ProtobufWriter, field: number): void {
  writer.message(field, writer.mark());
}

function writePosition(writer: ProtobufWriter, field: number, position: number): void {
  const end = writer.mark();
  writer.varint(2, position);
  writer.varint(1, position);
  writer.message(field, end);
}

/** `Success` is the same message in the replies of Append and BatchAppend. */
function writeSuccess(writer: ProtobufWriter, field: number, revision: number, position: number | undefined): void {
  const end = writer.mark();
  if (position === undefined) empty(writer, 4);
  else writePosition(writer, 3, position);
  if (revision < 0) empty(writer, 2);
  else writer.varint(1, revision);
  writer.message(field, end);
}

export function appendSuccess(revision: number, position: number | undefined): Buffer {
  const writer = createProtobufWriter(capacity);
  writeSuccess(writer, 1, revision, position);
  return writer.finish();
}

export function appendWrongVersion(expected: number, current: number): Buffer {
  const writer = createProtobufWriter(capacity);
  const end = writer.mark();
  if (expected === noStream) empty(writer, 11);
  else if (expected === streamExists) empty(writer, 10);
  else if (expected === any) empty(writer, 9);
  else writer.varint(8, expected);
  if (current < 0) empty(writer, 7);
  else writer.varint(6, current);
  writer.message(2, end);
  return writer.finish();
}

/** The reply of Delete and of Tombstone. */
export function deletedAt(position: number | undefined): Buffer {
  const writer = createProtobufWriter(capacity);
  if (position === undefined) empty(writer, 2);
  else writePosition(writer, 1, position);
  return writer.finish();
}

function writeIdentifier(writer: ProtobufWriter, field: number, stream: string): void {
  const end = writer.mark();
  writer.string(3, stream);
  writer.message(field, end);
}

function writeCorrelation(writer: ProtobufWriter, id: string): void {
  const end = writer.mark();
  writer.string(2, id);
  writer.message(1, end);
}

export function batchSuccess(id: string, stream: string, revision: number, position: number | undefined): Buffer {
  const writer = createProtobufWriter(capacity + 3 * stream.length);
  writeIdentifier(writer, 4, stream);
  writeSuccess(writer, 3, revision, position);
  writeCorrelation(writer, id);
  return writer.finish();
}

function writeWrongVersion(writer: ProtobufWriter, expected: number, current: number): void {
  if (expected === noStream) empty(writer, 6);
  else if (expected === streamExists) empty(writer, 5);
  else if (expected === any) empty(writer, 4);
  else writer.varint(3, expected);
  if (current < 0) empty(writer, 2);
  else writer.varint(1, current);
}

/** Writes the message of `Status.details` and returns what the status says beside it. */
function writeDetails(writer: ProtobufWriter, error: AppendError): { type: string; code: number; message: string } {
  switch (error.kind) {
    case 'wrongVersion':
      writeWrongVersion(writer, error.expected, error.current);
      return { type: 'WrongExpectedVersion', code: code.failedPrecondition, message: 'wrong expected version' };
    case 'streamDeleted':
      writeIdentifier(writer, 1, error.stream);
      return { type: 'StreamDeleted', code: code.failedPrecondition, message: 'stream is deleted' };
    case 'timeout':
      return { type: 'Timeout', code: code.deadlineExceeded, message: 'the deadline passed before the append' };
    case 'appendTooLarge':
      writer.varint(1, error.limit);
      return {
        type: 'MaximumAppendSizeExceeded',
        code: code.invalidArgument,
        message: `an append may have ${error.limit} bytes`,
      };
    case 'badRequest':
      writer.string(1, error.message);
      return { type: 'BadRequest', code: code.invalidArgument, message: error.message };
    case 'failed':
      // The client shows the message of a status only if it does not know its details.
      return { type: 'ServerFailure', code: code.internal, message: error.message };
  }
}

/** An in-band error of BatchAppend: the stream of requests goes on. */
export function batchError(id: string, stream: string, error: AppendError): Buffer {
  const messageLength = 'message' in error ? 6 * error.message.length : 0;
  const writer = createProtobufWriter(capacity + 6 * stream.length + messageLength);
  writeIdentifier(writer, 4, stream);
  const status = writer.mark();
  const details = writer.mark();
  const value = writer.mark();
  const { type, code: statusCode, message } = writeDetails(writer, error);
  writer.message(2, value);
  writer.string(1, `type.googleapis.com/event_store.client.${type}`);
  writer.message(3, details);
  writer.string(2, message);
  writer.varint(1, statusCode);
  writer.message(2, status);
  writeCorrelation(writer, id);
  return writer.finish();
}
