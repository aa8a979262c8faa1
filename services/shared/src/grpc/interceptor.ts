import {
  type Metadata,
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
  status,
} from '@grpc/grpc-js';
import type { Logger } from 'pino';
import { Denied, Unauthenticated, Unavailable } from '../app/errors.ts';
import { rpcs } from '../telemetry/metrics.ts';
import { type Access, accessOf } from './access.ts';
import { type CallHead, callHead, rpcContext } from './context.ts';
import { type Foresee, setRunningCall } from './running-call.ts';
import { Cancelled, DeadlineExceeded, type ErrorFunnel, type Failure } from './status.ts';
import type { Caller, TokenVerifier } from './tokens.ts';

/** Who may call a method that stands in no row of the access table: health and reflection. */
export type Unlisted = 'open' | 'token';

export type GuardedMethods = ReadonlyMap<string, Readonly<{ requestSerialize: (request: never) => Uint8Array }>>;

export type InterceptorOptions = Readonly<{
  methods: GuardedMethods;
  unlisted: (path: string) => Unlisted;
  verifier: TokenVerifier;
  funnel: ErrorFunnel;
  foresee: Foresee;
  log: Logger;
}>;

export type Interceptor = Readonly<{
  intercept: ServerInterceptor;
  /** Ends every open stream, since each of them would keep the server from closing. */
  endStreams: () => void;
}>;

const DEFAULT_DEADLINE_MS = 30_000;

/** What every call passes before its message is even read: token, role, deadline; and what logs its end. */
export const createInterceptor = (options: InterceptorOptions): Interceptor => {
  const streams = new Set<(reason: Error) => void>();
  return {
    intercept: (method, call) => guardedCall(options, streams, method, call),
    endStreams: () => {
      for (const end of streams) end(new Unavailable('SHUTTING_DOWN', 'this instance is stopping; call again'));
    },
  };
};

/** What each agent says every other second; metrics count it. */
const ROUTINE = /\/ReportTraffic$/;

const guardedCall = (
  options: InterceptorOptions,
  streams: Set<(reason: Error) => void>,
  { path, responseStream }: Readonly<{ path: string; responseStream: boolean }>,
  call: ServerInterceptingCallInterface,
): ServerInterceptingCall => {
  const { methods, funnel, foresee, log } = options;
  const name = path.slice(1);
  const guarded = methods.get(path);
  // Whoever calls may make up a name.
  const measured = guarded ? name : 'other';
  const started = performance.now();
  const ending = new AbortController();
  const deadline = deadlineOf(call, responseStream);
  // Where the caller set one, grpc-js keeps it.
  const timer =
    deadline !== Number.POSITIVE_INFINITY && call.getDeadline() === Number.POSITIVE_INFINITY
      ? setTimeout(() => ending.abort(new DeadlineExceeded()), DEFAULT_DEADLINE_MS)
      : undefined;
  let head: CallHead | undefined;
  let reason = '';
  let finished = false;

  const finish = (code: number): void => {
    if (finished) return;
    finished = true;
    clearTimeout(timer);
    if (streams.delete(end)) rpcs.streams.dec({ method: measured });
    measure(
      { method: measured, code: status[code] ?? '', reason },
      responseStream ? null : performance.now() - started,
    );
    const line = {
      method: name,
      code: status[code],
      ...(reason !== '' && { reason }),
      durationMs: Math.round((performance.now() - started) * 10) / 10,
      ...(head && {
        correlationId: head.correlationId,
        causationId: head.causationId,
        accountId: head.caller.accountId,
        actor: head.actor,
      }),
    };
    const isRoutine = code === status.OK && ROUTINE.test(name);
    if (guarded && !isRoutine) log.info(line, 'rpc');
    else log.debug(line, 'rpc');
  };

  const refuse = (error: unknown): Failure => {
    const why = ending.signal.aborted ? ending.signal.reason : error;
    const failure = funnel(why, { method: name, correlationId: head?.correlationId });
    reason = failure.reason;
    return failure;
  };

  const sendFailure = (error: unknown): void => {
    const failure = refuse(error);
    finish(failure.code);
    call.sendStatus(failure);
  };

  /** Ours end in their handler's wrapper; the others know of no signal. */
  const end = (why: Error): void => (guarded ? ending.abort(why) : sendFailure(why));
  if (responseStream) {
    streams.add(end);
    rpcs.streams.inc({ method: measured });
  }

  const admit = async (metadata: Metadata): Promise<void> => {
    const caller = await authenticate(options, path, metadata);
    if (deadline <= Date.now()) throw new DeadlineExceeded();
    if (!guarded || !caller) return;
    const access = accessFor(name, caller);
    const known = callHead({ caller, access, method: name, deadline, signal: ending.signal, metadata });
    head = known;
    setRunningCall(metadata, {
      contextFor: (request) => rpcContext(known, request, guarded.requestSerialize),
      signal: ending.signal,
      foresee,
      refuse,
    });
  };

  return new ServerInterceptingCall(call, {
    start: (next) =>
      next({
        onReceiveMetadata: (metadata, proceed) => {
          admit(metadata).then(() => proceed(metadata), sendFailure);
        },
        onCancel: () => {
          if (finished) return;
          const late = Date.now() >= deadline;
          ending.abort(late ? new DeadlineExceeded() : new Cancelled());
          finish(late ? status.DEADLINE_EXCEEDED : status.CANCELLED);
        },
      }),
    sendStatus: (sent, next) => {
      finish(sent.code);
      next(sent);
    },
  });
};

const measure = (
  labels: Readonly<{ method: string; code: string; reason: string }>,
  durationMs: number | null,
): void => {
  rpcs.served.inc(labels);
  if (durationMs !== null) rpcs.duration.observe({ method: labels.method, code: labels.code }, durationMs / 1_000);
};

const deadlineOf = (call: ServerInterceptingCallInterface, responseStream: boolean): number => {
  const deadline = Number(call.getDeadline());
  return deadline === Number.POSITIVE_INFINITY && !responseStream ? Date.now() + DEFAULT_DEADLINE_MS : deadline;
};

const authenticate = async (
  { methods, unlisted, verifier }: InterceptorOptions,
  path: string,
  metadata: Metadata,
): Promise<Caller | undefined> => {
  if (!methods.has(path) && unlisted(path) === 'open') return undefined;
  const [value, ...others] = metadata.get('authorization');
  if (value === undefined) throw new Unauthenticated('a token is required: authorization: Bearer <token>');
  const [, token] = /^Bearer ([^\s]+)$/i.exec(value.toString()) ?? [];
  if (token === undefined || others.length > 0) throw new Unauthenticated('exactly one bearer token is required');
  return verifier(token);
};

const accessFor = (method: string, { roles }: Caller): Access => {
  const access = accessOf(method);
  if (!access?.roles.some((role) => roles.includes(role))) {
    throw new Denied(`${method} is not for ${roles.join(', ')}`);
  }
  return access;
};
