import { Client, credentials } from '@grpc/grpc-js';
import { EventsServiceClient } from '@privatelink/proto/events/v1/events_service';
import { OperationsServiceService } from '@privatelink/proto/operations/v1/operations_service';
import { allRegions, allZones } from '@privatelink/shared/app/regions';
import { connect } from '@privatelink/shared/grpc/client';
import { readTokenSecret } from '@privatelink/shared/grpc/opaque-token';
import { pageTokens } from '@privatelink/shared/grpc/page-token';
import { startGrpcServer } from '@privatelink/shared/grpc/server';
import { tokenVerifier } from '@privatelink/shared/grpc/tokens';
import { connectNats } from '@privatelink/shared/nats/connect';
import type { Consumer } from '@privatelink/shared/nats/consumer';
import { deadLetters } from '@privatelink/shared/nats/dead-letters';
import { checkpointOf, runFeed, tailOf, takeInAgain } from '@privatelink/shared/nats/feed';
import { connectPostgres } from '@privatelink/shared/postgres/connect';
import { systemClock } from '@privatelink/shared/runtime/clock';
import { loadConfig } from '@privatelink/shared/runtime/config';
import { runService } from '@privatelink/shared/runtime/lifecycle';
import { lookAtConnections, lookAtDeadLetters } from '@privatelink/shared/runtime/looks';
import { operationsErrors, operationsService } from '@privatelink/shared/runtime/operations';
import { StartupError } from '@privatelink/shared/runtime/startup-error';
import type { Running } from '@privatelink/shared/runtime/subscription-operations';
import { type Look, serveMetrics } from '@privatelink/shared/telemetry/serve-metrics';
import { opsConfig } from './config.ts';
import type { ServiceClients } from './http/rpc-routes.ts';
import { createHttpServer } from './http/server.ts';
import { feedOf, sources } from './ingest/feeds.ts';
import { followMeasured } from './measured/measured.ts';
import { readFactLog } from './read-models/facts.ts';
import { ensureTables, schemaName } from './read-models/schema.ts';

const POOL_MAX = 12;
const DRAIN_MS = 1_000;

await runService('ops', async (service) => {
  const { log, signal } = service;
  const config = loadConfig(opsConfig, process.env);
  const { httpListen, instance, jwksFile } = config;
  const clock = systemClock;
  const looks: Look[] = [];
  if (config.metricsListen) {
    const metrics = await serveMetrics({ listen: config.metricsListen, looks, log });
    service.onStop(metrics.close);
  }
  const postgres = await connectPostgres({ url: config.postgres, schema: schemaName, poolMax: POOL_MAX, log });
  service.onStop(() => postgres.close());
  const { db } = postgres;
  const nats = await connectNats({ url: config.nats, name: instance, log });
  service.onStop(nats.close);
  looks.push(lookAtConnections({ nats, postgres }));
  await ensureTables(db);

  const handlers = new Map<string, Consumer['handle']>();
  const running: Running[] = [];
  for (const source of sources) {
    const owner = connect(EventsServiceClient, config.addresses[source], { token: { file: config.tokenFile } });
    service.onStop(owner.close);
    const deps = { db, nats, owner, service: 'ops', clock, log, signal, holder: instance };
    const feed = feedOf(source);
    const checkpoint = checkpointOf(feed);
    handlers.set(feed.name, (message) => takeInAgain(deps, feed, message));
    running.push({ name: checkpoint, checkpoint, tail: () => tailOf(nats, feed) });
    const ended = runFeed(deps, feed).catch((error: unknown) => {
      if (!signal.aborted) service.fail(new Error(`feed of ${source} failed`, { cause: error }));
    });
    service.onStop(() => ended);
  }
  const { measured, ended } = followMeasured({ ...config, zoneIds: allZones(allRegions(config)), clock, log, signal });
  ended.catch(service.fail);
  service.onStop(() => ended.then(() => undefined));
  const letters = deadLetters({ nats, service: 'ops', clock });
  looks.push(lookAtDeadLetters(letters, handlers));

  const clientOf = (addresses: readonly string[]): Client =>
    new Client(
      addresses.length > 1 ? `ipv4:${addresses.join(',')}` : (addresses[0] ?? ''),
      credentials.createInsecure(),
    );
  const clients: ServiceClients = {
    provider: clientOf(config.addresses.provider),
    consumer: clientOf(config.addresses.consumer),
    broker: clientOf(config.addresses.broker),
    dns: clientOf(config.addresses.dns),
    ops: clientOf([`${config.grpcListen.host}:${config.grpcListen.port}`]),
  };
  const verifier = tokenVerifier({ jwksFile });
  const { id: storeId } = await readFactLog(db);
  const pages = pageTokens({ secret: readTokenSecret(config.tokenSecretFile), storeId });
  const app = await createHttpServer({
    ...{ db, clients, clock, log, signal, verifier },
    ...{ webDir: config.webDir, loginDir: config.loginDir, region: config.region, zones: config.zones },
    ...{ pages, measured },
    origins: config.origin
      ? [config.origin]
      : [`http://127.0.0.1:${httpListen.port}`, `http://localhost:${httpListen.port}`],
  });
  service.onStop(() => {
    for (const client of Object.values(clients)) client.close();
  });
  await app.listen(httpListen).catch((cause: NodeJS.ErrnoException) => {
    throw new StartupError(`cannot listen on ${httpListen.host}:${httpListen.port}: ${cause.message}`, { cause });
  });
  service.onStop(() => app.close());

  const identity = { service: 'ops', instance };
  const operations = operationsService({ db, letters, handlers, pages, log, running, process: identity }, []);
  const server = await startGrpcServer({
    ...{ service: 'ops', listen: config.grpcListen, catalogue: operationsErrors },
    services: [{ definition: OperationsServiceService, implementation: operations }],
    ...{ verifier, log, reflection: config.reflection },
  });
  service.onStop(() => server.stop(DRAIN_MS));
});
