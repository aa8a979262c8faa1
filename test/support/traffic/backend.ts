import { createServer as createHttpServer, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { readProxyHeader } from '@privatelink/shared/testing/proxy-protocol';

/** What a backend says of itself, and of the endpoint that it was told: empty where it is told none. */
export type Answer = Readonly<{ zone: string; endpointId: string }>;

export type BackendOptions = Readonly<{
  zone: string;
  host?: string;
  port?: number;
  /** Whether connections begin with a header that names the endpoint. */
  proxyProtocol?: boolean;
}>;

/** What stands behind a service's resource: an HTTP server that answers everything with an `Answer`. */
export type Backend = Readonly<{ zone: string; ip: string; port: number; close: () => Promise<void> }>;

export const startBackend = async (options: BackendOptions): Promise<Backend> => {
  const { zone, host = '127.0.0.1', port = 0, proxyProtocol = true } = options;
  const sockets = new Map<Socket, string>();
  const http = createHttpServer(({ socket }, response: ServerResponse) => {
    const answer: Answer = { zone, endpointId: sockets.get(socket) ?? '' };
    response.setHeader('content-type', 'application/json').end(`${JSON.stringify(answer)}\n`);
  });
  // A flow stays until somebody cuts it.
  http.keepAliveTimeout = 0;
  const server = createServer((socket) => {
    sockets.set(socket, '');
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    const serve = (endpointId: string): void => {
      sockets.set(socket, endpointId);
      http.emit('connection', socket);
    };
    if (proxyProtocol) afterHeader(socket, serve);
    else serve('');
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
  return {
    ...{ zone, ip: host },
    port: (server.address() as AddressInfo).port,
    close: () => {
      for (const socket of sockets.keys()) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
};

/** Reads the header that a connection begins with; what comes after it is left in the socket. */
const afterHeader = (socket: Socket, then: (endpointId: string) => void): void => {
  let data = Buffer.alloc(0);
  const read = (): void => {
    data = Buffer.concat([data, (socket.read() as Buffer | null) ?? Buffer.alloc(0)]);
    try {
      const header = readProxyHeader(data);
      if (!header) return;
      socket.off('readable', read);
      socket.unshift(data.subarray(header.length));
      then(header.uniqueId ?? '');
    } catch (error) {
      socket.destroy(error as Error);
    }
  };
  socket.on('readable', read);
};
