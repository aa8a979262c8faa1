import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KurrentDBClient } from '@kurrent/kurrentdb-client';
import { startEventStore } from '@privatelink/embedded/event-store/event-store';

/** The server under test: the one PRIVATELINK_EVENT_STORE names, else an embedded store of its own. */
export type Target = {
  readonly client: KurrentDBClient;
  /** A further client with connections of its own. */
  connect(): KurrentDBClient;
  close(): Promise<void>;
};

export async function openTarget(): Promise<Target> {
  const given = process.env['PRIVATELINK_EVENT_STORE'];
  const embedded = given === undefined || given === '' ? await startEmbedded() : undefined;
  const url = embedded?.url ?? given ?? '';
  const clients: KurrentDBClient[] = [];
  const connect = (): KurrentDBClient => {
    const client = KurrentDBClient.connectionString(url);
    clients.push(client);
    return client;
  };
  return {
    client: connect(),
    connect,
    async close() {
      await Promise.all(clients.map((client) => client.dispose()));
      await embedded?.close();
    },
  };
}

async function startEmbedded(): Promise<{ url: string; close(): Promise<void> }> {
  const dataDir = await mkdtemp(join(tmpdir(), 'privatelink-conformance-'));
  const store = await startEventStore({ dataDir, port: 0 });
  return {
    url: store.url,
    async close() {
      await store.close();
      await rm(dataDir, { recursive: true });
    },
  };
}
