import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openDatabase } from './database.ts';
import { any, noStream, type StoredEvent } from './records.ts';
import { createStreamStates } from './stream-states.ts';
import { createWriter, type WriteResult } from './writer.ts';

function openWriter() {
  const dataDir = mkdtempSync(join(tmpdir(), 'privatelink-writer-'));
  const { db } = openDatabase(dataDir);
  onTestFinished(() => {
    if (db.isOpen) db.close();
    rmSync(dataDir, { recursive: true });
  });
  const committed: StoredEvent[] = [];
  const failures: Error[] = [];
  const writer = createWriter({
    db,
    states: createStreamStates(db),
    head: 0,
    committed: (events) => committed.push(...events),
    broken: (error) => failures.push(error),
  });
  const append = (stream: string, expected: number, bytes = 10): Promise<WriteResult> =>
    new Promise((done) => {
      const data = new Uint8Array(bytes);
      const event = { id: randomUUID(), type: 'T', json: 0, data, metadata: new Uint8Array() } as const;
      writer.submit({ kind: 'append', stream, expected, events: [event], deadline: Number.POSITIVE_INFINITY, done });
    });
  return { db, committed, failures, append };
}

describe('the writer', () => {
  it('commits what arrives in one turn in one transaction, decided one after another', async () => {
    const { db, committed, append } = openWriter();
    const results = await Promise.all([append('a', noStream), append('a', noStream), append('b', any), append('a', 0)]);
    expect(results.map(({ outcome }) => outcome)).toEqual(['written', 'wrongVersion', 'written', 'written']);
    expect(committed.map(({ stream, revision }) => [stream, revision])).toEqual([
      ['a', 0],
      ['b', 0],
      ['a', 1],
    ]);
    expect(db.prepare('select count(*) as count from events').get()).toMatchObject({ count: 3 });
  });

  it('refuses writes while the disk is full, keeps nothing of them, and goes on when there is room', async () => {
    const { db, committed, failures, append } = openWriter();
    await append('a', noStream);
    const pages = Number(db.prepare('pragma page_count').get()?.['page_count']);
    db.exec(`pragma max_page_count = ${pages + 2}`);
    const refused = await Promise.all([append('a', 0), append('a', 1, 100_000), append('c', noStream)]);
    expect(refused.map(({ outcome }) => outcome)).toEqual(['failed', 'failed', 'failed']);
    expect(committed).toHaveLength(1);
    db.exec('pragma max_page_count = 1000000');
    expect(await Promise.all([append('a', 0, 100_000), append('c', noStream)])).toMatchObject([
      { outcome: 'written', revision: 1 },
      { outcome: 'written', revision: 0 },
    ]);
    expect(failures).toEqual([]);
  });

  it('reports any other failure of a commit as the end of writing', async () => {
    const { db, failures, append } = openWriter();
    await append('a', noStream);
    db.exec('drop table events');
    expect(await append('a', 0)).toMatchObject({ outcome: 'failed' });
    expect(failures).toHaveLength(1);
  });
});
