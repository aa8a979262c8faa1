import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createConnection, createServer } from 'node:net';

export const loopback = '127.0.0.1';

/** Whether nobody listens on a TCP port of the loopback address. */
export async function isTcpPortFree(port: number): Promise<boolean> {
  return (await listenOnce(port)) !== undefined;
}

/** Whether nobody listens on a UDP port of the loopback address. */
export async function isUdpPortFree(port: number): Promise<boolean> {
  const socket = createSocket('udp4');
  try {
    socket.bind(port, loopback);
    await once(socket, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    socket.close();
  }
}

/** Whether somebody accepts TCP connections on a port of the loopback address. */
export async function isListening(port: number): Promise<boolean> {
  const socket = createConnection({ host: loopback, port });
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** A port that is free for TCP and UDP at this moment and was not given out before by this process. */
export async function findFreePort(): Promise<number> {
  for (;;) {
    const port = await listenOnce(0);
    if (port === undefined || givenOut.has(port) || !(await isUdpPortFree(port))) continue;
    givenOut.add(port);
    return port;
  }
}

const givenOut = new Set<number>();

async function listenOnce(port: number): Promise<number | undefined> {
  const server = createServer();
  try {
    server.listen(port, loopback);
    await once(server, 'listening');
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : undefined;
  } catch {
    return undefined;
  } finally {
    server.close();
  }
}
