import { createServer } from 'node:http';
import type { Logger } from 'pino';
import { collectDefaultMetrics } from 'prom-client';
import type { Address } from '../runtime/config.ts';
import { StartupError } from '../runtime/startup-error.ts';
import { registry } from './metrics.ts';

/** What is only measured when somebody asks. */
export type Look = () => Promise<void> | void;

export type MetricsServer = Readonly<{ port: number; close: () => Promise<void> }>;

type Options = Readonly<{
  /** Port 0 takes a free one. */
  listen: Address;
  looks: readonly Look[];
  log: Logger;
}>;

/**
 * GET /metrics, in the text format of OpenMetrics. Asks for no token, and tells of no account.
 *
 * @throws StartupError when the address is taken
 */
export const serveMetrics = async ({ listen, looks, log }: Options): Promise<MetricsServer> => {
  if (!registry.getSingleMetric('process_start_time_seconds')) collectDefaultMetrics({ register: registry });
  let scrape: Promise<string> | undefined;

  const measure = async (): Promise<string> => {
    const looked = await Promise.allSettled(looks.map(async (look) => look()));
    for (const result of looked) {
      if (result.status === 'rejected') log.warn({ err: result.reason }, 'not measured');
    }
    return registry.metrics();
  };

  const server = createServer(async ({ method, url }, reply) => {
    if (url !== '/metrics' || (method !== 'GET' && method !== 'HEAD')) {
      reply.writeHead(url === '/metrics' ? 405 : 404).end();
      return;
    }
    // Whoever asks meanwhile gets the same: asking often costs no more.
    scrape ??= measure().finally(() => {
      scrape = undefined;
    });
    try {
      const text = await scrape;
      reply.writeHead(200, { 'content-type': registry.contentType }).end(text);
    } catch (err) {
      log.error({ err }, 'metrics could not be given');
      reply.writeHead(500).end();
    }
  });
  const bound = Promise.withResolvers<void>();
  server.once('error', bound.reject);
  server.listen(listen.port, listen.host, bound.resolve);
  await bound.promise.catch((cause: NodeJS.ErrnoException) => {
    const why = cause.code === 'EADDRINUSE' ? 'the port is in use by another process' : cause.message;
    throw new StartupError(`metrics cannot listen on ${listen.host}:${listen.port}: ${why}`, { cause });
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : listen.port,
    close: async () => {
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      server.closeAllConnections();
      await closed.promise;
    },
  };
};
