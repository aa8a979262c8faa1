import { once } from 'node:events';
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import {
  KurrentDBClient,
  NO_STREAM,
  persistentSubscriptionToStreamSettingsFromDefaults,
} from '@kurrent/kurrentdb-client';
import { startEventStore } from '@privatelink/embedded/event-store/event-store';
import { describe, expect, it, onTestFinished } from 'vitest';
import { fingerprint, temporaryDirectory } from '../support/directories.ts';
import { collect, errorOf, newEvent, newEvents, newStream, revisionsOf } from '../support/events.ts';
import { type Exit, runToExit, startProcess } from '../support/process.ts';

async function start(dataDir: string) {
  const store = await startProcess(dataDir);
  onTestFinished(() => store.stop('SIGKILL').then(() => {}));
  const client = KurrentDBClient.connectionString(store.url);
  onTestFinished(() => client.dispose());
  return { store, client };
}

/** A data directory that a store has closed, with some events. */
async function closedDirectory(): Promise<string> {
  const dataDir = await temporaryDirectory();
  const store = await startEventStore({ dataDir, port: 0 });
  const client = KurrentDBClient.connectionString(store.url);
  await client.appendToStream('before', newEvents(3), { streamState: NO_STREAM });
  await client.dispose();
  await store.close();
  return dataDir;
}

function expectRefusal(exit: Exit, message: RegExp): void {
  expect(exit.code).toBe(1);
  expect(exit.stderr.trimEnd().split('\n')).toEqual([expect.stringMatching(message)]);
}

function alter(dataDir: string, sql: string): void {
  const db = new DatabaseSync(join(dataDir, 'events.db'));
  db.exec(sql);
  db.close();
}

describe('a data directory', () => {
  it.each([
    {
      name: 'of a newer schema',
      harm: (dir: string) => alter(dir, 'pragma user_version = 99'),
      message: /schema version 99/,
    },
    {
      name: 'of another program',
      harm: (dir: string) => alter(dir, 'pragma application_id = 7'),
      message: /not an event store/,
    },
    {
      name: 'of noise',
      harm: (dir: string) => writeFileSync(join(dir, 'events.db'), Buffer.alloc(9000, 'noise')),
      message: /corrupt/,
    },
    { name: 'cut short', harm: (dir: string) => truncateSync(join(dir, 'events.db'), 5000), message: /corrupt/ },
    { name: 'without identity', harm: (dir: string) => alter(dir, 'delete from meta'), message: /identity is missing/ },
  ])('$name is refused with one line and left as it is', async ({ harm, message }) => {
    const dataDir = await closedDirectory();
    harm(dataDir);
    const before = fingerprint(dataDir);
    expectRefusal(await runToExit(['--data-dir', dataDir, '--port', '0']), message);
    expect(fingerprint(dataDir)).toEqual(before);
  });

  it('is held by one process, which the refused one does not disturb', async () => {
    const dataDir = await temporaryDirectory();
    const { client } = await start(dataDir);
    await client.appendToStream('held', newEvent(), { streamState: NO_STREAM });
    expectRefusal(await runToExit(['--data-dir', dataDir, '--port', '0']), /in use by another process/);
    expect(await client.appendToStream('held', newEvent(), { streamState: 0n })).toMatchObject({ success: true });
  });

  it('keeps events, revisions, and deletions over restarts', async () => {
    const dataDir = await temporaryDirectory();
    const { store, client } = await start(dataDir);
    const [kept, gone] = [newStream(), newStream()];
    await client.appendToStream(kept, newEvents(3));
    await client.appendToStream(gone, newEvent());
    await client.tombstoneStream(gone);
    await client.setStreamMetadata(kept, { maxCount: 2 });
    expect(await store.stop('SIGTERM')).toMatchObject({ code: 0 });

    const again = await start(dataDir);
    expect(revisionsOf(await collect(again.client.readStream(kept)))).toEqual([1, 2]);
    expect(await errorOf(collect(again.client.readStream(gone)))).toMatchObject({ type: 'stream-deleted' });
    const added = await again.client.appendToStream(kept, newEvent(), { streamState: 2n });
    expect(added.nextExpectedRevision).toBe(3n);
  });
});

describe('the process', () => {
  it('refuses a port in use and leaves the data', async () => {
    const taken = createServer();
    onTestFinished(() => void taken.close());
    taken.listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    const dataDir = await closedDirectory();
    const before = fingerprint(dataDir);
    expectRefusal(
      await runToExit(['--data-dir', dataDir, '--port', String(port)]),
      new RegExp(`127.0.0.1:${port}.*in use`),
    );
    expect(fingerprint(dataDir)).toEqual(before);
  });

  it.each(['0.0.0.0', '::', '192.0.2.1', 'example.com'])('refuses to listen on %s', async (host) => {
    const dataDir = join(await temporaryDirectory(), 'data');
    expectRefusal(await runToExit(['--data-dir', dataDir, '--port', '0', '--host', host]), /loopback only/);
  });

  it.each([
    { args: ['--port', '0'], message: /--data-dir is missing/ },
    { args: ['--data-dir', 'unused', '--port', 'x'], message: /--port x is not a port/ },
    { args: ['--data-dir', '/dev/null/data', '--port', '0'], message: /ENOTDIR/ },
    { args: ['--unknown'], message: /--unknown/ },
  ])('refuses $args with one line', async ({ args, message }) => {
    expectRefusal(await runToExit(args), message);
  });

  it('says once that it is for one machine, and ends cleanly with subscribers connected', async () => {
    const { store, client } = await start(await temporaryDirectory());
    const subscription = client.subscribeToAll();
    const ended = errorOf(collect(subscription));
    await new Promise((resolve) => subscription.once('caughtUp', resolve));
    const exit = await store.stop('SIGTERM');
    expect(exit.code).toBe(0);
    expect(exit.stderr.split('\n').filter((line) => line.includes('one machine'))).toHaveLength(1);
    expect(await ended).toMatchObject({ type: 'unavailable' });
  });

  it('starts on an empty file that a killed first start left', async () => {
    const dataDir = join(await temporaryDirectory(), 'data');
    mkdirSync(dataDir);
    writeFileSync(join(dataDir, 'events.db'), '');
    const { client } = await start(dataDir);
    expect(await client.appendToStream('first', newEvent(), { streamState: NO_STREAM })).toMatchObject({
      success: true,
    });
  });

  it('answers UNIMPLEMENTED to what it does not have', async () => {
    const { client } = await start(await temporaryDirectory());
    const creating = client.createPersistentSubscriptionToStream(
      'stream',
      'group',
      persistentSubscriptionToStreamSettingsFromDefaults(),
    );
    expect(await errorOf(creating)).toMatchObject({ message: expect.stringMatching(/UNIMPLEMENTED|unimplemented/i) });
  });
});
