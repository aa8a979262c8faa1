import type { Metadata } from '@grpc/grpc-js';
import type { Rehearsal } from '../eventing/rehearsal.ts';
import type { RpcContext } from './context.ts';
import type { Failure } from './status.ts';

/** Rehearses what a service's processes would do about the aggregates of a rehearsal. */
export type Foresee = (rehearsal: Rehearsal, rpc: RpcContext) => Promise<void>;

/** A call that was let in: what the interceptor hands to the handler. */
export type RunningCall = Readonly<{
  contextFor: (request: object) => RpcContext;
  signal: AbortSignal;
  /** At the end of a dry run: what this service would do next, of its own accord. */
  foresee: Foresee;
  /** What the caller is told, unless nobody waits any more. */
  refuse: (error: unknown) => Failure;
}>;

// grpc-js gives the handler the same metadata object that its interceptors saw, and nothing else to hang this on.
const running = new WeakMap<Metadata, RunningCall>();

export const setRunningCall = (metadata: Metadata, call: RunningCall): void => {
  running.set(metadata, call);
};

export const runningCall = (metadata: Metadata): RunningCall => {
  const call = running.get(metadata);
  if (!call) throw new Error('the call did not pass the interceptor');
  return call;
};
