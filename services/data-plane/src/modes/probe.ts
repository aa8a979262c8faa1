import { createServer } from 'node:net';

/** `forbidden`: low ports are for root. `absent`: this machine has no such address. */
export type Verdict = 'free' | 'taken' | 'forbidden' | 'absent';

const VERDICTS: Readonly<Record<string, Verdict>> = {
  EACCES: 'forbidden',
  EPERM: 'forbidden',
  EADDRNOTAVAIL: 'absent',
};

/** Whether somebody could listen there now. */
export type Probe = (host: string, port: number) => Promise<Verdict>;

export const probe: Probe = (host, port) => {
  const { promise, resolve } = Promise.withResolvers<Verdict>();
  const server = createServer();
  server.once('error', (error: NodeJS.ErrnoException) => resolve(VERDICTS[error.code ?? ''] ?? 'taken'));
  server.listen({ host, port, exclusive: true }, () => server.close(() => resolve('free')));
  return promise;
};
