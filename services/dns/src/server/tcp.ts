import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import type { Answer } from './answer.ts';
import type { ServerLog } from './server-log.ts';
import { createFrames } from './tcp-frames.ts';

type TcpOptions = {
  host: string;
  port: number;
  answer: Answer;
  log: ServerLog;
  /** At this many connections the one that has been idle longest makes room for a new one. */
  maxConnections: number;
  /** Milliseconds a connection may last without a whole query. */
  idleTimeout: number;
};

/** Listens for DNS over TCP (RFC 7766): many queries per connection, answered in order. */
export async function listenTcp(options: TcpOptions): Promise<{ close(): Promise<void> }> {
  const { host, port, log, maxConnections } = options;
  /** Longest idle first. */
  const connections = new Set<Socket>();
  const server = createServer((socket) => {
    for (const idle of connections) {
      if (connections.size < maxConnections) break;
      connections.delete(idle);
      idle.destroy();
    }
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
    serve(socket, options, () => {
      connections.delete(socket);
      connections.add(socket);
    });
  });
  server.listen(port, host);
  await once(server, 'listening');
  server.on('error', (error) => log.warn({ err: error }, 'DNS over TCP: server error'));
  return {
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of connections) socket.destroy();
      await closed;
    },
  };
}

function serve(socket: Socket, { answer, log, idleTimeout }: TcpOptions, onQuery: () => void): void {
  // Not the socket's own timeout: a byte now and then must not keep a connection.
  const idle = setTimeout(() => socket.destroy(), idleTimeout);
  const receive = createFrames((message) => {
    const response = answer(message, 'tcp');
    if (response === 'drop') return;
    idle.refresh();
    onQuery();
    // A client that asks without reading is not read from until it does.
    if (!socket.write(frame(response))) socket.pause();
  });
  socket.on('data', receive);
  socket.on('drain', () => socket.resume());
  socket.on('error', (error) => log.debug({ err: error }, 'DNS over TCP: connection error'));
  socket.once('close', () => clearTimeout(idle));
}

/** Length and message in one write, so that they leave in one segment. */
function frame(message: Buffer): Buffer {
  const framed = Buffer.allocUnsafe(2 + message.length);
  framed.writeUInt16BE(message.length, 0);
  message.copy(framed, 2);
  return framed;
}
