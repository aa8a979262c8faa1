/** The expectations of an append that are not an exact revision, numbered as the protocol's errors number them. */
export const noStream = -1;
export const any = -2;
export const streamExists = -4;

/** The revision of a tombstone; on the wire it is the largest int64. */
export const tombstoneRevision = Number.MAX_SAFE_INTEGER;
export const tombstoneType = '$streamDeleted';
export const metadataType = '$metadata';

export type NewEvent = {
  readonly id: string;
  readonly type: string;
  /** SQLite has no booleans: 1 for application/json, 0 for application/octet-stream. */
  readonly json: 0 | 1;
  readonly data: Uint8Array;
  readonly metadata: Uint8Array;
};

export type StoredEvent = NewEvent & {
  readonly position: number;
  readonly stream: string;
  readonly revision: number;
  /** Milliseconds since the epoch. */
  readonly created: number;
  /** The event as the wire has it, kept by the first subscription for the others. */
  encoded?: Buffer;
};

export function isMetastream(stream: string): boolean {
  return stream.startsWith('$$');
}

export function metastreamOf(stream: string): string {
  return `$$${stream}`;
}

export function originalOf(metastream: string): string {
  return metastream.slice(2);
}

/** What an event adds to the position: like a log offset it rises with size, so that nobody relies on steps of one. */
export function sizeOf(stream: string, event: NewEvent): number {
  return 64 + stream.length + event.type.length + event.data.length + event.metadata.length;
}
