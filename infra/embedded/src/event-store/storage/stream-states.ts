import type { DatabaseSync } from 'node:sqlite';
import { createGenerationalMap } from './generational-map.ts';
import { isMetastream, metastreamOf, originalOf, tombstoneRevision } from './records.ts';
import { metastreamMetadata, parseStreamMetadata, type StreamMetadata } from './stream-metadata.ts';

export type StreamState = {
  /** The number of the stream in the database; 0 until it is first written. */
  id: number;
  /** The last revision, -1 if the stream never had events. */
  last: number;
  readonly metadata: StreamMetadata;
  readonly hasMetadata: boolean;
};

export type StreamStates = {
  get(stream: string): StreamState;
  /** Gives a stream its number, inside the transaction of its first event. */
  identify(stream: string): number;
  /** The data of the stream's last metadata event. */
  rawMetadata(stream: string): Uint8Array;
  forget(stream: string): void;
  clear(): void;
};

const cachedStreams = 50_000;

/** Where streams end and what their metadata says, cached; the writer keeps the cache true. */
export function createStreamStates(db: DatabaseSync): StreamStates {
  const cache = createGenerationalMap<string, StreamState>(cachedStreams);
  const byName = db.prepare('select id from streams where name = ?');
  const insert = db.prepare('insert into streams(name) values(?)');
  const lastRevision = db.prepare('select revision from events where stream = ? order by revision desc limit 1');
  const lastData = db.prepare('select data from events where stream = ? order by revision desc limit 1');

  const readId = (stream: string): number => (byName.get(stream) as { id: number } | undefined)?.id ?? 0;
  const readLast = (id: number): number => {
    const row = lastRevision.get(id) as { revision: number } | undefined;
    return row?.revision ?? -1;
  };
  const readData = (stream: string): Uint8Array | undefined => {
    const row = lastData.get(readId(stream)) as { data: Uint8Array } | undefined;
    return row?.data;
  };
  const load = (stream: string): StreamState => {
    const id = readId(stream);
    if (isMetastream(stream)) {
      // A tombstoned stream takes its metadata along.
      const gone = readLast(readId(originalOf(stream))) === tombstoneRevision;
      const last = gone ? tombstoneRevision : readLast(id);
      return { id, last, metadata: metastreamMetadata, hasMetadata: false };
    }
    const data = readData(metastreamOf(stream));
    return {
      id,
      last: readLast(id),
      metadata: data === undefined ? {} : parseStreamMetadata(data),
      hasMetadata: data !== undefined,
    };
  };

  const get = (stream: string): StreamState => {
    const known = cache.get(stream);
    if (known !== undefined) return known;
    const state = load(stream);
    cache.set(stream, state);
    return state;
  };

  return {
    get,
    identify(stream) {
      const state = get(stream);
      if (state.id === 0) state.id = Number(insert.run(stream).lastInsertRowid);
      return state.id;
    },
    rawMetadata: (stream) => readData(metastreamOf(stream)) ?? new Uint8Array(),
    forget: cache.delete,
    clear: cache.clear,
  };
}
