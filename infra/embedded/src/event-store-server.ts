import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findFreePort, isListening, loopback } from './free-port.ts';
import { type Program, startStandalone } from './program.ts';
import { nodeOptions } from './service-environment.ts';
import { waitUntil } from './wait-until.ts';

const main = fileURLToPath(new URL('./event-store/main.ts', import.meta.url));

export type EventStoreOptions = { readonly dataDir: string; readonly port: number };
export type EventStore = { readonly program: Program; readonly url: string };

/** The embedded event store as a process of its own. It opens its port once its data has been recovered. */
export function eventStoreServer({ dataDir, port }: EventStoreOptions): EventStore {
  return {
    url: `kurrentdb://${loopback}:${port}?tls=false`,
    program: {
      name: 'event-store',
      quiet: true,
      prepare: async () => ({
        name: 'event-store',
        command: process.execPath,
        args: [main, '--data-dir', join(dataDir, 'event-store'), '--port', String(port)],
        env: { NODE_OPTIONS: nodeOptions, ...process.env },
        stopSignal: 'SIGTERM',
      }),
      ready: (signal) => waitUntil(() => isListening(port), signal),
    },
  };
}

/** An embedded event store by itself, for tests: `port` 0 takes a free one. */
export async function startEventStore(options: EventStoreOptions): Promise<EventStore & { stop(): Promise<void> }> {
  const port = options.port === 0 ? await findFreePort() : options.port;
  const eventStore = eventStoreServer({ ...options, port });
  const { stop } = await startStandalone(eventStore.program);
  return { ...eventStore, stop };
}
