import type { Socket } from 'node:dgram';
import { type Answer, serverFailure } from './answer.ts';
import { createRateLimit, type RateLimitSettings } from './rate-limit.ts';
import type { ServerLog } from './server-log.ts';
import { listenTcp } from './tcp.ts';
import { bindUdp } from './udp.ts';

export type DnsServerOptions = {
  /** The address to listen on, for UDP and TCP alike. */
  host: string;
  /** 0 takes one that is free for both. */
  port: number;
  answer: Answer;
  log: ServerLog;
  limits?: {
    /** TCP connections at once (default 512). */
    tcpConnections?: number;
    /** Milliseconds a TCP connection may last without a whole query (default 10 s). */
    tcpIdleTimeout?: number;
    /** Off unless given. */
    rateLimit?: RateLimitSettings;
  };
};

export type DnsServer = { readonly port: number; close(): Promise<void> };

const defaultTcpConnections = 512;
const defaultTcpIdleTimeout = 10_000;
/** A free UDP port may be taken for TCP; another one is tried, so many times. */
const maxFreePortAttempts = 20;

/** Answers DNS over UDP and TCP on one port. Rejects with one clear message if it cannot listen there. */
export async function startDnsServer(options: DnsServerOptions): Promise<DnsServer> {
  const { host, port, log, limits = {} } = options;
  const answer = guarded(options.answer, log);
  const rateLimit = limits.rateLimit && createRateLimit(limits.rateLimit);
  const maxConnections = limits.tcpConnections ?? defaultTcpConnections;
  const idleTimeout = limits.tcpIdleTimeout ?? defaultTcpIdleTimeout;

  for (let attempt = 1; ; attempt++) {
    const udp = await bindUdp({ host, port, answer, log, rateLimit }).catch((error: unknown) => {
      throw listenError('UDP', host, port, error);
    });
    const bound = udp.address().port;
    try {
      const tcp = await listenTcp({ host, port: bound, answer, log, maxConnections, idleTimeout });
      let closing: Promise<unknown> | undefined;
      return {
        port: bound,
        async close() {
          closing ??= Promise.all([closeUdp(udp), tcp.close()]);
          await closing;
        },
      };
    } catch (error) {
      await closeUdp(udp);
      if (port !== 0 || !isCode(error, 'EADDRINUSE') || attempt === maxFreePortAttempts) {
        throw listenError('TCP', host, bound, error);
      }
    }
  }
}

/** A defect in answering costs one answer, not the server. */
function guarded(answer: Answer, log: ServerLog): Answer {
  return (packet, transport, truncate) => {
    try {
      return answer(packet, transport, truncate);
    } catch (error) {
      log.error({ err: error, packet: packet.toString('hex', 0, 512) }, 'DNS query could not be answered');
      return serverFailure(packet);
    }
  };
}

function closeUdp(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.close(() => resolve()));
}

function listenError(protocol: string, host: string, port: number, cause: unknown): Error {
  const reason = isCode(cause, 'EADDRINUSE')
    ? 'the port is in use'
    : isCode(cause, 'EACCES')
      ? 'no permission to use this port'
      : String(cause instanceof Error ? cause.message : cause);
  return new Error(`DNS cannot listen on ${host} port ${port} (${protocol}): ${reason}`, { cause });
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
