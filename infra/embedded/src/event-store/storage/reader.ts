import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { type StoredEvent, sizeOf, tombstoneRevision } from './records.ts';
import { isSoftDeleted, visibleFrom } from './stream-metadata.ts';
import type { StreamStates } from './stream-states.ts';
import type { Tail } from './tail.ts';

export type EventFilter = (event: { readonly stream: string; readonly type: string }) => boolean;

/** The part of a stream a reader may see. */
export type StreamRange = { readonly first: number; readonly last: number; readonly since: number };

/** A bounded step through `$all`: the events that matched, how many were examined, and the last position examined. */
export type AllBatch = {
  readonly events: readonly StoredEvent[];
  readonly examined: number;
  readonly position: number;
};

export type Reader = {
  /** The position of the last event; 0 if there is none. */
  head(): number;
  streamRange(stream: string): StreamRange | 'notFound' | 'deleted';
  lastRevision(stream: string): number;
  /** Events of a stream from revision `from` up to `to`, both included. */
  stream(stream: string, from: number, to: number, since: number, limit: number): StoredEvent[];
  /** Events of a stream from revision `from` down to `to`, both included. */
  streamBackwards(stream: string, from: number, to: number, since: number, limit: number): StoredEvent[];
  allAfter(position: number, limit: number, filter?: EventFilter): AllBatch;
  allBefore(position: number, limit: number, filter?: EventFilter): AllBatch;
  /** Whether what follows a position is still in memory. */
  inTail(position: number): boolean;
};

/** A batch ends once it holds this much, whatever its limit says. */
const batchBytes = 1024 * 1024;

// `cross join` keeps the events in the order of their index and looks each stream up.
const source = 'from events cross join streams on streams.id = events.stream';
const whole = `select position, name as stream, revision, events.id, type, json, created, data, metadata ${source}`;
const names = `select position, name as stream, type ${source}`;

type Scanned = { position: number; stream: string; type: string };

function collect(rows: Iterable<unknown>): StoredEvent[] {
  const events: StoredEvent[] = [];
  let bytes = 0;
  for (const row of rows) {
    const event = row as StoredEvent;
    events.push(event);
    bytes += sizeOf(event.stream, event);
    if (bytes >= batchBytes) break;
  }
  return events;
}

export function createReader(db: DatabaseSync, states: StreamStates, tail: Tail): Reader {
  const last = db.prepare('select position from events order by position desc limit 1');
  const byPosition = db.prepare(`${whole} where position = ?`);
  const range = 'where events.stream = ? and revision between ? and ? and created >= ? order by revision';
  const streamUp = db.prepare(`${whole} ${range} limit ?`);
  const streamDown = db.prepare(`${whole} ${range} desc limit ?`);
  const statements = (order: string) => ({
    whole: db.prepare(`${whole} where position ${order} limit ?`),
    names: db.prepare(`${names} where position ${order} limit ?`),
  });
  const up = statements('> ? order by position');
  const down = statements('< ? order by position desc');

  /** With a filter the names are read first: most events will not match, and their data stays on disk. */
  const scan = (names: StatementSync, position: number, limit: number, filter: EventFilter): AllBatch => {
    const events: StoredEvent[] = [];
    let [examined, at, bytes] = [0, position, 0];
    for (const row of names.all(position, limit)) {
      const candidate = row as Scanned;
      examined++;
      at = candidate.position;
      if (!filter(candidate)) continue;
      const event = byPosition.get(at) as StoredEvent;
      events.push(event);
      bytes += sizeOf(event.stream, event);
      if (bytes >= batchBytes) break;
    }
    return { events, examined, position: at };
  };
  const step = (from: typeof up, position: number, limit: number, filter?: EventFilter): AllBatch => {
    if (filter !== undefined) return scan(from.names, position, limit, filter);
    const events = collect(from.whole.iterate(position, limit));
    return { events, examined: events.length, position: events.at(-1)?.position ?? position };
  };

  return {
    head: () => (last.get() as { position: number } | undefined)?.position ?? 0,
    lastRevision: (stream) => states.get(stream).last,
    streamRange(stream) {
      const state = states.get(stream);
      if (state.last === tombstoneRevision) return 'deleted';
      if (state.last < 0 || isSoftDeleted(state.metadata)) return 'notFound';
      return { ...visibleFrom(state.metadata, state.last, Date.now()), last: state.last };
    },
    stream: (stream, from, to, since, limit) =>
      collect(streamUp.iterate(states.get(stream).id, from, to, since, limit)),
    streamBackwards: (stream, from, to, since, limit) =>
      collect(streamDown.iterate(states.get(stream).id, to, from, since, limit)),
    allAfter(position, limit, filter) {
      const held = tail.after(position, limit);
      if (held === undefined) return step(up, position, limit, filter);
      const events = filter === undefined ? held : held.filter(filter);
      return { events, examined: held.length, position: held.at(-1)?.position ?? position };
    },
    allBefore: (position, limit, filter) => step(down, position, limit, filter),
    inTail: (position) => tail.after(position, 0) !== undefined,
  };
}
