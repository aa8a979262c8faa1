import { EventEmitter } from 'node:events';
import { type ServiceError, status } from '@grpc/grpc-js';
import { Unavailable } from '@privatelink/shared/app/errors';
import type { CallContext } from '@privatelink/shared/grpc/client';
import { Cancelled } from '@privatelink/shared/grpc/status';
import { failureOf, handle, type Method, readFailure, type Served } from './call.ts';
import type { ClientOptions } from './network.ts';
import type { Timeline } from './timeline.ts';
import type { Trouble } from './trouble.ts';

type Ways = Readonly<{
  timeline: Timeline;
  trouble: Trouble;
  /** How long one way takes. */
  hop: () => number;
  serverFor: (method: Method) => Served | undefined;
}>;

type Told = Readonly<{ message: object } | { error: Error } | { isOver: true }>;

/** A stream of answers, in order. It breaks with either host, and by itself. */
export async function* openStream(
  { timeline, trouble, hop, serverFor }: Ways,
  method: Method,
  request: object,
  context: CallContext,
  { host, caller }: ClientOptions,
): AsyncIterable<object> {
  const told: Told[] = [];
  let wake = Promise.withResolvers<void>();
  let lastArrival = 0;
  /** What is sent later does not arrive earlier. */
  const tell = (one: Told): void => {
    lastArrival = Math.max(lastArrival, timeline.now() + hop());
    timeline.after(lastArrival - timeline.now(), () =>
      host.receive(() => {
        told.push(one);
        wake.resolve();
      }),
    );
  };
  const ending = new AbortController();
  const served = serverFor(method);
  if (served) {
    const bytes = method.requestSerialize(request);
    timeline.after(hop(), () =>
      served.host.receive(() => {
        const parts = Object.assign(new EventEmitter(), {
          write: (message: object): boolean => {
            if (trouble.strikes('streamBroken')) {
              tell({ error: failureOf(status.UNAVAILABLE, 'the stream broke') });
              ending.abort(new Cancelled());
            }
            tell({ message: method.responseDeserialize(method.responseSerialize(message)) });
            return true;
          },
          end: () => tell({ isOver: true }),
          emit: (_event: string, error: ServiceError) => tell({ error: readFailure(error) }),
        });
        const arrival = { method, bytes, context, caller, deadline: Number.POSITIVE_INFINITY, signal: ending.signal };
        handle(served, arrival, parts, (error) => error && tell({ error }));
      }),
    );
  } else tell({ error: failureOf(status.UNAVAILABLE, 'nobody answers') });
  const stop = (): void => ending.abort(new Unavailable('SHUTTING_DOWN', 'this instance is stopping; call again'));
  const hangUp = (): void => {
    ending.abort(new Cancelled());
    wake.resolve();
  };
  const forget = served?.host.onEnd(() => tell({ error: failureOf(status.UNAVAILABLE, 'the connection was reset') }));
  const forgetOwn = host.onEnd(hangUp);
  served?.stopping.addEventListener('abort', stop, { once: true });
  context.signal?.addEventListener('abort', hangUp, { once: true });
  try {
    while (!context.signal?.aborted) {
      const next = told.shift();
      if (next === undefined) {
        await wake.promise;
        wake = Promise.withResolvers();
        // A host that has ended hears nothing any more.
        if (!host.isAlive()) await new Promise(() => undefined);
      } else if ('message' in next) yield next.message;
      else if ('error' in next) throw next.error;
      else return;
    }
  } finally {
    hangUp();
    forget?.();
    forgetOwn();
    served?.stopping.removeEventListener('abort', stop);
    context.signal?.removeEventListener('abort', hangUp);
  }
}
