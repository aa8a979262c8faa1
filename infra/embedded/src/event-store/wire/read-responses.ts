import { type StoredEvent, tombstoneRevision } from '../storage/records.ts';
import { createProtobufWriter, type ProtobufWriter } from './protobuf-writer.ts';

/** Field numbers of `event_store.client.streams.ReadResp` and the messages in it. */
const readResp = { event: 1, confirmation: 2, checkpoint: 3, streamNotFound: 4, caughtUp: 8 };

const small = 128;
const ticksPerMillisecond = 10_000;
const maxInt64 = 2n ** 63n - 1n;

export type UuidFormat = 'string' | 'structured';

function writeUuid(writer: ProtobufWriter, field: number, id: string, format: UuidFormat): void {
  const end = writer.mark();
  if (format === 'string') {
    writer.string(2, id);
  } else {
    const hex = id.replaceAll('-', '');
    const structured = writer.mark();
    writer.varint(2, BigInt(`0x${hex.slice(16)}`));
    writer.varint(1, BigInt(`0x${hex.slice(0, 16)}`));
    writer.message(1, structured);
  }
  writer.message(field, end);
}

function writeMetadata(writer: ProtobufWriter, key: string, value: string): void {
  const end = writer.mark();
  writer.string(2, value);
  writer.string(1, key);
  writer.message(6, end);
}

function encodeEvent(event: StoredEvent, format: UuidFormat): Buffer {
  const strings = 3 * (event.stream.length + event.type.length);
  const writer = createProtobufWriter(384 + strings + event.data.length + event.metadata.length);
  const response = writer.mark();
  writer.varint(3, event.position);
  const recorded = writer.mark();
  writer.bytes(8, event.data);
  writer.bytes(7, event.metadata);
  writeMetadata(writer, 'created', String(event.created * ticksPerMillisecond));
  writeMetadata(writer, 'content-type', event.json === 1 ? 'application/json' : 'application/octet-stream');
  writeMetadata(writer, 'type', event.type);
  writer.varint(5, event.position);
  writer.varint(4, event.position);
  writer.varint(3, event.revision === tombstoneRevision ? maxInt64 : event.revision);
  const identifier = writer.mark();
  writer.string(3, event.stream);
  writer.message(2, identifier);
  writeUuid(writer, 1, event.id, format);
  writer.message(1, recorded);
  writer.message(readResp.event, response);
  return writer.finish();
}

/** The response that carries an event; encoded once for all subscriptions that share the event object. */
export function eventResponse(event: StoredEvent, format: UuidFormat): Buffer {
  if (format === 'structured') return encodeEvent(event, format);
  event.encoded ??= encodeEvent(event, format);
  return event.encoded;
}

export function confirmationResponse(subscriptionId: string): Buffer {
  const writer = createProtobufWriter(small);
  const end = writer.mark();
  writer.string(1, subscriptionId);
  writer.message(readResp.confirmation, end);
  return writer.finish();
}

export function streamNotFoundResponse(stream: string): Buffer {
  const writer = createProtobufWriter(small + 3 * stream.length);
  const end = writer.mark();
  const identifier = writer.mark();
  writer.string(3, stream);
  writer.message(1, identifier);
  writer.message(readResp.streamNotFound, end);
  return writer.finish();
}

function writeTimestamp(writer: ProtobufWriter, field: number, milliseconds: number): void {
  const end = writer.mark();
  writer.varint(2, (milliseconds % 1000) * 1_000_000);
  writer.varint(1, Math.floor(milliseconds / 1000));
  writer.message(field, end);
}

export function checkpointResponse(position: number): Buffer {
  const writer = createProtobufWriter(small);
  const end = writer.mark();
  writeTimestamp(writer, 3, Date.now());
  writer.varint(2, position);
  writer.varint(1, position);
  writer.message(readResp.checkpoint, end);
  return writer.finish();
}

/** Where a subscription stands when it has delivered all there is; nothing of an empty source. */
export function caughtUpResponse(at: { readonly revision?: number; readonly position?: number }): Buffer {
  const writer = createProtobufWriter(small);
  const end = writer.mark();
  if (at.position !== undefined) {
    const position = writer.mark();
    writer.varint(2, at.position);
    writer.varint(1, at.position);
    writer.message(3, position);
  }
  if (at.revision !== undefined) writer.varint(2, at.revision);
  writeTimestamp(writer, 1, Date.now());
  writer.message(readResp.caughtUp, end);
  return writer.finish();
}
