import { randomUUID } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { decideAppend } from './decide-append.ts';
import { createGenerationalMap } from './generational-map.ts';
import {
  isMetastream,
  metadataType,
  metastreamOf,
  type NewEvent,
  originalOf,
  type StoredEvent,
  sizeOf,
  tombstoneRevision,
  tombstoneType,
} from './records.ts';
import { isSoftDeleted, revivedMetadata, softDeletion } from './stream-metadata.ts';
import type { StreamStates } from './stream-states.ts';

export type WriteResult =
  | { readonly outcome: 'written'; readonly revision: number; readonly position: number | undefined }
  | { readonly outcome: 'wrongVersion'; readonly current: number }
  | { readonly outcome: 'streamDeleted' }
  | { readonly outcome: 'timeout' }
  | { readonly outcome: 'failed'; readonly message: string };

export type Write = {
  readonly kind: 'append' | 'softDelete' | 'tombstone';
  readonly stream: string;
  readonly expected: number;
  readonly events: readonly NewEvent[];
  /** Milliseconds since the epoch; a write whose turn comes later is not made. */
  readonly deadline: number;
  readonly done: (result: WriteResult) => void;
};

export type Writer = {
  submit(write: Write): void;
  /** Writes now what waits. */
  flush(): void;
};

export type WriterOptions = {
  readonly db: DatabaseSync;
  readonly states: StreamStates;
  /** The position of the last event. */
  readonly head: number;
  readonly committed: (events: readonly StoredEvent[]) => void;
  /** A commit failed for another reason than a full disk: what is on disk is no longer known. */
  readonly broken: (error: Error) => void;
};

const recentIds = 60_000;
/** Where several writers write at once, a commit waits so long for more of them. */
const gatherMs = 2;
const diskFull = 13;

function systemEvent(type: string, json: 0 | 1, data: Uint8Array): NewEvent {
  return { id: randomUUID(), type, json, data, metadata: new Uint8Array() };
}

/**
 * The only writer. All writes that arrive in one turn of the event loop, or shortly after where there are many, are decided
 * one after another and committed in one transaction with one sync to disk; then subscribers see the events, then the
 * writes are acknowledged.
 */
export function createWriter({ db, states, head, committed, broken }: WriterOptions): Writer {
  const insert = db.prepare(`
    insert into events(position, stream, revision, id, type, json, created, data, metadata)
    values(?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  const begin = db.prepare('begin');
  const commit = db.prepare('commit');
  const byRevision = db.prepare('select id, position from events where stream = ? and revision = ?');
  const recent = createGenerationalMap<string, number>(recentIds);
  let queue: Write[] = [];
  let gathers = false;
  let position = head;
  let batch: StoredEvent[] = [];

  const stored = (stream: string, revision: number) =>
    byRevision.get(states.get(stream).id, revision) as { id: string; position: number } | undefined;

  const store = (stream: string, revision: number, event: NewEvent): void => {
    position += sizeOf(stream, event);
    const created = Date.now();
    const { id, type, json, data, metadata } = event;
    insert.run(position, states.identify(stream), revision, id, type, json, created, data, metadata);
    batch.push({ position, stream, revision, id, type, json, created, data, metadata });
    if (revision !== tombstoneRevision) recent.set(id + stream, revision);
  };

  const appendTo = (stream: string, events: readonly NewEvent[]): void => {
    const state = states.get(stream);
    for (const event of events) store(stream, ++state.last, event);
    if (isMetastream(stream)) states.forget(originalOf(stream));
  };

  const revive = (stream: string, firstVisible: number): void =>
    appendTo(metastreamOf(stream), [
      systemEvent(metadataType, 1, revivedMetadata(states.rawMetadata(stream), firstVisible)),
    ]);

  const append = (stream: string, events: readonly NewEvent[]): WriteResult => {
    const state = states.get(stream);
    const before = state.last;
    const softDeleted = isSoftDeleted(state.metadata);
    const original = isMetastream(stream) ? originalOf(stream) : undefined;
    const originalDeleted = original !== undefined && isSoftDeleted(states.get(original).metadata);
    appendTo(stream, events);
    const written = events.length > 0 ? position : undefined;
    const result: WriteResult = { outcome: 'written', revision: state.last, position: written };
    if (softDeleted) revive(stream, before + 1);
    if (original !== undefined && originalDeleted) revive(original, states.get(original).last + 1);
    return result;
  };

  const remove = (kind: 'softDelete' | 'tombstone', stream: string): WriteResult => {
    if (kind === 'softDelete') {
      appendTo(metastreamOf(stream), [systemEvent(metadataType, 1, softDeletion)]);
    } else {
      store(stream, tombstoneRevision, systemEvent(tombstoneType, 0, new Uint8Array()));
      states.forget(stream);
      states.forget(metastreamOf(stream));
    }
    return { outcome: 'written', revision: states.get(stream).last, position };
  };

  const apply = (write: Write): WriteResult => {
    if (write.deadline < Date.now()) return { outcome: 'timeout' };
    const { stream, expected, events } = write;
    const state = states.get(stream);
    const softDeleted = isSoftDeleted(state.metadata);
    const decision = decideAppend(
      {
        last: state.last,
        softDeleted,
        hasMetadata: state.hasMetadata,
        recentRevision: (id) => recent.get(id + stream),
        storedId: (revision) => stored(stream, revision)?.id,
      },
      expected,
      events.map((event) => event.id),
    );
    switch (decision.outcome) {
      case 'append':
        return write.kind === 'append' ? append(stream, events) : remove(write.kind, stream);
      case 'alreadyAppended': {
        // KurrentDB knows no position of events that a soft deletion hides.
        const known = softDeleted ? undefined : stored(stream, decision.last)?.position;
        return { outcome: 'written', revision: decision.last, position: known };
      }
      case 'wrongVersion':
        return { outcome: 'wrongVersion', current: state.last };
      case 'streamDeleted':
        return decision;
    }
  };

  /** Forgets what was decided in memory. The positions used are not given again: a gap is harmless. */
  const fail = (error: unknown, writes: readonly Write[]): void => {
    batch = [];
    states.clear();
    recent.clear();
    const cause = error instanceof Error ? error : new Error(String(error));
    for (const write of writes) write.done({ outcome: 'failed', message: `not written: ${cause.message}` });
    if ((cause as { errcode?: number }).errcode !== diskFull) broken(cause);
  };

  const flush = (): void => {
    const writes = queue;
    queue = [];
    if (writes.length === 0) return;
    gathers = writes.length > 1;
    let results: WriteResult[];
    try {
      begin.run();
      results = writes.map(apply);
      commit.run();
    } catch (error) {
      // Some failures have rolled back already.
      if (db.isTransaction) db.exec('rollback');
      fail(error, writes);
      return;
    }
    const events = batch;
    batch = [];
    if (events.length > 0) committed(events);
    writes.forEach((write, index) => {
      const result = results[index];
      if (result !== undefined) write.done(result);
    });
  };

  return {
    submit(write) {
      if (queue.length === 0 && gathers) setTimeout(flush, gatherMs);
      else if (queue.length === 0) setImmediate(flush);
      queue.push(write);
    },
    flush,
  };
}
