import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { BackendOptions } from './backend.ts';
import type { Client, Outcome } from './client.ts';
import type { Command } from './machine-main.ts';

/** A machine in a network: a process in a network namespace that makes requests and answers them. */
export type Machine = Client &
  Readonly<{
    /** Starts a server on it. @returns its port */
    serve: (options: BackendOptions) => Promise<number>;
    stop: () => Promise<void>;
  }>;

type WithoutId<C> = C extends unknown ? Omit<C, 'id'> : never;

const main = fileURLToPath(new URL('machine-main.ts', import.meta.url));

export const startMachine = async (namespace: string): Promise<Machine> => {
  // In a group of its own: ctrl-C is for whoever started it, who takes everything down in order.
  const child = spawn('ip', ['netns', 'exec', namespace, process.execPath, main], {
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true,
  });
  const exited = once(child, 'exit');
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  let commands = 0;
  createInterface({ input: child.stdout }).on('line', (line) => {
    const { id, result, error } = JSON.parse(line) as { id: number; result?: unknown; error?: string };
    if (error === undefined) waiting.get(id)?.resolve(result);
    else waiting.get(id)?.reject(new Error(error));
    waiting.delete(id);
  });
  child.stdin.on('error', () => undefined);
  child.on('exit', () => {
    for (const { reject } of waiting.values()) reject(new Error(`the machine in ${namespace} has stopped`));
  });
  const tell = (command: WithoutId<Command>): Readonly<{ id: number; answered: Promise<unknown> }> => {
    const id = commands++;
    const answer = Promise.withResolvers<unknown>();
    answer.promise.catch(() => undefined);
    waiting.set(id, answer);
    child.stdin.write(`${JSON.stringify({ ...command, id })}\n`);
    return { id, answered: answer.promise };
  };

  await once(child, 'spawn');
  return {
    serve: async ({ zone, host = '127.0.0.1', port = 0, proxyProtocol = true }) =>
      (await tell({ do: 'serve', zone, host, port, proxyProtocol }).answered) as number,
    request: async (address) => (await tell({ do: 'request', address }).answered) as Outcome,
    open: async (address) => {
      const { id: flow, answered } = tell({ do: 'open', address });
      const first = (await answered) as Outcome;
      return {
        first,
        ask: async () => (await tell({ do: 'ask', flow }).answered) as Outcome,
        cut: tell({ do: 'await cut', flow }).answered as Promise<number>,
        close: () => void tell({ do: 'close', flow }),
      };
    },
    stop: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
};
