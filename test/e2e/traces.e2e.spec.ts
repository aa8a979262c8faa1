import { context, propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { createEndpoint, endpointRequest, publishService, registerNetwork } from '../support/scenario.ts';
import { useStage } from '../support/stage.ts';
import { type Span, startTraceCollector, type TraceCollector } from '../support/trace-collector.ts';

const root = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 1 };
/** What a connection takes: who does what because of what. */
const CHAIN = [
  ['privatelink-consumer', 'privatelink.consumer.v1.ConsumerService/CreateEndpoint'],
  ['privatelink-provider', 'privatelink.provider.v1.ProviderService/AdmitEndpoint'],
  ['privatelink-broker', 'privatelink.broker.v1.BrokerService/RequestConnection'],
  ['privatelink-broker', 'connecting'],
  ['privatelink-dns', 'privatelink.dns.v1.DnsService/PutNames'],
  ['privatelink-data-plane', 'forwarding FORWARDING_STATE_READY'],
  ['privatelink-broker', 'privatelink.broker.v1.BrokerService/ReportForwarding'],
  ['privatelink-broker', 'EVT_BROKER announces'],
  ['privatelink-consumer', 'feed.consumer__broker_connections'],
] as const;

let collector: TraceCollector;
beforeAll(async () => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
});
afterAll(async () => {
  await collector?.close();
  context.disable();
  propagation.disable();
});

const stage = useStage(async () => {
  collector = await startTraceCollector();
  // What begins by itself is not traced: only what a caller wants so.
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint, OTEL_TRACES_SAMPLER_ARG: '0' };
  return { forwarding: 'loopback', env };
});

it('is one trace from the call of a client through events, sagas and NATS to DNS and forwarding', async () => {
  const { log, cast, follow } = stage();
  const { provider, consumer } = await cast();
  const service = await publishService(provider, log, { autoAccept: true, users: [consumer.account] });
  const network = await registerNetwork(consumer);
  const { endpointId } = await context.with(trace.setSpanContext(ROOT_CONTEXT, root), () =>
    createEndpoint(consumer, endpointRequest(service, network)),
  );
  await follow(consumer, endpointId).reaches('CONNECTED');

  const has = (service: string, name: string) => collector.spans.some((s) => s.service === service && s.name === name);
  await vi.waitFor(() => expect(CHAIN.filter(([service, name]) => !has(service, name))).toEqual([]), {
    timeout: 20_000,
  });
  expect(new Set(collector.spans.map(({ traceId }) => traceId))).toEqual(new Set([root.traceId]));
  // Each goes back to the caller's own span, over spans that are all there.
  const origins = (): ReadonlySet<string> => {
    const bySpan = new Map(collector.spans.map((span): [string, Span] => [span.spanId, span]));
    const originOf = (span: Span): string => {
      const parent = bySpan.get(span.parent);
      return parent ? originOf(parent) : span.parent;
    };
    return new Set(collector.spans.map(originOf));
  };
  await vi.waitFor(() => expect(origins()).toEqual(new Set([root.spanId])), { timeout: 20_000 });
});
