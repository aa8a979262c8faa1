/** What the metadata of a stream says about which of its events are visible. */
export type StreamMetadata = {
  readonly maxCount?: number;
  readonly maxAgeSeconds?: number;
  readonly truncateBefore?: number;
};

/** Metastreams keep only their last event. */
export const metastreamMetadata: StreamMetadata = { maxCount: 1 };

/** The data of the metadata event that soft-deletes a stream: truncate before the largest int64. */
export const softDeletion = Buffer.from('{"$tb":9223372036854775807}');

function positiveInteger(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 ? value : undefined;
}

function parseObject(data: Uint8Array): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(data).toString('utf8'));
    return typeof parsed === 'object' && parsed !== null ? { ...parsed } : {};
  } catch {
    return {};
  }
}

export function parseStreamMetadata(data: Uint8Array): StreamMetadata {
  const raw = parseObject(data);
  const maxCount = positiveInteger(raw['$maxCount']);
  const maxAgeSeconds = positiveInteger(raw['$maxAge']);
  const truncateBefore = positiveInteger(raw['$tb']);
  return {
    ...(maxCount && { maxCount }),
    ...(maxAgeSeconds && { maxAgeSeconds }),
    ...(truncateBefore && { truncateBefore }),
  };
}

export function isSoftDeleted(metadata: StreamMetadata): boolean {
  return (metadata.truncateBefore ?? 0) > Number.MAX_SAFE_INTEGER;
}

/** The metadata of a soft-deleted stream that is written to again: as before, but truncated before its next event. */
export function revivedMetadata(current: Uint8Array, firstVisible: number): Buffer {
  return Buffer.from(JSON.stringify({ ...parseObject(current), $tb: firstVisible }));
}

/** The visible part of a stream: revisions from `first` on, created at or after `since`. */
export function visibleFrom(metadata: StreamMetadata, last: number, now: number): { first: number; since: number } {
  const byCount = metadata.maxCount === undefined ? 0 : last - metadata.maxCount + 1;
  return {
    first: Math.max(0, byCount, metadata.truncateBefore ?? 0),
    since: metadata.maxAgeSeconds === undefined ? 0 : now - metadata.maxAgeSeconds * 1000,
  };
}
