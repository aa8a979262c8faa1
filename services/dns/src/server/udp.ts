import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { Answer } from './answer.ts';
import type { RateLimit } from './rate-limit.ts';
import type { ServerLog } from './server-log.ts';

type UdpOptions = {
  host: string;
  port: number;
  answer: Answer;
  log: ServerLog;
  rateLimit?: RateLimit | undefined;
};

/** Binds a UDP socket that answers each datagram to where it came from. */
export async function bindUdp({ host, port, answer, log, rateLimit }: UdpOptions): Promise<Socket> {
  const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
  const bound = Promise.withResolvers<void>();
  socket.once('error', bound.reject);
  socket.bind(port, host, bound.resolve);
  try {
    await bound.promise;
  } catch (error) {
    socket.close();
    throw error;
  }
  socket.off('error', bound.reject);
  socket.on('error', (error) => log.warn({ err: error }, 'DNS over UDP: socket error'));
  socket.on('message', (packet, from) => {
    // A forged datagram may come from port 0, to which nothing can be sent.
    if (from.port === 0) return;
    const verdict = rateLimit ? rateLimit(from.address, performance.now()) : 'answer';
    if (verdict === 'drop') return;
    const response = answer(packet, 'udp', verdict === 'slip');
    if (response === 'drop') return;
    socket.send(response, from.port, from.address, (error) => {
      if (error) log.debug({ err: error, to: from.address }, 'DNS over UDP: response not sent');
    });
  });
  return socket;
}
