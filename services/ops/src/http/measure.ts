import { http } from '@privatelink/shared/telemetry/metrics';
import type { App } from './server.ts';

/** Of each request how long it took, by the route that is declared and not by what was asked for. */
export const measure = (app: App): void => {
  app.addHook('onResponse', async ({ method, routeOptions: { url = 'none' } }, reply) => {
    const isStream = String(reply.raw.getHeader('content-type')).startsWith('text/event-stream');
    // A stream takes as long as somebody looks.
    if (!isStream) http.duration.observe({ method, route: url, code: reply.statusCode }, reply.elapsedTime / 1_000);
  });
};
