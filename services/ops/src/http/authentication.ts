import { Denied, Unauthenticated } from '@privatelink/shared/app/errors';
import type { Caller, TokenVerifier } from '@privatelink/shared/grpc/tokens';
import type { FastifyRequest } from 'fastify';
import type { App } from './server.ts';

export const SESSION_COOKIE = 'privatelink_session';

/** Who asks, and the token that says so: it goes with whatever is asked of the services. */
export type Signed = Readonly<{ caller: Caller; token: string }>;

export type Authenticate = (request: FastifyRequest) => Promise<Signed>;

const SAFE = ['GET', 'HEAD'];

/**
 * By the header of a program or the cookie of a browser. A browser sends its cookie also when another site makes it
 * ask: what changes something must come from our own pages.
 *
 * @throws Unauthenticated, Denied
 */
export const authenticator =
  (verifier: TokenVerifier, origins: readonly string[]): Authenticate =>
  async (request) => {
    const [, bearer] = /^Bearer ([^\s]+)$/.exec(request.headers.authorization ?? '') ?? [];
    const token = bearer ?? request.cookies[SESSION_COOKIE];
    if (token === undefined) throw new Unauthenticated('a token is wanted, or a session');
    const isOwn = origins.includes(request.headers.origin ?? '');
    if (bearer === undefined && !SAFE.includes(request.method) && !isOwn) {
      throw new Denied('this must come from a page of this service');
    }
    return { caller: await verifier(token), token };
  };

declare module 'fastify' {
  interface FastifyRequest {
    /** Of every request that a route behind `demandToken` sees. */
    signed: Signed;
  }
}

/** Nothing of a request is read before it is known whose it is: holds of all routes that `app` is given after this. */
export const demandToken = (app: App, authenticate: Authenticate): void => {
  app.decorateRequest('signed');
  app.addHook('onRequest', async (request) => {
    request.signed = await authenticate(request);
  });
};
