import { once } from 'node:events';
import type { handleServerStreamingCall, handleUnaryCall, ServerWritableStream } from '@grpc/grpc-js';
import { inSpan, TRACEPARENT } from '../telemetry/trace.ts';
import type { RpcContext } from './context.ts';
import { readable } from './limited-definition.ts';
import { toPreview } from './preview.ts';
import { type RunningCall, runningCall } from './running-call.ts';

/** A handler that answers once. What it throws becomes a status in the error funnel, so that it never catches. */
export const unary =
  <Request extends object, Response>(
    handle: (request: Request, rpc: RpcContext) => Promise<Response>,
  ): handleUnaryCall<Request, Response> =>
  (call, callback) => {
    const running = runningCall(call.metadata);
    const work = async (): Promise<Response> => {
      const request = readable(call.request);
      const rpc = running.contextFor(request);
      const [parent] = call.metadata.get(TRACEPARENT);
      const span = { kind: 'server', ...(parent !== undefined && { parent: String(parent) }) } as const;
      const response = await inSpan(rpc.method, span, () => handle(request, rpc));
      if (!rpc.rehearsal) return response;
      await running.foresee(rpc.rehearsal, rpc);
      return { ...response, preview: toPreview(rpc.rehearsal) };
    };
    unlessAborted(running.signal, work()).then(
      (response) => callback(null, response),
      (error: unknown) => callback(running.refuse(error)),
    );
  };

/** A handler that answers with a stream, no faster than the caller reads it. It ends with the iteration. */
export const serverStream =
  <Request extends object, Response>(
    handle: (request: Request, rpc: RpcContext) => AsyncIterable<Response>,
  ): handleServerStreamingCall<Request, Response> =>
  (call) => {
    const running = runningCall(call.metadata);
    pump(call, running, () => {
      const request = readable(call.request);
      return handle(request, running.contextFor(request));
    }).then(
      () => call.end(),
      (error: unknown) => call.emit('error', running.refuse(error)),
    );
  };

const pump = async <Request, Response>(
  call: ServerWritableStream<Request, Response>,
  { signal }: RunningCall,
  start: () => AsyncIterable<Response>,
): Promise<void> => {
  const iterator = start()[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await unlessAborted(signal, iterator.next());
      if (next.done) return;
      if (!call.write(next.value)) await once(call, 'drain', { signal });
    }
  } finally {
    // Not awaited: an iterator that is stuck in its own wait must not keep the call open.
    void iterator.return?.().catch(() => undefined);
  }
};

/** Also settles when `work` does not: a handler that heeds no signal must not outlive its caller's patience. */
const unlessAborted = async <T>(signal: AbortSignal, work: Promise<T>): Promise<T> => {
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => aborted.reject(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
};
