import { Denied } from '@privatelink/shared/app/errors';
import type { App } from './server.ts';

const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Static files say themselves how long they last. */
export const HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

/** What holds of every answer, and of every request whoever it is from. */
export const protect = (app: App, origins: readonly string[]): void => {
  const hosts = origins.map((origin) => new URL(origin).host);
  app.addHook('onRequest', async (request, reply) => {
    void reply.headers(HEADERS);
    // A name of somebody else's that leads here makes their pages ours.
    if (!hosts.includes(request.headers.host ?? '')) throw new Denied('this service is not reached by that name');
  });
};
