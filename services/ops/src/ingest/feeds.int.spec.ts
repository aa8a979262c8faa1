import { headers as createHeaders } from '@nats-io/transport-node';
import { connectNats, type Nats } from '@privatelink/shared/nats/connect';
import { type FeedDeps, runFeed } from '@privatelink/shared/nats/feed';
import type { IncomingMessage } from '@privatelink/shared/nats/incoming-message';
import { ensureStream } from '@privatelink/shared/nats/streams';
import { factSubject } from '@privatelink/shared/nats/subjects';
import { systemClock as clock } from '@privatelink/shared/runtime/clock';
import { type NatsServer, startNats } from '@privatelink/shared/testing/servers';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { factsBefore } from '../read-models/facts.ts';
import { readChanges } from '../read-models/overview.ts';
import { connectionMoved } from '../testing/announcements.ts';
import { openStage, type Stage } from '../testing/stage.ts';
import { feedOf } from './feeds.ts';

const log = pino({ level: 'silent' });
const everything = { scope: { accountId: null } };
let stage: Stage;
let server: NatsServer;
let nats: Nats;
const stop = new AbortController();
let done: Promise<void>;

beforeAll(async () => {
  stage = await openStage();
  server = await startNats();
  nats = await connectNats({ url: server.url, name: 'ops', log });
  await ensureStream(nats, 'EVT_BROKER');
  const owner: FeedDeps['owner'] = {
    // It has nothing to add to what is announced here.
    watchEvents: async function* () {
      yield { told: { $case: 'synced', value: { position: 0n } }, resumeToken: '' };
    },
  };
  const deps = { nats, owner, service: 'ops', clock, log, db: stage.db, holder: 'one', signal: stop.signal };
  done = runFeed(deps, feedOf('broker'));
});
afterAll(async () => {
  stop.abort();
  await done;
  await nats?.close();
  await server?.stop();
  await stage?.close();
});

const subject = factSubject({ service: 'broker', resourceType: 'connection', type: 'ConnectionMoved', accountId: 'a' });
const announce = async ({ headers, body }: IncomingMessage): Promise<void> => {
  const given = createHeaders();
  for (const [name, value] of Object.entries(headers)) given.set(name, value);
  await nats.js.publish(subject, body, { headers: given });
};
const kept = async () => (await factsBefore(stage.db, everything, null, 100)).map(({ event_id }) => event_id).reverse();
const keeps = (ids: readonly string[]) =>
  vi.waitFor(async () => expect(await kept()).toEqual(ids), { timeout: 20_000, interval: 20 });

describe('an emptied JetStream', () => {
  it('is taken in anew, and nothing of it is kept or counted twice', async () => {
    const messages = [
      connectionMoved('ep-a', 0n, ['', 'CONNECTING']),
      connectionMoved('ep-a', 1n, ['CONNECTING', 'CONNECTED']),
    ];
    for (const message of messages) await announce(message);
    await keeps(['connection-ep-a@0', 'connection-ep-a@1']);
    await server.halt();
    server.wipe();
    await server.start();
    // Whoever publishes declares the stream again, and announces everything again.
    await vi.waitFor(() => ensureStream(nats, 'EVT_BROKER'), { timeout: 20_000 });
    for (const message of messages) await announce(message);
    await announce(connectionMoved('ep-a', 2n, ['CONNECTED', 'CHANGING']));
    await keeps(['connection-ep-a@0', 'connection-ep-a@1', 'connection-ep-a@2']);
    const changes = await readChanges(stage.db, { accountId: null }, 60);
    expect(changes.reduce((sum, { count }) => sum + count, 0)).toBe(3);
  });
});
