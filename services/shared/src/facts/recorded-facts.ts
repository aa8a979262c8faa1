import type { StoredEvent } from '../eventing/message.ts';
import type { EventStore } from '../eventing/ports.ts';
import type { Row } from '../postgres/row-table.ts';
import type { IndexedFact } from './events.ts';
import type { FactReader } from './fact-reader.ts';
import type { PublicFact } from './public-fact.ts';

/** So many events that nobody asked for are read along rather than asked around. */
const MAX_GAP = 64n;

type Rows = readonly Row<IndexedFact>[];

/** The facts of rows of the index, in their order. Each stream is read and folded once, however many rows it has. */
export const recordedFacts = async (
  store: Pick<EventStore, 'read'>,
  read: FactReader,
  rows: Rows,
): Promise<readonly PublicFact[]> => {
  const found = new Map<string, PublicFact>();
  const byStream = Map.groupBy(rows, ({ state }) => state.stream);
  for (const [stream, ofStream] of byStream) {
    for (const run of runsOf(ofStream)) {
      const rowAt = new Map(run.map((row) => [row.revision, row]));
      for await (const event of eventsOf(store, stream, run)) {
        const row = rowAt.get(event.revision);
        // What the store tells in seconds where a stream is read, the index kept in milliseconds.
        const fact = await read(row ? { ...event, recordedAt: row.state.recordTime } : event);
        if (row && fact) found.set(row.key, fact);
      }
    }
  }
  return rows.flatMap(({ key }) => found.get(key) ?? []);
};

/** Rows of one stream that stand close together. */
const runsOf = (rows: Rows): readonly Rows[] => {
  const runs: Row<IndexedFact>[][] = [];
  let last: bigint | null = null;
  for (const row of rows) {
    if (last === null || row.revision - last > MAX_GAP) runs.push([]);
    runs.at(-1)?.push(row);
    last = row.revision;
  }
  return runs;
};

const eventsOf = (store: Pick<EventStore, 'read'>, stream: string, run: Rows): AsyncIterable<StoredEvent> => {
  const from = run[0]?.revision ?? 0n;
  const count = Number((run.at(-1)?.revision ?? from) - from) + 1;
  return store.read(stream, { from, direction: 'forwards', maxCount: count });
};
