import { setTimeout as delay } from 'node:timers/promises';
import { type JetStreamClient, type JetStreamManager, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { AuthorizationError, connect, type NatsConnection } from '@nats-io/transport-node';
import type { Logger } from 'pino';
import { StartupError } from '../runtime/startup-error.ts';

export type Nats = Readonly<{
  connection: NatsConnection;
  js: JetStreamClient;
  jsm: JetStreamManager;
  /** Copies that a NATS cluster keeps of each stream. */
  streamReplicas: number;
  isConnected: () => boolean;
  close: () => Promise<void>;
}>;

type Options = Readonly<{
  /** With user and password, e.g. `nats://provider:secret@localhost:4222`. */
  url: string;
  /** The service's name; its replies come to `_INBOX.<name>.>` only. */
  name: string;
  log: Logger;
  waitMs?: number;
  streamReplicas?: number;
}>;

const RETRY_MS = 250;
const CLOSE_MS = 2_000;

/**
 * Connects and, once connected, keeps reconnecting for ever. Waits a bounded time for a server that does not answer
 * yet.
 *
 * @throws StartupError: one line that names the server and the reason, without the password
 */
export const connectNats = async ({ url, name, log, waitMs = 15_000, streamReplicas = 1 }: Options): Promise<Nats> => {
  const { protocol, host, username, password } = new URL(url);
  const giveUpAt = Date.now() + waitMs;
  for (;;) {
    let connection: NatsConnection | null = null;
    try {
      connection = await connect({
        servers: `${protocol}//${host}`,
        ...(username && { user: decodeURIComponent(username), pass: decodeURIComponent(password) }),
        name,
        inboxPrefix: `_INBOX.${name}`,
        maxReconnectAttempts: -1,
        reconnectTimeWait: 250,
        ignoreAuthErrorAbort: true,
        timeout: 5_000,
        pingInterval: 10_000,
        // A stack trace kept for each publish costs more than the publish.
        noAsyncTraces: true,
      });
      const jsm = await jetstreamManager(connection, { checkAPI: true });
      const isConnected = followStatus(connection, log);
      return { connection, js: jetstream(connection), jsm, streamReplicas, isConnected, close: closer(connection) };
    } catch (cause) {
      await connection?.close();
      if (Date.now() + RETRY_MS < giveUpAt && !(cause instanceof AuthorizationError)) {
        await delay(RETRY_MS);
        continue;
      }
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new StartupError(`NATS at ${host} cannot be used: ${reason}`, { cause });
    }
  }
};

/** Logs what becomes of the connection, and knows whether it is there. */
const followStatus = (connection: NatsConnection, log: Logger): (() => boolean) => {
  let isConnected = true;
  void (async () => {
    for await (const status of connection.status()) {
      if (status.type === 'ping') continue;
      if (status.type === 'disconnect') isConnected = false;
      if (status.type === 'reconnect') isConnected = true;
      if (status.type === 'reconnect' || status.type === 'update') log.info({ status: status.type }, 'NATS connection');
      else log.warn({ status: status.type, ...('error' in status && { err: status.error }) }, 'NATS connection');
    }
    isConnected = false;
  })();
  return () => isConnected;
};

/** Sends what is still under way, unless the server is gone. */
const closer = (connection: NatsConnection) => async (): Promise<void> => {
  if (connection.isClosed()) return;
  await Promise.race([connection.drain().catch(() => undefined), delay(CLOSE_MS, undefined, { ref: false })]);
  await connection.close();
};
