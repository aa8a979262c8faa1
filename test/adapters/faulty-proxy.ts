import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** What happens to what the server says, or to whoever connects. */
export type Fault = 'none' | 'swallow answers' | 'refuse';

/** A TCP proxy before a server on loopback that can be told to misbehave. */
export const startFaultyProxy = async (target: () => number) => {
  let fault: Fault = 'none';
  let onSwallowed = Promise.withResolvers<void>();
  const sockets = new Set<Socket>();
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  };
  const server = createServer((client) => {
    keep(client);
    if (fault === 'refuse') return client.destroy();
    const upstream = connect(target(), '127.0.0.1');
    keep(upstream);
    client.on('data', (chunk) => upstream.write(chunk));
    upstream.on('data', (chunk) => {
      if (fault !== 'swallow answers') return client.write(chunk);
      onSwallowed.resolve();
      return undefined;
    });
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
    return undefined;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    port: address.port,
    set: (chosen: Fault) => {
      fault = chosen;
      onSwallowed = Promise.withResolvers();
    },
    /** Resolves once an answer has been swallowed. */
    swallowed: () => onSwallowed.promise,
    /** Breaks every connection. */
    cut: () => {
      for (const socket of sockets) socket.destroy();
    },
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
};
