import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEventStore } from '@privatelink/embedded/event-store/event-store';
import { connectEventStore } from '@privatelink/shared/kurrent/event-store';

export const CATEGORIES = ['red', 'green', 'blue'];

/** An embedded event store with a directory of its own. */
export const startEmbedded = async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'privatelink-adapter-'));
  let server = await startEventStore({ dataDir, port: 0 });
  const { port } = server;
  return {
    port,
    halt: () => server.close(),
    /** Once more, on the same port and data. */
    restart: async () => {
      server = await startEventStore({ dataDir, port });
    },
    stop: async () => {
      await server.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
};

export const urlOf = (port: number): string => `kurrentdb://127.0.0.1:${port}?tls=false`;

export const openEmbedded = async () => {
  const server = await startEmbedded();
  const store = connectEventStore(urlOf(server.port), CATEGORIES);
  const close = async () => {
    await store.close();
    await server.stop();
  };
  return { store, close };
};
