import { mkdir } from 'node:fs/promises';
import { BrokerServiceClient } from '@privatelink/proto/broker/v1/broker_service';
import { connect } from '@privatelink/shared/grpc/client';
import { startGrpcServer } from '@privatelink/shared/grpc/server';
import { tokenVerifier } from '@privatelink/shared/grpc/tokens';
import { systemClock } from '@privatelink/shared/runtime/clock';
import { loadConfig } from '@privatelink/shared/runtime/config';
import { runService } from '@privatelink/shared/runtime/lifecycle';
import { serveMetrics } from '@privatelink/shared/telemetry/serve-metrics';
import { startTracing } from '@privatelink/shared/telemetry/start-tracing';
import { runAgent } from './agent.ts';
import { agentConfig } from './config.ts';
import { directoryLock } from './directory-lock.ts';
import { createEngine } from './haproxy/engine.ts';
import { nftablesLimits } from './limits/nftables.ts';
import { loopbackMode } from './modes/loopback.ts';
import { namespacesMode } from './modes/namespaces.ts';
import { probe } from './modes/probe.ts';

const DRAIN_MS = 1_000;

await runService('data-plane', async (service) => {
  const { log, signal } = service;
  const config = loadConfig(agentConfig, process.env);
  const { directory, haproxy, loopbackRange, mode } = config;
  startTracing('data-plane', service, config);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  if (config.metricsListen) {
    const metrics = await serveMetrics({ listen: config.metricsListen, looks: [], log });
    service.onStop(metrics.close);
  }

  const broker = connect(BrokerServiceClient, config.addresses.broker, { token: { file: config.tokenFile } });
  service.onStop(broker.close);
  const clock = systemClock;
  const running = runAgent({
    zoneId: config.zone,
    name: config.instance,
    broker,
    createEngine: () => createEngine({ binary: haproxy, dir: directory, log, clock }),
    createMode:
      mode === 'namespaces' ? () => namespacesMode({ directory, log }) : loopbackMode({ range: loopbackRange, probe }),
    createLimits: () => nftablesLimits({ zoneId: config.zone, directory, log }),
    lock: directoryLock(directory),
    onStop: config.onStop,
    clock,
    log,
    signal,
  });
  running.catch(service.fail);
  service.onStop(() => running);

  const server = await startGrpcServer({
    service: 'data-plane',
    listen: config.grpcListen,
    services: [],
    catalogue: {},
    verifier: tokenVerifier({ jwksFile: config.jwksFile }),
    log,
    reflection: config.reflection,
  });
  service.onStop(() => server.stop(DRAIN_MS));
});
