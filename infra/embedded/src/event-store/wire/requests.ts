import type { UUID } from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/shared_pb.js';
import type {
  AppendReq,
  BatchAppendReq,
  DeleteReq,
  ReadReq,
} from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/streams_pb.js';
import { any, type NewEvent, noStream, streamExists } from '../storage/records.ts';
import type { UuidFormat } from './read-responses.ts';

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

function fromHalves(most: string, least: string): string {
  const hex = [most, least].map((half) => BigInt.asUintN(64, BigInt(half)).toString(16).padStart(16, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** Throws on what is no UUID. */
export function decodeUuid(message: UUID | undefined): string {
  const structured = message?.getStructured();
  if (structured !== undefined) {
    return fromHalves(structured.getMostSignificantBits(), structured.getLeastSignificantBits());
  }
  const text = message?.getString().toLowerCase() ?? '';
  if (!uuid.test(text)) throw new Error(`'${text}' is not a UUID`);
  return text;
}

/** Throws on a name that no stream can have. */
export function decodeStream(identifier: { getStreamName_asU8(): Uint8Array } | undefined): string {
  const name = identifier === undefined ? '' : Buffer.from(identifier.getStreamName_asU8()).toString('utf8');
  if (name === '' || name === '$$' || name === '$all') throw new Error(`'${name}' cannot be the name of a stream`);
  return name;
}

/** Throws if a required metadata property is missing. */
export function decodeEvent(message: AppendReq.ProposedMessage | BatchAppendReq.ProposedMessage): NewEvent {
  const properties = message.getMetadataMap();
  const [type, contentType] = [properties.get('type'), properties.get('content-type')];
  if (!type) throw new Error("Required Metadata Property 'type' is missing");
  if (!contentType) throw new Error("Required Metadata Property 'content-type' is missing");
  return {
    id: decodeUuid(message.getId()),
    type,
    json: contentType === 'application/json' ? 1 : 0,
    data: message.getData_asU8(),
    metadata: message.getCustomMetadata_asU8(),
  };
}

type Expectation = {
  hasNoStream(): boolean;
  hasStreamExists(): boolean;
  hasAny(): boolean;
};

function decodeExpectation(options: Expectation, exact: string | undefined): number {
  if (exact !== undefined) return Number(exact);
  if (options.hasNoStream()) return noStream;
  if (options.hasStreamExists()) return streamExists;
  if (options.hasAny()) return any;
  throw new Error('the expected revision is missing');
}

export function decodeExpected(options: AppendReq.Options | DeleteReq.Options): number {
  return decodeExpectation(options, options.hasRevision() ? options.getRevision() : undefined);
}

export function decodeBatchExpected(options: BatchAppendReq.Options): number {
  return decodeExpectation(options, options.hasStreamPosition() ? options.getStreamPosition() : undefined);
}

/** Milliseconds since the epoch; Infinity without deadline. */
export function decodeDeadline(options: BatchAppendReq.Options): number {
  const duration = options.getDeadline();
  if (duration !== undefined) return Date.now() + duration.getSeconds() * 1000 + duration.getNanos() / 1e6;
  const time = options.getDeadline21100();
  return time === undefined ? Number.POSITIVE_INFINITY : time.getSeconds() * 1000 + time.getNanos() / 1e6;
}

export function decodeUuidFormat(options: ReadReq.Options): UuidFormat {
  return options.getUuidOption()?.hasStructured() === true ? 'structured' : 'string';
}

/** A revision or position to start at. */
export type Start = 'start' | 'end' | number;

export function decodeStreamStart(options: ReadReq.Options.StreamOptions): Start {
  if (options.hasRevision()) return clamp(options.getRevision());
  return options.hasEnd() ? 'end' : 'start';
}

export function decodeAllStart(options: ReadReq.Options.AllOptions): Start {
  const position = options.getPosition();
  if (position !== undefined) return clamp(position.getCommitPosition());
  return options.hasEnd() ? 'end' : 'start';
}

/** The protocol's numbers are uint64: its largest stands for the end. */
function clamp(text: string): number {
  return Math.min(Number(text), Number.MAX_SAFE_INTEGER - 1);
}

export function decodeCount(options: ReadReq.Options): number {
  return clamp(options.getCount());
}
