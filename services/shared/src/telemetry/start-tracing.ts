import { context, propagation, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';

import type { Service } from '../runtime/lifecycle.ts';

const SEND_EVERY_MS = 1_000;

type Options = Readonly<{
  instance: string;
  traces: Readonly<{
    /** Of a collector that takes OTLP over HTTP; without one nothing is traced. */
    endpoint?: string | undefined;
    /** Which part of the traces that begin here is kept; whoever calls decides for theirs. */
    ratio: number;
  }>;
}>;

/** From here on, what this process does is traced, until the service stops. */
export const startTracing = (
  name: string,
  { onStop }: Pick<Service, 'onStop'>,
  { instance, traces: { endpoint, ratio } }: Options,
): void => {
  if (!endpoint) return;
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': `privatelink-${name}`, 'service.instance.id': instance }),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) }),
    spanProcessors: [
      new BatchSpanProcessor({
        scheduledDelayMillis: SEND_EVERY_MS,
        exporter: new OTLPTraceExporter({ url: `${endpoint.replace(/\/$/, '')}/v1/traces` }),
      }),
    ],
  });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  trace.setGlobalTracerProvider(provider);
  // A collector that is away keeps nobody from stopping.
  onStop(() => provider.shutdown().catch(() => undefined));
};
