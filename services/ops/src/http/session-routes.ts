import { Unauthenticated } from '@privatelink/shared/app/errors';
import { roles } from '@privatelink/shared/grpc/access';
import type { Caller, TokenVerifier } from '@privatelink/shared/grpc/tokens';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { SESSION_COOKIE } from './authentication.ts';
import { takeLogin } from './login.ts';
import type { App } from './server.ts';

export type SessionOptions = Readonly<{
  verifier: TokenVerifier;
  loginDir: string | undefined;
  /** Under which browsers reach it. */
  origins: readonly string[];
  region: string;
  zones: readonly string[];
}>;

type Origins = Pick<SessionOptions, 'origins'>;

/** Sent over TLS alone where there is TLS. */
const cookieOf = ({ origins }: Origins) =>
  ({
    httpOnly: true,
    sameSite: 'strict',
    path: '/',
    secure: origins.every((one) => one.startsWith('https:')),
  }) as const;

const begin = (reply: FastifyReply, token: string, origins: Origins) =>
  reply.setCookie(SESSION_COOKIE, token, cookieOf(origins));

/** A link that begins a session of a browser, once. */
export const loginRoute = (app: App, options: SessionOptions): void => {
  const { verifier, loginDir } = options;
  app.get(
    '/login',
    { schema: { hide: true, querystring: z.object({ code: z.string().max(128) }) } },
    async ({ query }, reply) => {
      const token = loginDir === undefined ? null : await takeLogin(loginDir, query.code);
      // Not refused here: the page says what to do instead.
      if (token === null) return reply.redirect('/sign-in?used', 303);
      await verifier(token);
      // A redirect within the site it came from, so that a strict cookie is sent with it.
      return begin(reply, token, options).type('text/html').send(LANDING);
    },
  );
};

const session = z.object({
  subject: z.string(),
  accountId: z.string(),
  roles: z.array(z.enum(roles)),
  region: z.string(),
  zones: z.array(z.string()),
});

export const sessionRoutes = (app: App, options: SessionOptions): void => {
  const { region, zones } = options;
  const describe = ({ subject, accountId, roles }: Caller) => ({
    ...{ subject, accountId, roles: [...roles] },
    ...{ region, zones: [...zones] },
  });

  app.get(
    '/api/session',
    { schema: { summary: 'Who asks', tags: ['session'], response: { 200: session } } },
    async ({ signed }) => describe(signed.caller),
  );

  app.post(
    '/api/session',
    {
      schema: { summary: 'Begins a session of a browser with a token', tags: ['session'], response: { 200: session } },
    },
    async ({ headers, signed }, reply) => {
      if (!headers.authorization) throw new Unauthenticated('a token is wanted');
      void begin(reply, signed.token, options);
      return describe(signed.caller);
    },
  );

  app.delete(
    '/api/session',
    { schema: { summary: 'Ends the session of a browser', tags: ['session'], response: { 204: z.null() } } },
    async (_request, reply) => reply.clearCookie(SESSION_COOKIE, cookieOf(options)).code(204).send(null),
  );
};

/** The link is followed from elsewhere, when a strict cookie is not sent yet; from here it is. */
const LANDING = `<!doctype html><html lang="en"><meta charset="utf-8"><title>PrivateLink</title>
<meta http-equiv="refresh" content="0; url=/"><a href="/">Continue</a></html>`;
