import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@privatelink/shared/runtime/clock';
import { pino } from 'pino';
import { createCli, type Processes, readProcesses } from './cli.ts';
import { createEngine, type Engine, type EngineOptions } from './engine.ts';
import type { Bind, Forward, Target } from './forward.ts';
import { MASTER_SOCKET } from './render.ts';

/** Real HAProxies, targets and clients for tests, on loopback addresses of their own. */

/** A test's own things, all of which end with it. */
export const openStage = () => {
  const dir = mkdtempSync(join(tmpdir(), 'privatelink-haproxy-'));
  const engines: Engine[] = [];
  const targets: Server[] = [];
  const sockets = new Set<Socket>();
  return {
    dir,
    /** An engine of the stage's directory: each but the first one finds what the one before it left. */
    engine: (options: Partial<EngineOptions> = {}): Engine => {
      const log = pino({ level: 'silent' });
      const binary = process.env['PRIVATELINK_HAPROXY'] ?? 'haproxy';
      const engine = createEngine({ binary, dir, log, clock: systemClock, ...options });
      engines.push(engine);
      return engine;
    },
    /** Answers each connection with its name, then echoes. */
    target: async (name: string, host = '127.0.0.1'): Promise<Target> => {
      const server = createServer((socket) => {
        socket.on('error', () => {});
        socket.write(name);
        socket.pipe(socket);
      });
      targets.push(server);
      return { ip: host, port: await listen(server, host) };
    },
    /** Shows what each connection sends. */
    watchedTarget: async (onData: (socket: Socket, data: Buffer) => void): Promise<Target> => {
      const server = createServer((socket) => {
        socket.on('error', () => {});
        socket.on('data', (data: Buffer) => onData(socket, data));
      });
      targets.push(server);
      return { ip: '127.0.0.1', port: await listen(server, '127.0.0.1') };
    },
    /** Listens, and lets nobody else, until the returned function is called. */
    occupy: async ({ host, port }: Bind): Promise<() => Promise<unknown>> => {
      const server = createServer();
      targets.push(server);
      await listen(server, host, port);
      return () => new Promise((resolve) => server.close(resolve));
    },
    connect: async (bind: Bind): Promise<Flow> => {
      const flow = await openFlow(bind);
      sockets.add(flow.socket);
      return flow;
    },
    processes: async (): Promise<Processes | null> =>
      readProcesses(await createCli(join(dir, MASTER_SOCKET))('show proc')),
    close: async (): Promise<void> => {
      for (const socket of sockets) socket.destroy();
      for (const server of targets) server.close();
      await engines[0]?.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
};

export type Stage = ReturnType<typeof openStage>;

const listen = (server: Server, host: string, port = 0): Promise<number> => {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  server.once('error', reject);
  server.listen(port, host, () => {
    const address = server.address();
    resolve(address && typeof address === 'object' ? address.port : 0);
  });
  return promise;
};

/** An address that nobody listens on. */
export const freeBind = async (host = '127.0.0.1'): Promise<Bind> => {
  const server = createServer();
  const port = await listen(server, host);
  await new Promise((resolve) => server.close(resolve));
  return { host, port, namespace: null };
};

export type Flow = Readonly<{
  socket: Socket;
  /** What the target said first. */
  greeting: string;
  /** Resolves with what came back, or fails when the flow is cut. */
  echo: (text: string) => Promise<string>;
  /** Resolves when the flow has been cut. */
  cut: Promise<void>;
}>;

const openFlow = async ({ host, port }: Bind): Promise<Flow> => {
  const socket = createConnection({ host, port });
  const cut = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.on('error', () => {});
  socket.setEncoding('utf8');
  const next = (): Promise<string> => {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    socket.once('data', (data) => resolve(data.toString()));
    void cut.then(() => reject(new Error(`${host}:${port} closed the connection`)));
    promise.catch(() => {});
    return promise;
  };
  const greeting = await next();
  return {
    socket,
    greeting,
    echo: (text) => {
      const answer = next();
      socket.write(text);
      return answer;
    },
    cut,
  };
};

/** `refused` when nobody listens there. */
export const tryConnect = ({ host, port }: Bind): Promise<'accepted' | 'refused'> => {
  const { promise, resolve, reject } = Promise.withResolvers<'accepted' | 'refused'>();
  const socket = createConnection({ host, port }, () => {
    socket.destroy();
    resolve('accepted');
  });
  socket.once('error', (error: NodeJS.ErrnoException) =>
    error.code === 'ECONNREFUSED' ? resolve('refused') : reject(error),
  );
  return promise;
};

export const forwardTo = (
  connectionId: string,
  binds: readonly Bind[],
  targets: readonly Target[],
  more: Partial<Forward> = {},
): Forward => ({
  connectionId,
  port: 8080,
  binds,
  targets,
  targetNamespace: null,
  ingress: null,
  source: null,
  proxyProtocol: false,
  ...more,
});
