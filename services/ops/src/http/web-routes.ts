import fastifyStatic from '@fastify/static';
import { NotFound } from './errors.ts';
import type { App } from './server.ts';

const HASHED = /[\\/]assets[\\/]/;

/** The built pages; whatever is no file of them is a place within the page. */
export const webRoutes = async (app: App, webDir: string | undefined): Promise<void> => {
  if (webDir !== undefined) {
    await app.register(fastifyStatic, {
      root: webDir,
      // Names of assets are hashes of what is in them.
      setHeaders: (reply, path) =>
        void reply.header('cache-control', HASHED.test(path) ? 'public, max-age=31536000, immutable' : 'no-cache'),
    });
  }
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?')[0] ?? '';
    const isPage = request.method === 'GET' && !path.startsWith('/api/') && !path.includes('.');
    if (!isPage || webDir === undefined) throw new NotFound();
    return reply.header('cache-control', 'no-cache').sendFile('index.html');
  });
};
