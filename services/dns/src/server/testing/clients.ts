import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createFrames } from '../tcp-frames.ts';

/** Sends one datagram and gives the first that comes back. */
export async function askUdp(port: number, packet: Buffer, host = '127.0.0.1'): Promise<Buffer> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  try {
    socket.send(packet, port, host);
    const [response] = await once(socket, 'message');
    return response;
  } finally {
    socket.close();
  }
}

/** A TCP connection that collects the messages it gets. */
export type TcpClient = {
  readonly socket: Socket;
  send(...packets: Buffer[]): void;
  /** The next so many messages, in order. */
  receive(count: number): Promise<Buffer[]>;
  readonly closed: Promise<unknown>;
};

export async function connectTcp(port: number, host = '127.0.0.1'): Promise<TcpClient> {
  const socket = connect({ port, host, noDelay: true });
  const received: Buffer[] = [];
  const read = createFrames((message) => {
    received.push(Buffer.from(message));
    socket.emit('message');
  });
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.on('error', () => socket.destroy());
  socket.on('data', read);
  await once(socket, 'connect');
  return {
    socket,
    closed,
    send: (...packets) => socket.write(Buffer.concat(packets.map(framed))),
    async receive(count) {
      while (received.length < count) {
        const outcome = await Promise.race([once(socket, 'message'), closed.then(() => 'closed')]);
        if (outcome === 'closed') throw new Error(`connection closed after ${received.length} of ${count} messages`);
      }
      return received.splice(0, count);
    },
  };
}

export function framed(packet: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(packet.length);
  return Buffer.concat([length, packet]);
}
