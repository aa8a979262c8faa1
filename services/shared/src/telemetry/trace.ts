import {
  type Attributes,
  type Context,
  context,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';

/** Of a message, an event or a call: by it, what follows is of the same trace (W3C Trace Context). */
export const TRACEPARENT = 'traceparent';

export type SpanOptions = Readonly<{
  kind: 'server' | 'client' | 'producer' | 'consumer';
  /** What led to it; that within which it runs, unless said. Where it is empty, nothing is traced. */
  parent?: string | undefined;
  attributes?: Attributes;
}>;

export type OpenSpan = Readonly<{ traceparent: string; end: (error?: unknown) => void }>;

const KINDS = {
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
} as const;
const nothing: OpenSpan = { traceparent: '', end: () => undefined };

/** Of what runs now; empty where nothing is traced. */
export const traceparent = (): string => traceparentIn(context.active());

const traceparentIn = (within: Context): string => {
  const carrier: Record<string, string> = {};
  propagation.inject(within, carrier);
  return carrier[TRACEPARENT] ?? '';
};

const open = (name: string, { kind, parent, attributes = {} }: SpanOptions) => {
  const from = parent === undefined ? context.active() : propagation.extract(ROOT_CONTEXT, { [TRACEPARENT]: parent });
  const span = trace.getTracer('privatelink').startSpan(name, { kind: KINDS[kind], attributes }, from);
  return { span, within: trace.setSpan(from, span) };
};

/** For what ends elsewhere than where it begins. */
export const startSpan = (name: string, options: SpanOptions): OpenSpan => {
  if (options.parent === '') return nothing;
  const { span, within } = open(name, options);
  return {
    traceparent: traceparentIn(within),
    end: (error) => {
      if (error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: String(error) });
      span.end();
    },
  };
};

/** Does it within a span, which all that it begins is part of. */
export const inSpan = async <T>(name: string, options: SpanOptions, work: () => Promise<T>): Promise<T> => {
  if (options.parent === '') return work();
  const { span, within } = open(name, options);
  try {
    return await context.with(within, work);
  } catch (error) {
    span.setStatus({ code: SpanStatusCode.ERROR, message: String(error) });
    throw error;
  } finally {
    span.end();
  }
};
