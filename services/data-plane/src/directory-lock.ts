import { rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';

/** Gives the directory back. */
export type Release = () => void;

/**
 * Of the agents that share a directory one works in it at a time. The broker tells only one what to do, but cannot
 * know when the one before has put its tools down.
 *
 * @returns null when it is another's and is not waited for, or when the signal aborts
 */
export type Lock = (options: Readonly<{ wait: boolean; signal: AbortSignal }>) => Promise<Release | null>;

/** Whoever listens on a socket in the directory has it: nobody listens for the dead. */
export const directoryLock =
  (directory: string): Lock =>
  async ({ wait, signal }) => {
    const path = join(directory, 'lock.sock');
    while (!signal.aborted) {
      const release = await listen(path);
      if (release) return release;
      const holder = await visit(path);
      if (!holder) await rm(path, { force: true });
      else if (!wait) {
        holder.destroy();
        return null;
      } else await untilGone(holder, signal);
    }
    return null;
  };

const listen = (path: string): Promise<Release | null> => {
  const { promise, resolve, reject } = Promise.withResolvers<Release | null>();
  const visitors = new Set<Socket>();
  const server = createServer((visitor) => {
    visitors.add(visitor);
    visitor.on('error', () => undefined).once('close', () => visitors.delete(visitor));
    visitor.resume();
  });
  server.once('error', (error: NodeJS.ErrnoException) => (error.code === 'EADDRINUSE' ? resolve(null) : reject(error)));
  server.listen(path, () =>
    resolve(() => {
      server.close();
      for (const visitor of visitors) visitor.destroy();
    }),
  );
  return promise;
};

/** A connection to the holder; null when there is none. */
const visit = (path: string): Promise<Socket | null> => {
  const { promise, resolve } = Promise.withResolvers<Socket | null>();
  const socket = connect(path, () => resolve(socket));
  socket.on('error', () => resolve(null));
  return promise;
};

const untilGone = (holder: Socket, signal: AbortSignal): Promise<void> => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const leave = (): void => {
    holder.destroy();
  };
  signal.addEventListener('abort', leave, { once: true });
  holder.resume().once('close', () => {
    signal.removeEventListener('abort', leave);
    resolve();
  });
  if (signal.aborted) leave();
  return promise;
};
