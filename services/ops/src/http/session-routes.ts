import { Unauthenticated } from '@privatelink/shared/app/errors';
import { roles } from '@privatelink/shared/grpc/access';
import type { Caller, TokenVerifier } from '@privatelink/shared/grpc/tokens';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { type Authenticate, SESSION_COOKIE } from './authentication.ts';
import { takeLogin } from './login.ts';
import type { App } from './server.ts';

export type SessionOptions = Readonly<{
  authenticate: Authenticate;
  verifier: TokenVerifier;
  loginDir: string | undefined;
  /** The cookie is sent over TLS alone. */
  secure: boolean;
  region: string;
  zones: readonly string[];
}>;

const session = z.object({
  subject: z.string(),
  accountId: z.string(),
  roles: z.array(z.enum(roles)),
  region: z.string(),
  zones: z.array(z.string()),
});

export const sessionRoutes = (app: App, options: SessionOptions): void => {
  const { authenticate, verifier, loginDir, secure, region, zones } = options;
  const cookie = { httpOnly: true, sameSite: 'strict', path: '/', secure } as const;
  const describe = ({ subject, accountId, roles }: Caller) => ({
    ...{ subject, accountId, roles: [...roles] },
    ...{ region, zones: [...zones] },
  });
  const begin = (reply: FastifyReply, token: string) => reply.setCookie(SESSION_COOKIE, token, cookie);

  app.get(
    '/login',
    { schema: { hide: true, querystring: z.object({ code: z.string().max(128) }) } },
    async ({ query }, reply) => {
      const token = loginDir === undefined ? null : await takeLogin(loginDir, query.code);
      // Not refused here: the page says what to do instead.
      if (token === null) return reply.redirect('/sign-in?used', 303);
      await verifier(token);
      // A redirect within the site it came from, so that a strict cookie is sent with it.
      return begin(reply, token).type('text/html').send(LANDING);
    },
  );

  app.get(
    '/api/session',
    { schema: { summary: 'Who asks', tags: ['session'], response: { 200: session } } },
    async (request) => describe((await authenticate(request)).caller),
  );

  app.post(
    '/api/session',
    {
      schema: { summary: 'Begins a session of a browser with a token', tags: ['session'], response: { 200: session } },
    },
    async (request, reply) => {
      if (!request.headers.authorization) throw new Unauthenticated('a token is wanted');
      const { caller, token } = await authenticate(request);
      void begin(reply, token);
      return describe(caller);
    },
  );

  app.delete(
    '/api/session',
    { schema: { summary: 'Ends the session of a browser', tags: ['session'], response: { 204: z.null() } } },
    async (request, reply) => {
      await authenticate(request);
      return reply.clearCookie(SESSION_COOKIE, cookie).code(204).send(null);
    },
  );
};

/** The link is followed from elsewhere, when a strict cookie is not sent yet; from here it is. */
const LANDING = `<!doctype html><html lang="en"><meta charset="utf-8"><title>PrivateLink</title>
<meta http-equiv="refresh" content="0; url=/"><a href="/">Continue</a></html>`;
