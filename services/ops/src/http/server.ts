import { randomUUID } from 'node:crypto';
import cookie from '@fastify/cookie';
import swagger from '@fastify/swagger';
import type { Clock } from '@privatelink/shared/eventing/ports';
import type { PageTokens } from '@privatelink/shared/grpc/page-token';
import type { TokenVerifier } from '@privatelink/shared/grpc/tokens';
import type { Db } from '@privatelink/shared/postgres/connect';
import Fastify, { type FastifyReply, type FastifyRequest, LogController } from 'fastify';
import {
  jsonSchemaTransform,
  serializerCompiler,
  validatorCompiler,
  type ZodTypeProvider,
} from 'fastify-type-provider-zod';
import type { Logger } from 'pino';
import type { Measured } from '../measured/measured.ts';
import { authenticator, demandToken } from './authentication.ts';
import { answerTo, internalError, refuseUnread } from './errors.ts';
import { factRoutes } from './fact-routes.ts';
import { factTail } from './fact-tail.ts';
import { listRoutes } from './list-routes.ts';
import { liveRoutes } from './live-routes.ts';
import { measure } from './measure.ts';
import { measuredRoutes } from './measured-routes.ts';
import { overviewRoutes } from './overview-routes.ts';
import { takeNoOthers } from './query-text.ts';
import { rpcRoutes, type ServiceClients } from './rpc-routes.ts';
import { HEADERS, protect } from './security.ts';
import { loginRoute, sessionRoutes } from './session-routes.ts';
import { topologyRoutes } from './topology-routes.ts';
import { visibleRoutes } from './visible-routes.ts';
import { webRoutes } from './web-routes.ts';

export type HttpOptions = Readonly<{
  db: Db;
  pages: PageTokens;
  verifier: TokenVerifier;
  clients: ServiceClients;
  clock: Clock;
  log: Logger;
  /** Under which browsers reach it. */
  origins: readonly string[];
  webDir: string | undefined;
  loginDir: string | undefined;
  region: string;
  zones: readonly string[];
  measured: Measured;
  /** Ends streams that would not end by themselves. */
  signal: AbortSignal;
  /** How long somebody may take over what he asks. */
  requestTimeoutMs?: number;
  /** How long a connection stays on which nothing moves. */
  idleTimeoutMs?: number;
}>;

const MAX_BODY_BYTES = 64 * 1024;
const REQUEST_TIMEOUT_MS = 30_000;
/** More than a live stream is ever silent, or an RPC takes. */
const IDLE_TIMEOUT_MS = 60_000;

const createApp = ({
  log,
  requestTimeoutMs = REQUEST_TIMEOUT_MS,
  idleTimeoutMs = IDLE_TIMEOUT_MS,
}: Pick<HttpOptions, 'log' | 'requestTimeoutMs' | 'idleTimeoutMs'>) =>
  Fastify({
    loggerInstance: log.child({ part: 'http' }),
    // Addresses may carry the code of a login link.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: requestTimeoutMs,
    // With more time for headers than for all, Node takes the one for the other.
    http: { headersTimeout: requestTimeoutMs, connectionsCheckingInterval: requestTimeoutMs / 2 },
    // Who does not read what is sent to him.
    connectionTimeout: idleTimeoutMs,
    forceCloseConnections: true,
    // Who asks for a head alone would take a login link, or have a list read, for nothing.
    exposeHeadRoutes: false,
    frameworkErrors: (error, request, reply) => refuse(error, request, reply.headers(HEADERS)),
    clientErrorHandler: refuseUnread,
    genReqId: () => randomUUID(),
  }).withTypeProvider<ZodTypeProvider>();

export type App = ReturnType<typeof createApp>;

const refuse = (error: unknown, request: FastifyRequest, reply: FastifyReply): void => {
  const known = answerTo(error);
  if (!known) request.log.error({ err: error, errorId: request.id, method: request.method }, 'bug');
  const { http, body } = known ?? internalError(request.id);
  void reply.code(http).send(body);
};

/** The API and the pages, ready to listen. */
export const createHttpServer = async (options: HttpOptions): Promise<App> => {
  const { db, verifier, clock, log, origins, signal } = options;
  const app = createApp(options);
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler(refuse);
  protect(app, origins);
  measure(app);
  await app.register(cookie);
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'PrivateLink for operators', version: '1', description: 'What the dashboard is made of.' },
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } } },
      security: [{ token: [] }],
    },
    transform: jsonSchemaTransform,
  });
  const authenticate = authenticator(verifier, origins);
  await app.register(async (scope) => {
    const routes = scope as unknown as App;
    demandToken(routes, authenticate);
    takeNoOthers(routes);
    sessionRoutes(routes, options);
    overviewRoutes(routes, db);
    measuredRoutes(routes, options.measured);
    topologyRoutes(routes, db);
    listRoutes(routes, options);
    visibleRoutes(routes, options.clients.provider);
    factRoutes(routes, db);
    liveRoutes(routes, { db, tail: factTail({ db, clock, log }), authenticate, signal });
    rpcRoutes(routes, options.clients);
  });
  await app.register(async (scope) => {
    const open = scope as unknown as App;
    loginRoute(open, options);
    open.get('/api/openapi.json', { schema: { hide: true } }, async () => app.swagger());
  });
  await webRoutes(app, options.webDir);
  await app.ready();
  return app;
};
