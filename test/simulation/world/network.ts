import { status } from '@grpc/grpc-js';
import type { CallContext, Connected, connect } from '@privatelink/shared/grpc/client';
import { joinPreview } from '@privatelink/shared/grpc/preview';
import { DeadlineExceeded } from '@privatelink/shared/grpc/status';
import type { Caller } from '@privatelink/shared/grpc/tokens';
import { failureOf, handle, type Method, type Served } from './call.ts';
import type { Host } from './host.ts';
import type { Random } from './random.ts';
import { openStream } from './stream.ts';
import type { Timeline } from './timeline.ts';
import type { Trouble } from './trouble.ts';

type ClientOf<D> = Parameters<typeof connect<D & object>>[0];
export type ClientOptions = Readonly<{ host: Host; caller: Caller; timeoutMs?: number | undefined }>;

/** gRPC without sockets: real messages, handlers, contexts and errors; requests and replies may be lost or come twice. */
export type Network = Readonly<{
  /** Until the host ends, or the returned function is called. */
  serve: (served: Served) => () => void;
  client: <D extends object>(client: ClientOf<D>, options: ClientOptions) => Connected<D>;
  /** Calls back with each request as it is made, whatever becomes of it. */
  onRequest: (listener: RequestListener) => void;
}>;

export type RequestListener = (rpc: string, request: object) => void;

/** As the real client: it tries again when it is told that the server is away. */
const ATTEMPTS = 4;
const FIRST_BACKOFF_MS = 50;
const DEFAULT_TIMEOUT_MS = 5_000;
const MARGIN_MS = 50;

export const createNetwork = (timeline: Timeline, random: Random, trouble: Trouble): Network => {
  const serving = new Map<string, Set<Served>>();
  const listeners: RequestListener[] = [];

  const serverFor = (method: Method): Served | undefined => {
    const [, service = ''] = method.path.split('/');
    const up = [...(serving.get(service) ?? [])];
    return up.length > 0 ? random.pick(up) : undefined;
  };

  const hop = (): number => (trouble.strikes('slowNetwork') ? random.between(20, 3_000) : random.between(0.1, 2));

  /** One request on its way and back. Settles as the client sees it; the handler may go on for longer. */
  const attempt = (method: Method, bytes: Buffer, context: CallContext, caller: Caller, deadline: number) => {
    const { promise, resolve, reject } = Promise.withResolvers<object>();
    const patience = deadline - timeline.now();
    const fail = (code: number, details: string): void => reject(failureOf(code, details));
    const cancelTimer = timeline.after(patience, () => fail(status.DEADLINE_EXCEEDED, 'deadline exceeded'));

    const arrive = (counts: boolean): void => {
      const served = serverFor(method);
      if (!served) {
        if (counts) fail(status.UNAVAILABLE, 'nobody answers');
        return;
      }
      const { host } = served;
      const forget = host.onEnd(() => {
        if (counts) timeline.after(hop(), () => fail(status.UNAVAILABLE, 'the connection was reset'));
      });
      const reply = (send: () => void): void => {
        forget();
        if (!counts || !host.isAlive()) return;
        if (trouble.strikes('replyDropped'))
          timeline.after(hop(), () => fail(status.UNAVAILABLE, 'the reply was lost'));
        else timeline.after(hop(), send);
      };
      host.receive(() => {
        const ending = new AbortController();
        const cancel = timeline.after(patience, () => {
          if (host.isAlive()) ending.abort(new DeadlineExceeded());
        });
        // As long as the client said that it waits, from when the server hears of it.
        const arrival = { method, bytes, context, caller, deadline: timeline.now() + patience, signal: ending.signal };
        handle(served, arrival, {}, (error, response) => {
          cancel();
          reply(() => (response ? resolve(method.responseDeserialize(response)) : reject(error)));
        });
      });
    };

    if (trouble.strikes('requestDropped'))
      timeline.after(hop(), () => fail(status.UNAVAILABLE, 'the request was lost'));
    else if (!trouble.strikes('requestLost')) timeline.after(hop(), () => arrive(true));
    if (trouble.strikes('requestDuplicated'))
      timeline.after(random.between(1, random.chance(0.3) ? 15_000 : 1_500), () => arrive(false));
    return promise.finally(cancelTimer);
  };

  const call = async (
    method: Method,
    request: object,
    context: CallContext,
    { host, caller, timeoutMs = DEFAULT_TIMEOUT_MS }: ClientOptions,
  ): Promise<object> => {
    const bytes = method.requestSerialize(request);
    for (const listen of listeners) listen(method.path.slice(method.path.lastIndexOf('/') + 1), request);
    const deadline = Math.min(timeline.now() + timeoutMs, (context.deadline ?? Number.POSITIVE_INFINITY) - MARGIN_MS);
    for (let attempts = 1; ; attempts++) {
      try {
        const answer = await attempt(method, bytes, context, caller, deadline);
        joinPreview(context.rehearsal, answer);
        if (caller.roles.includes('service') && trouble.strikes('crashAfterCall')) host.kill();
        return answer;
      } catch (error) {
        const code = (error as Readonly<{ code?: number }>).code;
        const backoffMs = FIRST_BACKOFF_MS * 3 ** (attempts - 1);
        if (code !== status.UNAVAILABLE || attempts === ATTEMPTS || timeline.now() + backoffMs > deadline) throw error;
        await host.clock.sleep(backoffMs);
      }
    }
  };

  return {
    serve: (served) => {
      const names = new Set(Object.values(served.definition).map(({ path }) => path.split('/')[1] ?? ''));
      for (const name of names) serving.set(name, (serving.get(name) ?? new Set()).add(served));
      const end = (): void => {
        for (const name of names) serving.get(name)?.delete(served);
      };
      served.host.onEnd(end);
      return end;
    },
    client: (client, options) => {
      const rpcs = Object.entries(client.service as Record<string, Method>).map(([name, method]) => [
        name,
        (request: object, context: CallContext) =>
          method.responseStream
            ? openStream({ timeline, trouble, hop, serverFor }, method, request, context, options)
            : hangUnlessAlive(options.host, call(method, request, context, options)),
      ]);
      return { ...Object.fromEntries(rpcs), close: () => undefined };
    },
    onRequest: (listener) => void listeners.push(listener),
  };
};

/** What comes back to a host that has ended is heard by nobody. */
const hangUnlessAlive = <T>(host: Host, answer: Promise<T>): Promise<T> => {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  answer.then(
    (value) => host.isAlive() && resolve(value),
    (error: unknown) => host.isAlive() && reject(error),
  );
  return promise;
};
