import { cpSync, mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { KurrentDBClient, NO_STREAM } from '@kurrent/kurrentdb-client';
import { type EventStore, startEventStore } from '@privatelink/embedded/event-store/event-store';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { temporaryDirectory } from '../support/directories.ts';
import { newEvent, newEvents, readByPrefix, recorded } from '../support/events.ts';
import { startProcess } from '../support/process.ts';

const prefix = 'torn';
const log = 'events.db-wal';

/** A data directory whose events are all in the write-ahead log, and the ids of these events in their order. */
async function crashedDirectory(dataDir: string): Promise<string[]> {
  const store = await startProcess(dataDir);
  const client = KurrentDBClient.connectionString(store.url);
  const write = async (stream: string): Promise<void> => {
    for (let revision = -1; revision < 29; revision += 2) {
      const streamState = revision < 0 ? NO_STREAM : BigInt(revision);
      await client.appendToStream(stream, newEvents(2, 'Torn'), { streamState });
    }
  };
  await Promise.all(Array.from({ length: 8 }, (_, i) => write(`${prefix}-${i}`)));
  const ids = (await readByPrefix(client, prefix)).map((event) => recorded(event).id);
  await store.stop('SIGKILL');
  await client.dispose();
  return ids;
}

async function openTorn(dataDir: string): Promise<EventStore | string> {
  try {
    return await startEventStore({ dataDir, port: 0 });
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const damage = fc.record({
  kind: fc.constantFrom('cut' as const, 'flip' as const),
  at: fc.integer({ min: 0, max: 9_999 }),
});

it('a log cut or damaged anywhere leaves a prefix of what was acknowledged, and whole appends', async () => {
  const directory = await temporaryDirectory();
  const original = join(directory, 'original');
  const ids = await crashedDirectory(original);
  expect(ids).toHaveLength(8 * 30);
  const size = statSync(join(original, log)).size;
  const survivors = new Set<number>();
  let run = 0;

  const check = async (kind: 'cut' | 'flip', at: number): Promise<void> => {
    const dataDir = join(directory, String(run++));
    mkdirSync(dataDir);
    cpSync(original, dataDir, { recursive: true });
    const file = join(dataDir, log);
    if (kind === 'cut') {
      truncateSync(file, at);
    } else {
      const bytes = readFileSync(file);
      bytes[at] = (bytes[at] ?? 0) ^ 0x10;
      writeFileSync(file, bytes);
    }
    const store = await openTorn(dataDir);
    if (typeof store === 'string') {
      expect(store).not.toContain('\n');
      return;
    }
    const client = KurrentDBClient.connectionString(store.url);
    try {
      const events = await readByPrefix(client, prefix);
      expect(events.map((event) => recorded(event).id)).toEqual(ids.slice(0, events.length));
      const revisions = new Map<string, number>();
      for (const { streamId, revision } of events.map(recorded)) {
        expect(Number(revision)).toBe((revisions.get(streamId) ?? -1) + 1);
        revisions.set(streamId, Number(revision));
      }
      expect([...revisions.values()].every((last) => last % 2 === 1)).toBe(true);
      for (const [stream, last] of revisions) {
        const added = await client.appendToStream(stream, newEvent(), { streamState: BigInt(last) });
        expect(added.nextExpectedRevision).toBe(BigInt(last + 1));
      }
      survivors.add(events.length);
    } finally {
      await client.dispose();
      await store.close();
    }
  };

  await check('cut', size);
  await check('cut', 0);
  await fc.assert(
    fc.asyncProperty(damage, ({ kind, at }) => check(kind, Math.floor((at / 10_000) * size))),
    { numRuns: 14, seed: 20251125, unbiased: true },
  );
  expect(survivors).toContain(ids.length);
  expect(survivors).toContain(0);
  expect(survivors.size).toBeGreaterThan(4);
});
