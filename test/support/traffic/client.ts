import { Agent, get } from 'node:http';
import type { Socket } from 'node:net';
import type { Answer } from './backend.ts';

/** What a backend answered, or the code of the error that the request ended with: `ECONNREFUSED`, `TIMEOUT`, ... */
export type Outcome = Answer | string;

/** One TCP connection. */
export type Flow = Readonly<{
  /** What the connection was opened for. */
  first: Outcome;
  /** Asks on this connection; an error's code once it is cut. */
  ask: () => Promise<Outcome>;
  /** Resolves with the time at which it was cut. */
  cut: Promise<number>;
  close: () => void;
}>;

/** Somebody who makes HTTP requests to `host:port`. */
export type Client = Readonly<{
  request: (address: string) => Promise<Outcome>;
  /** Opens a flow with a request. */
  open: (address: string) => Promise<Flow>;
}>;

const TIMEOUT_MS = 2_000;

/** In this process. */
export const localClient: Client = {
  request: async (address) => (await ask(address)).outcome,
  open: async (address) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const { outcome, socket } = await ask(address, agent);
    return {
      first: outcome,
      ask: async () => {
        if (!socket || socket.destroyed) return 'ECONNRESET';
        const again = await ask(address, agent);
        return again.socket === socket ? again.outcome : 'another connection';
      },
      cut: new Promise((resolve) => {
        if (!socket || socket.destroyed) resolve(Date.now());
        else socket.once('close', () => resolve(Date.now()));
      }),
      close: () => agent.destroy(),
    };
  },
};

/** `zone endpoint`, or the error's code. */
export const describeOutcome = (outcome: Outcome): string =>
  typeof outcome === 'string' ? outcome : `${outcome.zone} ${outcome.endpointId}`.trim();

const ask = (
  address: string,
  agent: Agent | false = false,
): Promise<Readonly<{ outcome: Outcome; socket: Socket | null }>> => {
  const { promise, resolve } = Promise.withResolvers<{ outcome: Outcome; socket: Socket | null }>();
  const request = get(`http://${address}/`, { agent }, async (response) => {
    const { socket } = response;
    try {
      const body = (await response.setEncoding('utf8').toArray()).join('');
      resolve({ outcome: JSON.parse(body) as Answer, socket });
    } catch (error) {
      resolve({ outcome: codeOf(error), socket });
    }
  });
  const timer = setTimeout(() => request.destroy(Object.assign(new Error('timeout'), { code: 'TIMEOUT' })), TIMEOUT_MS);
  request.on('error', (error) => resolve({ outcome: codeOf(error), socket: null }));
  request.on('close', () => clearTimeout(timer));
  return promise;
};

const codeOf = (error: unknown): string => String((error as NodeJS.ErrnoException).code ?? error);
