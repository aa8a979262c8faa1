import { createHash, randomUUID } from 'node:crypto';
import type { Metadata } from '@grpc/grpc-js';
import { InvalidRequest } from '../app/errors.ts';
import type { CommandContext } from '../eventing/command-context.ts';
import { type Rehearsal, startRehearsal } from '../eventing/rehearsal.ts';
import { type Access, allows, type Relation } from './access.ts';
import { actorOf, type Caller } from './tokens.ts';
import { isActor } from './validate.ts';

export const CORRELATION_KEY = 'x-correlation-id';
export const CAUSATION_KEY = 'x-causation-id';
export const ACTOR_KEY = 'x-actor';
export const DRY_RUN_KEY = 'x-dry-run';

/** What a handler knows of the call that it answers. Give it to calls to other services, and the chain stays whole. */
export type RpcContext = Readonly<{
  caller: Caller;
  /** `user:<subject>` or `service:<name>`; the original one when another service calls for somebody. */
  actor: string;
  /** Full name, `privatelink.provider.v1.ProviderService/GetEndpointService`. */
  method: string;
  /** For the repository: the request id is the caller's, within account and method. */
  command: CommandContext;
  /** Epoch milliseconds; Infinity for a stream without one. */
  deadline: number;
  /** Aborts when nobody waits any more. */
  signal: AbortSignal;
  correlationId: string;
  causationId: string;
  /**
   * Whether the caller, standing to the resource in these relations, may do what this RPC does. Without any: whether
   * the caller's roles alone suffice, so that lists show every account's resources.
   */
  allows: (relations?: readonly Relation[]) => boolean;
  /** Of a dry run. */
  rehearsal?: Rehearsal | undefined;
}>;

/** What the call's headers say, before its message is read. */
export type CallHead = Omit<RpcContext, 'command' | 'rehearsal'> & Readonly<{ isDryRun: boolean }>;

export type HeadOptions = Readonly<{
  caller: Caller;
  access: Access;
  method: string;
  deadline: number;
  signal: AbortSignal;
  metadata: Metadata;
}>;

export const callHead = ({ caller, access, method, deadline, signal, metadata }: HeadOptions): CallHead => {
  const correlationId = idFrom(metadata, CORRELATION_KEY) ?? randomUUID();
  return {
    caller,
    actor: originalActor(caller, metadata) ?? actorOf(caller),
    method,
    deadline,
    signal,
    correlationId,
    causationId: idFrom(metadata, CAUSATION_KEY) ?? correlationId,
    allows: (relations = []) => allows(access, caller.roles, relations),
    // Only of a request that another service makes in the course of one; callers say it in their message.
    isDryRun: caller.roles.includes('service') && metadata.get(DRY_RUN_KEY).includes('true'),
  };
};

/** Ids only help to follow a request, so that a malformed one is replaced rather than refused. */
const idFrom = (metadata: Metadata, key: string): string | undefined => {
  const [value, ...others] = metadata.get(key);
  return typeof value === 'string' && others.length === 0 && /^[A-Za-z0-9._:/+@-]{1,128}$/.test(value)
    ? value
    : undefined;
};

/** Only services may say for whom they act. */
const originalActor = (caller: Caller, metadata: Metadata): string | undefined => {
  if (!caller.roles.includes('service')) return undefined;
  const [value, ...others] = metadata.get(ACTOR_KEY);
  if (value === undefined) return undefined;
  if (typeof value === 'string' && others.length === 0 && isActor(value)) return value;
  throw new InvalidRequest([{ field: ACTOR_KEY, description: 'must be user:<subject> or service:<name>' }]);
};

type Serialize = (request: never) => Uint8Array;

export const rpcContext = ({ isDryRun, ...head }: CallHead, request: object, serialize: Serialize): RpcContext => {
  const isRehearsed = isDryRun || ('dryRun' in request && request.dryRun === true);
  const rehearsal = isRehearsed ? startRehearsal() : undefined;
  return { ...head, command: { ...commandContext(head, request, serialize), rehearsal }, rehearsal };
};

const commandContext = (head: Omit<CallHead, 'isDryRun'>, request: object, serialize: Serialize): CommandContext => {
  const { caller, actor, method, deadline, correlationId, causationId } = head;
  const given = 'requestId' in request && typeof request.requestId === 'string' ? request.requestId : '';
  return {
    actor,
    accountId: caller.accountId,
    requestId: `${caller.accountId || actorOf(caller)}/${method}/${given || randomUUID()}`,
    fingerprint: fingerprint(request, serialize),
    correlationId,
    causationId,
    deadline,
  };
};

/** Tells a retry from another request under the same id; a dry run may come before either. */
const fingerprint = (request: object, serialize: Serialize): string => {
  const body = 'requestId' in request ? { ...request, requestId: '', dryRun: undefined } : request;
  return createHash('sha256')
    .update(serialize(body as never))
    .digest('hex');
};
