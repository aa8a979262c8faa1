import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { z } from 'zod';

const attributeSchema = z.object({ key: z.string(), value: z.object({ stringValue: z.string().optional() }) });
const exportSchema = z.object({
  resourceSpans: z.array(
    z.object({
      resource: z.object({ attributes: z.array(attributeSchema) }),
      scopeSpans: z.array(
        z.object({
          spans: z.array(
            z.object({
              traceId: z.string(),
              spanId: z.string(),
              parentSpanId: z.string().optional(),
              name: z.string(),
            }),
          ),
        }),
      ),
    }),
  ),
});

export type Span = Readonly<{ service: string; traceId: string; spanId: string; parent: string; name: string }>;

export type TraceCollector = Readonly<{
  /** For OTEL_EXPORTER_OTLP_ENDPOINT. */
  endpoint: string;
  spans: readonly Span[];
  close: () => Promise<void>;
}>;

/** Takes what is sent to it by OTLP over HTTP, in JSON. */
export const startTraceCollector = async (): Promise<TraceCollector> => {
  const spans: Span[] = [];
  const server = createServer(async (request, reply) => {
    const { resourceSpans } = exportSchema.parse(await json(request));
    for (const { resource, scopeSpans } of resourceSpans) {
      const named = resource.attributes.find(({ key }) => key === 'service.name');
      const service = named?.value.stringValue ?? '';
      for (const { parentSpanId: parent = '', ...span } of scopeSpans.flatMap((scope) => scope.spans)) {
        spans.push({ ...span, service, parent });
      }
    }
    reply.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no address');
  return {
    endpoint: `http://127.0.0.1:${address.port}`,
    spans,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};
