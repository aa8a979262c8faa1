import { isIPv4 } from 'node:net';
import { startServer } from './server/server.ts';
import { openDatabase } from './storage/database.ts';
import { createReader } from './storage/reader.ts';
import { createStreamStates } from './storage/stream-states.ts';
import { createTail } from './storage/tail.ts';
import { createWriter } from './storage/writer.ts';
import { createCommits } from './subscriptions/commits.ts';

export type EventStoreOptions = {
  readonly dataDir: string;
  /** A loopback address; 127.0.0.1 if not given. */
  readonly host?: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly log?: (line: string) => void;
  /** The disk failed during a commit: the store has stopped writing for good. */
  readonly onFailure?: (error: Error) => void;
};

export type EventStore = {
  /** For the client: `kurrentdb://127.0.0.1:PORT?tls=false`. */
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
};

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

/** Starts the single-node event store on a data directory. Rejects with a message of one line. */
export async function startEventStore(options: EventStoreOptions): Promise<EventStore> {
  const { dataDir, host = '127.0.0.1', port, log = () => {}, onFailure = () => {} } = options;
  if (!isLoopback(host)) {
    throw new Error(`the embedded event store listens on loopback only, not on ${host}: it has no authentication`);
  }
  const { db, instanceId } = openDatabase(dataDir);
  try {
    const states = createStreamStates(db);
    const head = (db.prepare('select max(position) as head from events').get() as { head: number | null }).head ?? 0;
    const tail = createTail(head);
    const commits = createCommits();
    const reader = createReader(db, states, tail);
    const writer = createWriter({
      db,
      states,
      head,
      committed(events) {
        tail.push(events);
        commits.publish(events);
      },
      broken: onFailure,
    });
    const server = await startServer({ reader, writer, commits, instanceId, host, port });
    log('embedded event store: for one machine, single node, no replication, loopback only');
    const address = host.includes(':') ? `[${host}]` : host;
    return {
      url: `kurrentdb://${address}:${server.port}?tls=false`,
      port: server.port,
      async close() {
        await server.close();
        db.close();
      },
    };
  } catch (error) {
    db.close();
    throw error;
  }
}
