import { Metadata, type ServiceDefinition, type ServiceError, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { readError } from '@privatelink/client/read-error';
import { Denied } from '@privatelink/shared/app/errors';
import { accessOf } from '@privatelink/shared/grpc/access';
import type { CallContext } from '@privatelink/shared/grpc/client';
import {
  ACTOR_KEY,
  CAUSATION_KEY,
  CORRELATION_KEY,
  callHead,
  DRY_RUN_KEY,
  rpcContext,
} from '@privatelink/shared/grpc/context';
import type { RemoteError } from '@privatelink/shared/grpc/remote-error';
import { type Foresee, setRunningCall } from '@privatelink/shared/grpc/running-call';
import type { ErrorFunnel } from '@privatelink/shared/grpc/status';
import type { Caller } from '@privatelink/shared/grpc/tokens';
import type { Host } from './host.ts';

/** A host that serves a definition. */
export type Served = Readonly<{
  host: Host;
  definition: ServiceDefinition;
  implementation: UntypedServiceImplementation;
  funnel: ErrorFunnel;
  foresee: Foresee;
  /** Aborts when the host is asked to stop, which ends every stream. */
  stopping: AbortSignal;
}>;

export type Method = Readonly<{
  path: string;
  responseStream: boolean;
  requestSerialize: (request: unknown) => Buffer;
  requestDeserialize: (bytes: Buffer) => object;
  responseSerialize: (response: unknown) => Buffer;
  responseDeserialize: (bytes: Buffer) => object;
}>;

/** What arrives at a server. */
export type Arrival = Readonly<{
  method: Method;
  bytes: Buffer;
  context: CallContext;
  caller: Caller;
  /** Epoch milliseconds; Infinity for a stream without one. */
  deadline: number;
  /** Aborts with the reason why nobody waits any more. */
  signal: AbortSignal;
}>;

type Handler = (call: object, callback: (error: ServiceError | null, response?: object) => void) => void;

/**
 * Gives a call to the service's own handler, as the interceptor of a real server does.
 *
 * @param parts what the handler's call has besides the request and its metadata
 */
export const handle = (
  { implementation, funnel, foresee }: Served,
  { method, bytes, context, caller, deadline, signal }: Arrival,
  parts: object,
  answer: (error: RemoteError | null, response?: Buffer) => void,
): void => {
  const name = method.path.slice(1);
  const metadata = new Metadata();
  const { actor, correlationId, causationId, rehearsal } = context;
  if (actor !== undefined) metadata.set(ACTOR_KEY, actor);
  if (correlationId !== undefined) metadata.set(CORRELATION_KEY, correlationId);
  if (causationId !== undefined) metadata.set(CAUSATION_KEY, causationId);
  if (rehearsal) metadata.set(DRY_RUN_KEY, 'true');
  const refuse = (error: unknown) => funnel(signal.aborted ? signal.reason : error, { method: name });
  try {
    const access = accessOf(name);
    if (!access?.roles.some((role) => caller.roles.includes(role))) throw new Denied(`${name} is not for them`);
    const head = callHead({ caller, access, method: name, deadline, signal, metadata });
    const contextFor = (request: object) => rpcContext(head, request, method.requestSerialize);
    setRunningCall(metadata, { contextFor, signal, foresee, refuse });
    const rpc = name.split('/')[1] ?? '';
    const handler = implementation[`${rpc.charAt(0).toLowerCase()}${rpc.slice(1)}`] as unknown as Handler;
    handler({ ...parts, request: method.requestDeserialize(bytes), metadata }, (error, response) =>
      error ? answer(readFailure(error)) : answer(null, method.responseSerialize(response)),
    );
  } catch (error) {
    answer(readFailure(refuse(error)));
  }
};

/** As a client reads it. */
export const readFailure = (failure: Pick<ServiceError, 'code' | 'details' | 'metadata'>): RemoteError =>
  readError({ ...failure, name: 'Error', message: failure.details });

export const failureOf = (code: number, details: string): RemoteError =>
  readFailure({ code, details, metadata: new Metadata() });
