import { pino } from 'pino';
import { afterEach } from 'vitest';
import type { EventStore } from '../eventing/ports.ts';
import { createFakeClock, settle } from '../testing/fake-clock.ts';
import { createMemoryStore, noMetadata } from '../testing/memory-store.ts';
import { type Checkpoint, runReactor, type WorkResult, type WorkRows } from './run-reactor.ts';

const log = pino({ level: 'silent' });

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(stops.splice(0).map((stop) => stop()));
});

const memoryRows = () => {
  const rows = new Map<string, { due: Date; attempt: number }>();
  const port: WorkRows = {
    schedule: async (key, due, attempt) => void rows.set(key, { due, attempt }),
    due: async (now, limit) =>
      [...rows]
        .filter(([, row]) => row.due <= now)
        .slice(0, limit)
        .map(([key, { attempt }]) => ({ key, attempt })),
    remove: async (key) => void rows.delete(key),
  };
  return { rows, port };
};

/** A reactor over `job-` streams, whose work, rows and time are the test’s. */
export const setUpReactor = (work: (key: string) => Promise<WorkResult>) => {
  const store = createMemoryStore();
  const clock = createFakeClock();
  const { rows, port } = memoryRows();
  const saved: bigint[] = [];
  const lengths = new Map<string, bigint>();
  const append = async (key: string): Promise<void> => {
    const length = lengths.get(key);
    const expected = length === undefined ? 'no-stream' : length;
    const event = { id: crypto.randomUUID(), type: 'Asked.v1', data: {}, metadata: noMetadata };
    lengths.set(key, (await store.append(`job-${key}`, [event], expected)).revision);
  };
  const start = (changes: { store?: EventStore; rows?: Partial<WorkRows>; checkpoint?: Partial<Checkpoint> } = {}) => {
    const stopping = new AbortController();
    const checkpoint: Checkpoint = {
      load: async () => saved.at(-1) ?? null,
      save: async (position) => void saved.push(position),
      ...changes.checkpoint,
    };
    const ended = runReactor(
      {
        store: changes.store ?? store,
        clock,
        log,
        signal: stopping.signal,
        rows: { ...port, ...changes.rows },
        checkpoint,
      },
      { name: 'jobs', prefixes: ['job-'], key: ({ stream }) => stream.slice('job-'.length), work },
    );
    const stop = async () => {
      stopping.abort();
      await settle();
      await clock.advance(10_000);
      await ended.catch(() => undefined);
    };
    stops.push(stop);
    return { ended, stop, signal: stopping };
  };
  return { store, clock, rows, saved, append, start };
};
